// A search call's parameters, checked against the collection. Errors carry Milvus' texts.
// Called by the search path. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "proxy/aggregation_params.h"
#include "proxy/group_params.h"
#include "proxy/order_params.h"
#include "rank/collapse.h"
#include "service/frontend.h"

namespace elanus::proxy {

struct SearchPlan {
  const model::FieldSchema* field = nullptr;  ///< of the collection's schema
  model::Metric metric = model::Metric::kCosine;
  int64_t limit = 0;
  int64_t offset = 0;
  service::VectorSearchParams params;
  std::optional<GroupPlan> group;              ///< limit and offset then count groups
  std::optional<AggregationPlan> aggregation;  ///< `group` and `limit` are then its own
  OrderPlan order;
  std::vector<model::RowValue> values;  ///< wanted of each hit for whoever called the search
  bool by_element = false;              ///< of lists of vectors: hits are single vectors of them
  /// Of a hybrid search's part by element: what a row's elements make it worth.
  std::optional<rank::Collapse> element_scope;
  int round_decimal = -1;
  bool ignore_growing = false;
  bool explain = false;  ///< the plan is wanted instead of the hits
  bool iterator = false;
  bool iterator_v2 = false;
  std::string iterator_token;          ///< of the client; empty on the first page
  std::optional<float> iterator_last;  ///< the last page's worst score
};

/// `nq [N] is invalid, ...` outside of [1, kQueriesMax].
Status CheckQueryCount(int64_t nq);

/// round_decimal: -1, or 0 to 6 places.
Result<int> PlanRounding(const Params& params);

/// The pointers of the plan point into `collection`.
Result<SearchPlan> PlanSearch(const model::CollectionInfo& collection,
                              const service::SearchCall& search);

/// Query vectors in the form of a field's column.
struct QueryVectors {
  std::string bytes;
  std::vector<uint64_t> offsets;  ///< of sparse vectors and of lists: nq + 1
};

/// The call's vectors, checked: nq of the field's type and dimension, all finite. Floats become
/// half or brain floats where the field has those.
Result<QueryVectors> TakeQueryVectors(const model::FieldSchema& field,
                                      const service::SearchCall& search);

/// The collection named by id in a parameter must be this one.
Status CheckCollectionId(const model::CollectionInfo& collection, const std::string* id_text);

}  // namespace elanus::proxy
