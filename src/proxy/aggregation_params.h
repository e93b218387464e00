// A search_aggregation: nested buckets over a search's hits, planned against the schema. Errors
// carry Milvus' texts. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "model/row_value.h"
#include "model/schema.h"
#include "proxy/group_params.h"
#include "rank/aggregate.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// Where a number or text of a hit is found: in a column of the search's values, or its score.
struct HitValue {
  static constexpr size_t kScore = static_cast<size_t>(-1);
  size_t column = kScore;
};

struct BucketMetric {
  std::string alias;
  rank::AggregateOp op = rank::AggregateOp::kCount;
  bool counts_rows = false;  ///< count(*): `value` is not read
  HitValue value;
};

struct BucketOrder {
  enum class By : uint8_t { kCount, kKey, kMetric };
  By by = By::kCount;
  size_t metric = 0;  ///< of the level's metrics
  bool descending = false;
};

struct HitOrder {
  HitValue value;
  bool descending = false;
  bool nulls_first = false;
};

/// One level of buckets.
struct BucketLevel {
  std::vector<std::string> names;  ///< of the fields that make its keys
  std::vector<FieldId> fields;
  std::vector<size_t> columns;  ///< theirs in the search's values
  int64_t size = 1;             ///< buckets kept
  std::vector<BucketMetric> metrics;
  std::vector<BucketOrder> order;  ///< empty: by their best hits
  int64_t hits = 0;                ///< top hits wanted; 0 = none
  std::vector<HitOrder> hit_order;
};

struct AggregationPlan {
  std::vector<BucketLevel> levels;
  GroupPlan group;                      ///< what the search groups its hits by
  int64_t groups = 1;                   ///< how many of them it looks for
  std::vector<model::RowValue> values;  ///< wanted of each hit, after those of the groups
};

/// \param nq  queries of the search
Result<AggregationPlan> PlanAggregation(const model::CollectionSchema& schema,
                                        const service::SearchAggregation& spec, int64_t nq);

}  // namespace elanus::proxy
