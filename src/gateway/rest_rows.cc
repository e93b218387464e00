#include "gateway/rest_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "gateway/rest_call.h"
#include "gateway/rest_values.h"
#include "model/array_value.h"

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;
using model::DataType;

// The columns of one batch while its rows are read.
struct Builder {
  std::vector<service::UserColumn> columns;  ///< as schema.fields
  std::unordered_map<std::string_view, size_t> by_name;
  size_t dynamic = SIZE_MAX;

  explicit Builder(const model::CollectionSchema& schema) {
    for (const model::FieldSchema& field : schema.fields) {
      if (field.is_dynamic) {
        dynamic = columns.size();
      } else {
        by_name.emplace(field.name, columns.size());
      }
      columns.push_back({.name = field.name,
                         .is_dynamic = field.is_dynamic,
                         .column = model::MakeColumn(FieldId{}, TypeInJson(field), field.dim())});
    }
  }

  Status AddRow(dom::object row, const model::CollectionSchema& schema, size_t index) {
    JsonWriter extra;
    extra.BeginObject();
    for (auto [key, value] : row) {
      auto it = by_name.find(key);
      if (schema.FindStruct(key) != nullptr) {
        return BadRows(fmt::format("struct array field ({}) is not supported here", key));
      }
      if (it != by_name.end()) {
        model::Column& column = columns[it->second].column;
        // Fewer: an auto id that earlier rows left out. More: the key stands twice in this row.
        if (column.rows != index) {
          return BadRows(fmt::format("field ({}) is given in some rows only or twice", key));
        }
        RETURN_IF_ERROR(AppendJson(value, schema.fields[it->second], column));
      } else if (dynamic == SIZE_MAX || key == model::kDynamicFieldName) {
        return BadRows(
            fmt::format("{} is no field of the collection, and it has no dynamic field", key));
      } else {
        extra.Key(key).Raw(simdjson::minify(value));
      }
    }
    extra.EndObject();
    return FillMissing(schema, index, extra.Take());
  }

  Status FillMissing(const model::CollectionSchema& schema, size_t index, std::string extra) {
    for (size_t i = 0; i < columns.size(); ++i) {
      model::Column& column = columns[i].column;
      const model::FieldSchema& field = schema.fields[i];
      if (i == dynamic) {
        column.AppendValue(extra);
      } else if (column.rows == index) {
        if (field.auto_id) continue;
        if (!field.nullable && !field.default_value) {
          return BadRows(fmt::format("the value (nil) of field ({}) is missing", field.name));
        }
        column.AppendNull();
      }
    }
    return Status::Ok();
  }
};

/// The inside of a JSON object's text.
std::string_view MembersOf(std::string_view object) {
  const size_t begin = object.find('{');
  const size_t end = object.rfind('}');
  if (begin == std::string_view::npos || end == std::string_view::npos || end <= begin) return {};
  object = object.substr(begin + 1, end - begin - 1);
  const size_t first = object.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : object.substr(first);
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

/// A struct array's row: a list of objects, from the members among the columns.
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

}  // namespace

Result<std::vector<service::UserColumn>> ColumnsOfRows(dom::array rows,
                                                       const model::CollectionSchema& schema) {
  Builder builder(schema);
  size_t index = 0;
  for (dom::element row : rows) {
    dom::object object;
    if (row.get(object) != simdjson::SUCCESS) return Error(BadRows("a row is no object"));
    RETURN_IF_ERROR(builder.AddRow(object, schema, index));
    ++index;
  }
  std::vector<service::UserColumn> columns;
  for (service::UserColumn& user : builder.columns) {
    // An auto id that no row gave.
    if (user.column.rows == 0 && index != 0) continue;
    if (user.column.rows != index) {
      return Error(BadRows(fmt::format("field ({}) is given in some rows only", user.name)));
    }
    user.valid_given = !user.column.valid.empty();
    columns.push_back(std::move(user));
  }
  return columns;
}

Result<QueryVectors> VectorsOf(dom::element data) {
  auto fault = [](std::string_view reason) {
    return Error(Status(kRestBadJson,
                        fmt::format("can only accept json format request, error: {}", reason)));
  };
  dom::array queries;
  if (data.get(queries) != simdjson::SUCCESS) return fault("data is no list of vectors");
  QueryVectors vectors;
  size_t first = 0;
  for (dom::element query : queries) {
    dom::array numbers;
    if (query.get(numbers) != simdjson::SUCCESS) return fault("data is no list of vectors");
    const size_t before = vectors.bytes.size();
    for (dom::element item : numbers) {
      double number = 0;
      if (item.get(number) != simdjson::SUCCESS) return fault("a vector is no list of numbers");
      const auto narrow = static_cast<float>(number);
      vectors.bytes.append(reinterpret_cast<const char*>(&narrow), sizeof(narrow));
    }
    const size_t size = vectors.bytes.size() - before;
    if (vectors.count == 0) first = size;
    if (size != first) return fault("the vectors differ in dimension");
    ++vectors.count;
  }
  return vectors;
}

void WriteRowMembers(JsonWriter& json, const std::vector<service::OutputColumn>& columns,
                     size_t row, bool int64_as_number, std::string_view skip) {
  for (const service::OutputColumn& output : columns) {
    if (!output.struct_name.empty()) {
      auto first =
          std::ranges::find(columns, output.struct_name, &service::OutputColumn::struct_name);
      if (&*first == &output) WriteStructs(json, columns, output.struct_name, row, int64_as_number);
      continue;
    }
    if (output.name == skip) continue;
    if (output.is_dynamic) {
      if (!output.column.IsNull(row)) json.RawMembers(MembersOf(output.column.StringAt(row)));
      continue;
    }
    json.Key(output.name);
    WriteValue(json, output.column, row, int64_as_number);
  }
}

std::optional<model::DataType> DataTypeFromName(std::string_view name) {
  for (int type = 1; type <= 200; ++type) {
    const auto candidate = static_cast<DataType>(type);
    if (name != "Unknown" && model::DataTypeName(candidate) == name) return candidate;
  }
  return std::nullopt;
}

}  // namespace elanus::gateway
