#include "gateway/rest_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "gateway/rest_call.h"
#include "gateway/rest_structs.h"
#include "gateway/rest_values.h"

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;
using model::DataType;

// The columns of one batch while its rows are read.
struct Builder {
  std::vector<service::UserColumn> columns;  ///< as schema.fields
  std::unordered_map<std::string_view, size_t> by_name;
  size_t dynamic = SIZE_MAX;

  bool partial;  ///< fields that no row gives are left out

  Builder(const model::CollectionSchema& schema, RowForm form)
      : partial(form == RowForm::kPartial) {
    for (const model::FieldSchema& field : schema.fields) {
      if (field.is_dynamic) {
        dynamic = columns.size();
      } else if (field.struct_name.empty()) {
        by_name.emplace(field.name, columns.size());
      }
      columns.push_back({.name = field.name,
                         .is_dynamic = field.is_dynamic,
                         .element_type = field.element_type,
                         .column = model::MakeColumn(FieldId{}, TypeInJson(field), field.dim())});
    }
  }

  Status AddRow(dom::object row, const model::CollectionSchema& schema, size_t index) {
    JsonWriter extra;
    extra.BeginObject();
    for (auto [key, value] : row) {
      auto it = by_name.find(key);
      if (const model::StructSchema* one = schema.FindStruct(key); one != nullptr) {
        RETURN_IF_ERROR(AddStructs(value, *one, schema, index));
      } else if (it != by_name.end()) {
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

  /// A row's list of objects, into the columns of the members.
  Status AddStructs(dom::element value, const model::StructSchema& one,
                    const model::CollectionSchema& schema, size_t index) {
    StructRow row{.of = one};
    for (size_t i = 0; i < columns.size(); ++i) {
      if (schema.fields[i].struct_name != one.name) continue;
      if (columns[i].column.rows != index) {
        return BadRows(fmt::format("field ({}) is given in some rows only or twice", one.name));
      }
      row.members.push_back({&schema.fields[i], &columns[i].column});
    }
    return AppendStructs(value, row);
  }

  Status FillMissing(const model::CollectionSchema& schema, size_t index, std::string extra) {
    for (size_t i = 0; i < columns.size(); ++i) {
      model::Column& column = columns[i].column;
      const model::FieldSchema& field = schema.fields[i];
      if (i == dynamic) {
        column.AppendValue(extra);
      } else if (column.rows == index) {
        if (field.auto_id || partial) continue;
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

}  // namespace

Result<std::vector<service::UserColumn>> ColumnsOfRows(dom::array rows,
                                                       const model::CollectionSchema& schema,
                                                       RowForm form) {
  Builder builder(schema, form);
  size_t index = 0;
  for (dom::element row : rows) {
    dom::object object;
    if (row.get(object) != simdjson::SUCCESS) return Error(BadRows("a row is no object"));
    RETURN_IF_ERROR(builder.AddRow(object, schema, index));
    ++index;
  }
  std::vector<service::UserColumn> columns;
  for (service::UserColumn& user : builder.columns) {
    // An auto id, or a field of a partial update, that no row gave.
    if (user.column.rows == 0 && index != 0) continue;
    if (user.column.rows != index) {
      return Error(BadRows(fmt::format("field ({}) is given in some rows only", user.name)));
    }
    user.valid_given = !user.column.valid.empty();
    columns.push_back(std::move(user));
  }
  return columns;
}

namespace {

std::unexpected<Status> BadVectors(std::string_view reason) {
  return Error(
      Status(kRestBadJson, fmt::format("can only accept json format request, error: {}", reason)));
}

/// Adds the numbers of one vector. \return their bytes
Result<size_t> AddVector(dom::array numbers, QueryVectors& vectors) {
  const size_t before = vectors.bytes.size();
  for (dom::element item : numbers) {
    double number = 0;
    if (item.get(number) != simdjson::SUCCESS) return BadVectors("a vector is no list of numbers");
    const auto narrow = static_cast<float>(number);
    vectors.bytes.append(reinterpret_cast<const char*>(&narrow), sizeof(narrow));
  }
  return vectors.bytes.size() - before;
}

/// Adds the vectors of one query, which is a list of them, and notes where they end.
Status AddList(dom::array list, QueryVectors& vectors) {
  size_t first = 0;
  bool begun = false;
  for (dom::element item : list) {
    dom::array numbers;
    if (item.get(numbers) != simdjson::SUCCESS) {
      return BadVectors("a list of vectors holds something else").error();
    }
    ASSIGN_OR_RETURN(const size_t size, AddVector(numbers, vectors));
    if (!begun) first = size;
    begun = true;
    if (size != first) return BadVectors("the vectors differ in dimension").error();
  }
  vectors.list_ends.push_back(vectors.bytes.size());
  return Status::Ok();
}

}  // namespace

Result<QueryVectors> VectorsOf(dom::element data) {
  dom::array queries;
  if (data.get(queries) != simdjson::SUCCESS) return BadVectors("data is no list of vectors");
  QueryVectors vectors;
  size_t first = 0;
  for (dom::element query : queries) {
    dom::array items;
    if (query.get(items) != simdjson::SUCCESS) return BadVectors("data is no list of vectors");
    const bool list = items.size() != 0 && items.at(0).is_array();
    if (vectors.count != 0 && list != !vectors.list_ends.empty()) {
      return BadVectors("data mixes vectors and lists of vectors");
    }
    if (list) {
      if (vectors.count == 0) vectors.list_ends.push_back(0);
      RETURN_IF_ERROR(AddList(items, vectors));
    } else {
      ASSIGN_OR_RETURN(const size_t size, AddVector(items, vectors));
      if (vectors.count == 0) first = size;
      if (size != first) return BadVectors("the vectors differ in dimension");
    }
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
