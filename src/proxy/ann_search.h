// One planned vector search over all shards of a collection, merged to one list a query. What a
// search and each part of a hybrid search have in common.
// Threads: computes on the caller's; an object serves one search.
#pragma once

#include <optional>
#include <vector>

#include "proxy/backends.h"
#include "proxy/output_fields.h"
#include "proxy/search_params.h"
#include "service/call.h"
#include "service/coordinator.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// What a search runs with, resolved and checked.
struct AnnInput {
  service::CollectionPtr collection;
  SearchPlan plan;
  expr::BoundFilter filter;
  std::optional<expr::Boost> boost;
  std::optional<std::string> name_space;  ///< of the rows; `filter` says so too
  std::vector<PartitionId> partitions;
  std::vector<FieldId> output_fields;
  service::ReadPoint read;
};

/// The hits of all queries after one another; `rows` and `values` are aligned with them. In order:
/// nearest first, or as the plan's groups and order say.
struct AnnResult {
  std::vector<int64_t> counts;
  model::PrimaryKeys keys;
  std::vector<float> scores;
  std::vector<int64_t> elements;  ///< of a search by element: which of the row's list
  model::RowBatch rows;           ///< the output fields
  model::RowBatch values;         ///< the plan's group values, its order values, its values
  model::Timestamp read_at = 0;
  std::vector<std::string> plans;  ///< of an explained search: one a shard
};

/// Checks the query vectors, or fetches those of the ids, asks every shard and merges.
/// Errors: those of the vectors and ids with Milvus' texts, the shards'.
Result<AnnResult> RunAnnSearch(const Backends& backends, const Cancel& cancel,
                               const service::SearchCall& search, const AnnInput& input);

}  // namespace elanus::proxy
