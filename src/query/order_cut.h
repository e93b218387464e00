// The rows of a segment that can be among the first so many in an order, without a look at the
// others' keys: reads the first ordering column alone. Called by retrieve. Threads: pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "model/row_value.h"
#include "query/visible_rows.h"
#include "rank/order.h"
#include "segment/segment.h"

namespace elanus::query {

struct OrderCut {
  std::vector<uint32_t> rows;  ///< ascending
  bool whole = true;           ///< false: some candidates are left out
};

/// Whether rows can be cut by this value: a field of numbers, times or texts.
bool CutsByValue(const model::CollectionSchema& schema, const model::RowValue& value);

/// \param alone   the order has no other value, so that among equal ones rows go by key
/// \param wanted  at least 1
/// Errors: those of `cancel`. Cost: one or two passes over the column; blocks whose statistics say
/// that they come later are not read.
Result<OrderCut> FirstInOrder(const segment::Segment& segment, const HiddenRows& hidden,
                              const model::RowValue& value, rank::Direction direction, bool alone,
                              size_t wanted, const Cancel& cancel);

}  // namespace elanus::query
