// The rows of segments that can be among the first so many in an order, without a look at the
// others' keys: reads the first ordering column alone. Called by retrieve. Threads: pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "model/row_value.h"
#include "query/visible_rows.h"
#include "rank/order.h"
#include "segment/segment.h"

namespace elanus::query {

struct OrderCut {
  std::vector<std::vector<uint32_t>> rows;  ///< a list a segment, ascending
  bool whole = true;                        ///< false: some candidates are left out
};

struct OrderCutRequest {
  const model::RowValue* value = nullptr;  ///< one that CutsByValue
  rank::Direction direction;
  bool alone = false;  ///< the order has no other value, so that among equal ones rows go by key
  size_t wanted = 1;   ///< at least 1
};

/// Whether rows can be cut by this value: a field of numbers, times or texts.
bool CutsByValue(const model::CollectionSchema& schema, const model::RowValue& value);

/// \param hidden  one a segment
/// Errors: those of `cancel`. Cost: one pass over the column; what one segment gives bounds what
/// the next is asked for, and blocks whose statistics say that they come later are not read.
Result<OrderCut> FirstInOrder(std::span<const segment::SegmentPtr> segments,
                              std::span<const HiddenRows> hidden, const OrderCutRequest& request,
                              const Cancel& cancel);

}  // namespace elanus::query
