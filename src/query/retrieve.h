// Rows by filter or by key, in ascending key order, one a key (the newest), or their number.
// Threads: computes on the caller's; pure.
#pragma once

#include <optional>
#include <vector>

#include "base/status.h"
#include "query/fetch.h"
#include "query/visible_rows.h"

namespace elanus::query {

struct RetrieveRequest {
  /// When set, only rows of these keys, and the filter is not evaluated.
  const model::PrimaryKeys* keys = nullptr;
  int64_t limit = -1;  ///< smallest keys first; -1 = all
};

struct Retrieved {
  std::vector<RowRef> rows;  ///< ascending by key
  model::PrimaryKeys keys;
  std::vector<model::Timestamp> timestamps;
};

Result<Retrieved> Retrieve(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                           const RetrieveRequest& request);

/// All visible rows the filter keeps, rows that share a key counted each.
Result<int64_t> CountRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view);

}  // namespace elanus::query
