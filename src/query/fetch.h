// Output fields of chosen rows, gathered from their segments.
#pragma once

#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "model/row_batch.h"
#include "model/schema.h"
#include "segment/segment.h"

namespace elanus::query {

struct RowRef {
  uint32_t segment = 0;  ///< index into the read's segments
  uint32_t row = 0;
};

struct FetchRequest {
  const std::vector<segment::SegmentPtr>* segments = nullptr;
  const model::CollectionSchema* schema = nullptr;
  std::vector<FieldId> fields;
  int64_t bytes_max = -1;          ///< refuse more; -1 = no bound
  const Cancel* cancel = nullptr;  ///< asked every thousand values; null: never
};

/// One column a field, in the order asked, rows in the order of `rows`.
/// Errors: kParameterTooLarge with Milvus' text above bytes_max; kFieldNotFound for a field the
/// schema has not; those of `cancel`.
Result<model::RowBatch> Fetch(const FetchRequest& request, std::span<const RowRef> rows);

}  // namespace elanus::query
