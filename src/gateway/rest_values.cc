#include "gateway/rest_values.h"

#include <fmt/core.h>

#include <charconv>
#include <limits>
#include <map>
#include <utility>

#include "gateway/base64.h"
#include "gateway/rest_call.h"
#include "model/array_value.h"
#include "model/vector_values.h"

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;
using model::DataType;

Status WrongType(const model::FieldSchema& field) {
  return BadRows(
      fmt::format("the value of field ({}) is no {}", field.name, model::DataTypeName(field.type)));
}

template <class T>
Status AppendInteger(dom::element value, const model::FieldSchema& field, model::Column& column) {
  auto number = IntegerOf(value);
  if (!number) return WrongType(field);
  if (!std::in_range<T>(*number)) {
    return BadRows(fmt::format("the value ({}) of field ({}) is out of range: [{}, {}]", *number,
                               field.name, std::numeric_limits<T>::min(),
                               std::numeric_limits<T>::max()));
  }
  column.Append(static_cast<T>(*number));
  return Status::Ok();
}

Status AppendReal(dom::element value, const model::FieldSchema& field, model::Column& column) {
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS) return WrongType(field);
  if (column.type == DataType::kFloat) {
    column.Append(static_cast<float>(number));
  } else {
    column.Append(number);
  }
  return Status::Ok();
}

/// The bytes of a dense or binary vector from a list of numbers; nullopt when it is no such list.
std::optional<std::string> ElementsOf(dom::element value, DataType type) {
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return std::nullopt;
  std::string bytes;
  for (dom::element item : array) {
    if (type == DataType::kBinaryVector || type == DataType::kInt8Vector) {
      const auto number = IntegerOf(item);
      const bool fits = number && (type == DataType::kInt8Vector ? std::in_range<int8_t>(*number)
                                                                 : std::in_range<uint8_t>(*number));
      if (!fits) return std::nullopt;
      bytes += static_cast<char>(*number);
      continue;
    }
    double number = 0;
    if (item.get(number) != simdjson::SUCCESS) return std::nullopt;
    const auto real = static_cast<float>(number);
    std::string element(model::ValueBytes(type, 1), '\0');
    model::FloatsToDense(type, &real, 1, element.data());
    bytes += element;
  }
  return bytes;
}

Status AppendVector(dom::element value, const model::FieldSchema& field, model::Column& column) {
  std::string_view text;
  const bool is_text = value.get(text) == simdjson::SUCCESS;
  const bool takes_text =
      field.type != DataType::kFloatVector && field.type != DataType::kInt8Vector;
  const auto bytes = is_text && takes_text ? DecodeBase64(text) : ElementsOf(value, field.type);
  if (!bytes) return WrongType(field);
  const size_t width = model::ValueBytes(field.type, column.dim);
  if (bytes->size() != width) {
    const size_t given = width == 0 ? 0 : bytes->size() * static_cast<size_t>(column.dim) / width;
    return BadRows(fmt::format("the dimension ({}) of field ({}) is not equal to schema dim ({})",
                               given, field.name, column.dim));
  }
  column.AppendValue(*bytes);
  return Status::Ok();
}

using SparseRow = std::map<uint32_t, float>;

bool ReadSparseLists(dom::object object, SparseRow& row) {
  dom::array indices;
  dom::array values;
  if (object["indices"].get(indices) != simdjson::SUCCESS ||
      object["values"].get(values) != simdjson::SUCCESS || indices.size() != values.size()) {
    return false;
  }
  auto value = values.begin();
  for (dom::element item : indices) {
    const auto index = IntegerOf(item);
    double number = 0;
    if (!index || !std::in_range<uint32_t>(*index) || (*value).get(number) != simdjson::SUCCESS) {
      return false;
    }
    row[static_cast<uint32_t>(*index)] = static_cast<float>(number);
    ++value;
  }
  return true;
}

bool ReadSparseMembers(dom::object object, SparseRow& row) {
  for (auto [key, value] : object) {
    uint32_t index = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    double number = 0;
    if (error != std::errc() || end != key.data() + key.size() ||
        value.get(number) != simdjson::SUCCESS) {
      return false;
    }
    row[index] = static_cast<float>(number);
  }
  return true;
}

Status AppendSparse(dom::element value, const model::FieldSchema& field, model::Column& column) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return WrongType(field);
  SparseRow row;
  const bool lists = object["indices"].error() == simdjson::SUCCESS;
  if (!(lists ? ReadSparseLists(object, row) : ReadSparseMembers(object, row))) {
    return WrongType(field);
  }
  std::string bytes;
  for (const auto& [index, number] : row) {
    const model::SparseElement element{index, number};
    bytes.append(reinterpret_cast<const char*>(&element), sizeof(element));
  }
  column.AppendValue(bytes);
  return Status::Ok();
}

Status AppendArray(dom::element value, const model::FieldSchema& field, model::Column& column) {
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return WrongType(field);
  model::FieldSchema element{.name = field.name, .type = field.element_type};
  model::Column elements = model::MakeColumn({}, element.type);
  for (dom::element item : array) RETURN_IF_ERROR(AppendJson(item, element, elements));
  model::ArrayBuilder builder(element.type);
  for (size_t i = 0; i < elements.rows; ++i) builder.Append(elements.ValueAt(i));
  column.AppendValue(builder.Take());
  return Status::Ok();
}

void WriteArray(JsonWriter& json, std::string_view bytes, bool int64_as_number) {
  json.BeginArray();
  if (const auto array = model::ArrayView::Open(bytes)) {
    model::Column elements = model::MakeColumn({}, array->element_type());
    for (size_t i = 0; i < array->size(); ++i) elements.AppendValue(array->At(i));
    for (size_t i = 0; i < elements.rows; ++i) WriteValue(json, elements, i, int64_as_number);
  }
  json.EndArray();
}

void WriteSparse(JsonWriter& json, std::string_view row) {
  json.BeginObject();
  for (size_t i = 0; i < model::SparseSize(row); ++i) {
    const model::SparseElement element = model::SparseAt(row, i);
    json.Key(fmt::format_int(element.index).c_str()).Real(element.value);
  }
  json.EndObject();
}

}  // namespace

Status BadRows(std::string_view reason) {
  return {kRestBadRows, fmt::format("fail to deal the insert data, error: {}", reason)};
}

DataType TypeInJson(const model::FieldSchema& field) {
  const bool told = field.type == DataType::kTimestamptz || field.type == DataType::kGeometry;
  return told ? DataType::kVarChar : field.type;
}

Status AppendJson(dom::element value, const model::FieldSchema& field, model::Column& column) {
  if (value.is_null()) {
    if (!field.nullable && !field.default_value) {
      return BadRows(fmt::format("the value (nil) of field ({}) must not be null", field.name));
    }
    column.AppendNull();
    return Status::Ok();
  }
  switch (field.type) {
    case DataType::kBool: {
      bool flag = false;
      if (value.get(flag) != simdjson::SUCCESS) return WrongType(field);
      column.Append<uint8_t>(flag ? 1 : 0);
      return Status::Ok();
    }
    case DataType::kInt8: return AppendInteger<int8_t>(value, field, column);
    case DataType::kInt16: return AppendInteger<int16_t>(value, field, column);
    case DataType::kInt32: return AppendInteger<int32_t>(value, field, column);
    case DataType::kInt64: return AppendInteger<int64_t>(value, field, column);
    case DataType::kFloat:
    case DataType::kDouble: return AppendReal(value, field, column);
    case DataType::kVarChar:
    case DataType::kText:
    case DataType::kTimestamptz:
    case DataType::kGeometry: {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) return WrongType(field);
      column.AppendValue(text);
      return Status::Ok();
    }
    case DataType::kJson: column.AppendValue(simdjson::minify(value)); return Status::Ok();
    case DataType::kArray: return AppendArray(value, field, column);
    case DataType::kSparseFloatVector: return AppendSparse(value, field, column);
    case DataType::kFloatVector:
    case DataType::kFloat16Vector:
    case DataType::kBFloat16Vector:
    case DataType::kInt8Vector:
    case DataType::kBinaryVector: return AppendVector(value, field, column);
    default:
      return BadRows(fmt::format("field ({}) has a type that is not supported: {}", field.name,
                                 model::DataTypeName(field.type)));
  }
}

void WriteValue(JsonWriter& json, const model::Column& column, size_t row, bool int64_as_number) {
  if (column.IsNull(row)) {
    json.Null();
    return;
  }
  const auto dim = static_cast<size_t>(column.dim);
  switch (column.type) {
    case DataType::kBool: json.Bool(column.Values<uint8_t>()[row] != 0); return;
    case DataType::kInt8: json.Int(column.Values<int8_t>()[row]); return;
    case DataType::kInt16: json.Int(column.Values<int16_t>()[row]); return;
    case DataType::kInt32: json.Int(column.Values<int32_t>()[row]); return;
    case DataType::kInt64: json.Int64(column.Values<int64_t>()[row], int64_as_number); return;
    case DataType::kFloat: json.Real(column.Values<float>()[row]); return;
    case DataType::kDouble: json.Real(column.Values<double>()[row]); return;
    case DataType::kJson: json.Raw(column.StringAt(row)); return;
    case DataType::kArray: WriteArray(json, column.StringAt(row), int64_as_number); return;
    case DataType::kSparseFloatVector: WriteSparse(json, column.StringAt(row)); return;
    case DataType::kFloatVector:
      json.BeginArray();
      for (float x : column.Values<float>().subspan(row * dim, dim)) json.Real(x);
      json.EndArray();
      return;
    case DataType::kInt8Vector:
      json.BeginArray();
      for (int8_t x : column.Values<int8_t>().subspan(row * dim, dim)) json.Int(x);
      json.EndArray();
      return;
    default:
      if (column.IsFixed()) {
        json.Text(EncodeBase64(column.ValueAt(row)));
      } else {
        json.Text(column.StringAt(row));
      }
  }
}

}  // namespace elanus::gateway
