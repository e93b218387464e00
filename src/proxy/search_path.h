// A vector search from the user's words to the user's result: check, ask every shard
// (ann_search.h), shape the answer. Called by RowFrontend. Threads: any; computes on the caller's.
#pragma once

#include "proxy/ann_search.h"
#include "proxy/backends.h"
#include "proxy/hybrid_path.h"
#include "proxy/output_fields.h"
#include "proxy/search_params.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// An element_filter belongs to a search by element of the same struct.
Status CheckElements(const AnnInput& input);

/// Boosted hits are neither grouped nor paged by an iterator.
Status CheckBoosted(const AnnInput& input);

/// What a search searches is loaded; narrows `partitions` to the loaded ones.
Status ReadableFor(const AnnInput& input, std::vector<PartitionId>& partitions);

/// What each hit was grouped by, as columns of the user's names.
std::vector<service::OutputColumn> GroupValueColumns(const model::CollectionSchema& schema,
                                                     const GroupPlan& group,
                                                     model::RowBatch& values);

class SearchPath {
 public:
  explicit SearchPath(const Backends& backends) : backends_(backends), hybrid_(backends) {}

  Result<service::SearchResult> Run(const service::CallContext& call,
                                    const service::SearchCall& search) const;

 private:
  /// A search whose hits get new scores is a hybrid search of one part.
  Result<service::SearchResult> Rescored(const service::CallContext& call,
                                         const service::SearchCall& search,
                                         const SearchPlan& plan) const;

  const Backends backends_;
  const HybridPath hybrid_;
};

}  // namespace elanus::proxy
