#include "query/fetch.h"

#include <fmt/core.h>

#include <memory>

#include "segment/field_reader.h"

namespace elanus::query {

Result<model::RowBatch> Fetch(const FetchRequest& request, std::span<const RowRef> rows) {
  model::RowBatch batch{.rows = rows.size()};
  int64_t bytes = 0;
  size_t values = 0;
  for (FieldId id : request.fields) {
    const model::FieldSchema* field = request.schema->FindField(id);
    if (field == nullptr)
      return Error(Code::kFieldNotFound, fmt::format("field not found[field={}]", id.value));
    const int64_t dim = model::IsVector(field->type) ? field->dim() : 0;
    model::Column column = model::MakeColumn(id, field->type, dim);
    column.fixed.reserve(model::ValueBytes(field->type, dim) * rows.size());
    std::vector<std::unique_ptr<segment::FieldReader>> readers(request.segments->size());
    for (const RowRef& ref : rows) {
      if (request.cancel != nullptr && ++values % 1024 == 0) {
        RETURN_IF_ERROR(request.cancel->Check());
      }
      auto& reader = readers[ref.segment];
      if (reader == nullptr) {
        const segment::Segment& segment = *(*request.segments)[ref.segment];
        reader = std::make_unique<segment::FieldReader>(
            segment, segment.RowsAt(model::kTimestampMax), *field);
      }
      reader->AppendTo(ref.row, column);
      if (request.bytes_max >= 0 &&
          bytes + static_cast<int64_t>(column.fixed.size() + column.bytes.size()) >
              request.bytes_max) {
        return Error(
            Code::kParameterTooLarge,
            fmt::format("query results exceed the maxOutputSize Limit {}", request.bytes_max));
      }
    }
    bytes += static_cast<int64_t>(column.fixed.size() + column.bytes.size());
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

}  // namespace elanus::query
