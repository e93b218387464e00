// Rows by filter or by key, one a key (the newest), in ascending key order or that of chosen
// values; or their number, or aggregates over them. Threads: computes on the caller's, and on
// helpers too while cores are idle (base/crew.h); pure.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "model/row_value.h"
#include "query/fetch.h"
#include "query/visible_rows.h"
#include "rank/aggregate.h"
#include "rank/order.h"

namespace elanus::query {

struct RetrieveRequest {
  /// When set, only rows of these keys, and the filter is not evaluated.
  const model::PrimaryKeys* keys = nullptr;
  int64_t limit = -1;  ///< the first in order; -1 = all
  /// The order; empty = by key. Equal rows go by key.
  std::span<const model::RowValue> order;
  std::span<const rank::Direction> directions;  ///< one a value
};

struct Retrieved {
  std::vector<RowRef> rows;  ///< in order
  model::PrimaryKeys keys;
  std::vector<model::Timestamp> timestamps;
  model::RowBatch order_values;  ///< a column a value of RetrieveRequest::order
};

Result<Retrieved> Retrieve(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                           const RetrieveRequest& request);

/// All visible rows the filter keeps, rows that share a key counted each.
Result<int64_t> CountRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view);

/// Adds all visible rows the filter keeps to the aggregates, rows that share a key each.
Status AggregateRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                     rank::Aggregator& aggregator);

}  // namespace elanus::query
