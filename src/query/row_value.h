// Values of chosen rows that are not whole fields (model/row_value.h), as columns: what hits are
// grouped or ordered by. Threads: pure functions.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "model/row_batch.h"
#include "model/row_value.h"
#include "query/fetch.h"

namespace elanus::query {

struct ValuesRequest {
  const std::vector<segment::SegmentPtr>* segments = nullptr;
  const model::CollectionSchema* schema = nullptr;
  std::span<const model::RowValue> values;
};

/// One column a value, in the order asked; rows in the order of `rows`. A column has the field's
/// type, or `as` for a value inside JSON (kJson when that is kNone).
/// Errors: kFieldNotFound; kInvalidParameter for a path into a field that is not JSON.
Result<model::RowBatch> FetchValues(const ValuesRequest& request, std::span<const RowRef> rows);

}  // namespace elanus::query
