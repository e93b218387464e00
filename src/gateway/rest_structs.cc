#include "gateway/rest_structs.h"

#include <fmt/core.h>

#include <algorithm>

#include "gateway/rest_values.h"
#include "model/array_value.h"

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;
using model::DataType;

/// A member of all elements of a row, in the form that its column has.
Status AppendMember(dom::array elements, const model::FieldSchema& member, model::Column& column) {
  const model::FieldSchema one{
      .name = member.name, .type = member.element_type, .type_params = member.type_params};
  const bool vectors = member.type == DataType::kArrayOfVector;
  model::Column values = model::MakeColumn({}, one.type, vectors ? member.dim() : 0);
  for (dom::element element : elements) {
    dom::element value;
    if (element[member.member_name()].get(value) != simdjson::SUCCESS) {
      return BadRows(fmt::format("the value (nil) of field ({}) is missing", member.name));
    }
    RETURN_IF_ERROR(AppendJson(value, one, values));
  }
  if (vectors) {
    column.AppendValue(values.fixed);
    return Status::Ok();
  }
  model::ArrayBuilder array(one.type);
  for (size_t i = 0; i < values.rows; ++i) array.Append(values.ValueAt(i));
  column.AppendValue(array.Take());
  return Status::Ok();
}

/// Element `i` of a struct member's row.
void WriteElement(JsonWriter& json, const service::OutputColumn& member, size_t row, size_t i,
                  bool int64_as_number) {
  const std::string_view bytes = member.column.StringAt(row);
  model::Column one = model::MakeColumn({}, member.element_type, member.column.dim);
  if (member.column.type == DataType::kArrayOfVector) {
    const size_t width = model::ValueBytes(member.element_type, member.column.dim);
    one.AppendValue(bytes.substr(i * width, width));
  } else {
    one.AppendValue(model::ArrayView::Open(bytes)->At(i));
  }
  WriteValue(json, one, 0, int64_as_number);
}

size_t ElementsOf(const service::OutputColumn& member, size_t row) {
  const std::string_view bytes = member.column.StringAt(row);
  if (member.column.type == DataType::kArrayOfVector) {
    const size_t width = model::ValueBytes(member.element_type, member.column.dim);
    return width == 0 ? 0 : bytes.size() / width;
  }
  const auto array = model::ArrayView::Open(bytes);
  return array ? array->size() : 0;
}

}  // namespace

Status AppendStructs(dom::element value, const StructRow& row) {
  if (value.is_null()) {
    if (!row.of.nullable) {
      return BadRows(fmt::format("the value (nil) of field ({}) must not be null", row.of.name));
    }
    for (const auto& [field, column] : row.members) column->AppendNull();
    return Status::Ok();
  }
  dom::array elements;
  if (value.get(elements) != simdjson::SUCCESS) {
    return BadRows(fmt::format("the value of field ({}) is no list of objects", row.of.name));
  }
  for (dom::element element : elements) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
      return BadRows(fmt::format("the value of field ({}) is no list of objects", row.of.name));
    }
    if (object.size() > row.members.size()) {
      return BadRows(fmt::format("an element of field ({}) has members that are not its struct's",
                                 row.of.name));
    }
  }
  for (const auto& [field, column] : row.members) {
    RETURN_IF_ERROR(AppendMember(elements, *field, *column));
  }
  return Status::Ok();
}

void WriteStructs(JsonWriter& json, const std::vector<service::OutputColumn>& columns,
                  const std::string& name, size_t row, bool int64_as_number) {
  std::vector<const service::OutputColumn*> members;
  for (const service::OutputColumn& column : columns) {
    if (column.struct_name == name) members.push_back(&column);
  }
  json.Key(name);
  if (members.front()->column.IsNull(row)) {
    json.Null();
    return;
  }
  size_t count = ElementsOf(*members.front(), row);
  for (const auto* member : members) count = std::min(count, ElementsOf(*member, row));
  json.BeginArray();
  for (size_t i = 0; i < count; ++i) {
    json.BeginObject();
    for (const auto* member : members) {
      json.Key(member->name);
      WriteElement(json, *member, row, i, int64_as_number);
    }
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace elanus::gateway
