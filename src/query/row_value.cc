#include "query/row_value.h"

#include <fmt/core.h>

#include <memory>
#include <utility>

#include "query/filter_json_text.h"
#include "segment/field_reader.h"

namespace elanus::query {
namespace {

using model::Column;
using model::DataType;

template <class T>
void AppendInteger(const JsonValue& value, Column& out) {
  int64_t number = value.number;
  if (value.kind == JsonKind::kDouble) {
    // 3.0 is a whole number however it is written.
    if (!(value.fraction >= -0x1p63 && value.fraction < 0x1p63)) return out.AppendNull();
    number = static_cast<int64_t>(value.fraction);
    if (static_cast<double>(number) != value.fraction) return out.AppendNull();
  } else if (value.kind != JsonKind::kInt) {
    return out.AppendNull();
  }
  if (!std::in_range<T>(number)) return out.AppendNull();
  out.Append(static_cast<T>(number));
}

void AppendText(const JsonValue& value, Column& out) {
  std::string buffer;
  if (value.kind == JsonKind::kString) return out.AppendValue(Unescaped(value, buffer));
  out.AppendNull();
}

/// The text a JSON value has in its document; `text` of a number or a word is not kept by
/// JsonValue.
std::string JsonText(const JsonValue& value) {
  switch (value.kind) {
    case JsonKind::kFalse: return "false";
    case JsonKind::kTrue: return "true";
    case JsonKind::kInt: return std::to_string(value.number);
    case JsonKind::kUnsigned: return std::to_string(static_cast<uint64_t>(value.number));
    case JsonKind::kDouble: return fmt::format("{}", value.fraction);
    case JsonKind::kString: return '"' + std::string(value.text) + '"';
    default: return std::string(value.text);
  }
}

void AppendJson(const JsonValue& value, DataType as, Column& out) {
  if (value.kind == JsonKind::kMissing || value.kind == JsonKind::kNull) return out.AppendNull();
  switch (as) {
    case DataType::kBool:
      if (value.kind != JsonKind::kTrue && value.kind != JsonKind::kFalse) return out.AppendNull();
      return out.Append<uint8_t>(value.kind == JsonKind::kTrue ? 1 : 0);
    case DataType::kInt8: return AppendInteger<int8_t>(value, out);
    case DataType::kInt16: return AppendInteger<int16_t>(value, out);
    case DataType::kInt32: return AppendInteger<int32_t>(value, out);
    case DataType::kInt64: return AppendInteger<int64_t>(value, out);
    case DataType::kVarChar: return AppendText(value, out);
    default: return out.AppendValue(JsonText(value));
  }
}

Column ColumnOf(const model::RowValue& value, const model::FieldSchema& field) {
  const bool json = field.type == DataType::kJson;
  const int64_t dim = model::IsVector(field.type) ? field.dim() : 0;
  return model::MakeColumn(field.id, json && value.as != DataType::kNone ? value.as : field.type,
                           dim);
}

}  // namespace

Result<model::RowBatch> FetchValues(const ValuesRequest& request, std::span<const RowRef> rows) {
  model::RowBatch batch{.rows = rows.size()};
  for (const model::RowValue& value : request.values) {
    const model::FieldSchema* field = request.schema->FindField(value.field);
    if (field == nullptr) {
      return Error(Code::kFieldNotFound,
                   fmt::format("field not found[field={}]", value.field.value));
    }
    const bool json = field->type == DataType::kJson;
    if (!json && !value.path.empty()) {
      return Error(
          InvalidParameter(fmt::format("field {} is not JSON: it has no paths", field->name)));
    }
    Column column = ColumnOf(value, *field);
    std::vector<std::unique_ptr<segment::FieldReader>> readers(request.segments->size());
    for (const RowRef& ref : rows) {
      auto& reader = readers[ref.segment];
      if (reader == nullptr) {
        const segment::Segment& segment = *(*request.segments)[ref.segment];
        reader = std::make_unique<segment::FieldReader>(
            segment, segment.RowsAt(model::kTimestampMax), *field);
      }
      if (!json) {
        reader->AppendTo(ref.row, column);
      } else if (reader->IsNull(ref.row)) {
        column.AppendNull();
      } else {
        AppendJson(FindJson(reader->ValueAt(ref.row), value.path), value.as, column);
      }
    }
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

}  // namespace elanus::query
