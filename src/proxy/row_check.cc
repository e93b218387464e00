#include "proxy/row_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "model/array_value.h"
#include "model/vector_values.h"
#include "proxy/finite.h"
#include "proxy/json.h"
#include "proxy/limits.h"
#include "proxy/struct_check.h"
#include "proxy/value_text.h"

namespace elanus::proxy {

namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;
using service::MutationKind;
using service::UserColumn;

/// The client's columns by name.
class Given {
 public:
  static Result<Given> Of(const model::CollectionSchema& schema, service::MutationCall& mutation) {
    Given given;
    for (UserColumn& column : mutation.columns) {
      if (column.is_dynamic || column.name == model::kDynamicFieldName) {
        column.name = model::kDynamicFieldName;
        if (schema.dynamic() == nullptr) {
          return Error(InvalidParameter(
              "without dynamic schema enabled, the field name cannot be set to $meta"));
        }
      }
      if (given.Find(column.name) != nullptr) {
        return Error(InvalidParameter(fmt::format("duplicated field {} found", column.name)));
      }
      given.columns_.push_back(&column);
    }
    return given;
  }

  UserColumn* Find(std::string_view name) const {
    for (UserColumn* column : columns_) {
      if (column->name == name) return column;
    }
    return nullptr;
  }
  size_t size() const { return columns_.size(); }

 private:
  std::vector<UserColumn*> columns_;
};

Status RowsMismatch(const FieldSchema& field, uint64_t given, uint64_t wanted) {
  return InvalidParameter(fmt::format("the num_rows ({}) of field ({}) is not equal to passed "
                                      "num_rows ({})",
                                      given, field.name, wanted),
                          std::to_string(wanted), std::to_string(given));
}

/// The text for a column of a field that takes no nulls and without any vector.
Status NoVectors(const FieldSchema& field) {
  std::string_view kind = "float";
  switch (field.type) {
    case DataType::kBinaryVector: kind = "binary"; break;
    case DataType::kFloat16Vector: kind = "float16"; break;
    case DataType::kBFloat16Vector: kind = "bfloat16"; break;
    case DataType::kInt8Vector: kind = "int8"; break;
    case DataType::kSparseFloatVector: kind = "sparse float"; break;
    default: break;
  }
  return InvalidParameter(
      fmt::format("{} vector field '{}' is illegal, array type mismatch", kind, field.name),
      fmt::format("need {} vector", kind), "got nil");
}

/// The text for a column whose bytes are no whole number of vectors.
Status NotWhole(const FieldSchema& field, size_t bytes, size_t width) {
  const int64_t dim = field.dim();
  switch (field.type) {
    case DataType::kBinaryVector:
      return InvalidParameter(
          fmt::format("the num({}) of all bits should divide the dim({})", bytes * 8, dim));
    case DataType::kFloat16Vector:
      return InvalidParameter(fmt::format(
          "the length({}) of float16 data should divide the row width({})", bytes, width));
    case DataType::kBFloat16Vector:
      return InvalidParameter(fmt::format(
          "the length({}) of bfloat data should divide the row width({})", bytes, width));
    case DataType::kInt8Vector:
      return InvalidParameter(
          fmt::format("the length({}) of int8 data should divide the dim({})", bytes, dim));
    default:
      return InvalidParameter(fmt::format("the length({}) of float data should divide the dim({})",
                                          bytes / sizeof(float), dim));
  }
}

Status CheckDense(const FieldSchema& field, uint64_t rows, Column& column) {
  const int64_t dim = field.dim();
  const size_t width = model::ValueBytes(field.type, dim);
  if (column.fixed.empty() && rows > 0) return NoVectors(field);
  if (column.fixed.size() % width != 0) return NotWhole(field, column.fixed.size(), width);
  if (column.dim != dim) {
    return InvalidParameter(
        fmt::format("the dim ({}) of field data({}) is not equal to schema dim "
                    "({})",
                    column.dim, field.name, dim));
  }
  column.rows = column.fixed.size() / width;
  if (column.rows != rows) return RowsMismatch(field, column.rows, rows);
  if (field.type == DataType::kFloatVector) return CheckFinite(column.Values<float>());
  if (field.type != DataType::kFloat16Vector && field.type != DataType::kBFloat16Vector)
    return Status::Ok();
  std::vector<float> values(rows * static_cast<uint64_t>(dim));
  model::DenseToFloats(field.type, column.fixed.data(), values.size(), values.data());
  return CheckFinite(std::span<const float>(values));
}

Status CheckCapacity(const FieldSchema& field, size_t row, size_t elements) {
  if (static_cast<int64_t>(elements) <= field.max_capacity()) return Status::Ok();
  return InvalidParameter(fmt::format("the length ({}) of {}th array exceeds max capacity ({})",
                                      elements, row, field.max_capacity()),
                          "valid length array", "array length exceeds max capacity");
}

/// Lists of vectors: each a whole number of them, no more than the field may have.
Status CheckVectorLists(const FieldSchema& field, uint64_t rows, const Column& column) {
  if (column.rows != rows) return RowsMismatch(field, column.rows, rows);
  const int64_t dim = field.dim();
  const size_t width = model::ValueBytes(field.element_type, dim);
  if (column.dim != dim && !column.bytes.empty()) {
    return InvalidParameter(
        fmt::format("the dim ({}) of field data({}) is not equal to schema dim ({})", column.dim,
                    field.name, dim));
  }
  FieldSchema element = field;
  element.type = field.element_type;
  for (size_t row = 0; row < rows; ++row) {
    const std::string_view list = column.StringAt(row);
    if (list.size() % width != 0) return NotWhole(element, list.size(), width);
    RETURN_IF_ERROR(CheckCapacity(field, row, list.size() / width));
  }
  if (!model::IsDenseVector(element.type) || element.type == DataType::kInt8Vector) {
    return Status::Ok();
  }
  std::vector<float> values(column.bytes.size() / width * static_cast<size_t>(dim));
  model::DenseToFloats(element.type, column.bytes.data(), values.size(), values.data());
  return CheckFinite(std::span<const float>(values));
}

Status CheckSparseRows(const FieldSchema& field, uint64_t rows, const Column& column) {
  if (column.rows == 0 && rows > 0) return NoVectors(field);
  if (column.rows != rows) return RowsMismatch(field, column.rows, rows);
  for (size_t row = 0; row < rows; ++row) {
    RETURN_IF_ERROR(model::CheckSparse(column.StringAt(row)));
  }
  return Status::Ok();
}

/// Clients may send floats for a field of half or brain floats.
void NarrowFloats(const FieldSchema& field, Column& column) {
  if (column.type != DataType::kFloatVector) return;
  if (field.type != DataType::kFloat16Vector && field.type != DataType::kBFloat16Vector) return;
  const auto floats = column.Values<float>();
  std::string narrow(floats.size() * sizeof(uint16_t), '\0');
  model::FloatsToDense(field.type, floats.data(), floats.size(), narrow.data());
  column.fixed = std::move(narrow);
  column.type = field.type;
}

Status CheckStrings(const FieldSchema& field, uint64_t max, const Column& column) {
  for (size_t row = 0; row < column.rows; ++row) {
    const uint64_t length = column.offsets[row + 1] - column.offsets[row];
    if (length > max) {
      return InvalidParameter(fmt::format(
          "length of {} field {} exceeds max length, row number: {}, length: {}, "
          "max length: {}",
          field.type == DataType::kText ? "text" : "varchar", field.name, row, length, max));
    }
  }
  return Status::Ok();
}

Status TypeMismatch(const FieldSchema& field, DataType wanted, DataType given) {
  return InvalidParameter(fmt::format("field {} is illegal, array type mismatch", field.name),
                          fmt::format("need {} array", DataTypeName(wanted)),
                          fmt::format("got {}", DataTypeName(given)));
}

/// An array's elements in the field's type: int32 as the wire carries all small integers is
/// narrowed.
Result<std::string> NarrowArray(const FieldSchema& field, const model::ArrayView& array) {
  const DataType type = field.element_type;
  const bool narrows = array.element_type() == DataType::kInt32 &&
                       (type == DataType::kInt8 || type == DataType::kInt16);
  if (array.size() != 0 && !narrows) {
    return Error(TypeMismatch(field, type, array.element_type()));
  }
  const int64_t high = type == DataType::kInt8 ? 127 : 32'767;
  model::ArrayBuilder narrow(type);
  for (size_t i = 0; i < array.size(); ++i) {
    int32_t value;
    std::memcpy(&value, array.At(i).data(), sizeof(value));
    if (value < -high - 1 || value > high) {
      return Error(InvalidParameter(
          fmt::format("the {}th element ({}) out of range: [{}, {}]", i, value, -high - 1, high),
          "integer doesn't overflow", "out of range"));
    }
    // Little endian: the low bytes come first.
    narrow.Append({reinterpret_cast<const char*>(&value), model::ValueBytes(type, 0)});
  }
  return narrow.Take();
}

Status CheckArray(const FieldSchema& field, size_t row, const model::ArrayView& array) {
  RETURN_IF_ERROR(CheckCapacity(field, row, array.size()));
  if (field.element_type != DataType::kVarChar) return Status::Ok();
  for (size_t i = 0; i < array.size(); ++i) {
    const size_t length = array.At(i).size();
    if (static_cast<int64_t>(length) <= field.max_length()) continue;
    return InvalidParameter(fmt::format(
        "length of {} array field \"{}\" exceeds max length, row number: {}, length: {}, "
        "max length: {}",
        DataTypeName(field.type), field.name, row, length, field.max_length()));
  }
  return Status::Ok();
}

Status CheckArrays(const FieldSchema& field, Column& column) {
  Column narrowed = model::MakeColumn(field.id, field.type);
  bool changed = false;
  for (size_t row = 0; row < column.rows; ++row) {
    if (column.IsNull(row)) {
      narrowed.AppendNull();
      continue;
    }
    const std::string_view bytes = column.StringAt(row);
    const auto array = model::ArrayView::Open(bytes);
    if (!array) return InvalidParameter(fmt::format("field {} holds no arrays", field.name));
    RETURN_IF_ERROR(CheckArray(field, row, *array));
    if (array->element_type() == field.element_type) {
      narrowed.AppendValue(bytes);
      continue;
    }
    ASSIGN_OR_RETURN(const std::string narrow, NarrowArray(field, *array));
    narrowed.AppendValue(narrow);
    changed = true;
  }
  if (changed) column = std::move(narrowed);
  return Status::Ok();
}

Status CheckJson(const FieldSchema& field, const Column& column) {
  JsonReader reader;
  for (size_t row = 0; row < column.rows; ++row) {
    if (column.IsNull(row)) continue;
    const std::string_view text = column.StringAt(row);
    if (text.size() > kJsonBytesMax) {
      return InvalidParameter(
          fmt::format("the length ({}) of {} field ({}) exceeds max length ({})", text.size(),
                      field.is_dynamic ? "dynamic" : "json", field.name, kJsonBytesMax));
    }
    if (field.is_dynamic) continue;  // parsed with its keys
    if (Status status = reader.Check(text); !status.ok()) {
      return status.Wrap(
          fmt::format("the {}th row of json field ({}) is not JSON", row, field.name));
    }
  }
  return Status::Ok();
}

Status CheckDynamic(const model::CollectionSchema& schema, const Column& column) {
  JsonReader reader;
  for (size_t row = 0; row < column.rows; ++row) {
    const std::string_view text = column.StringAt(row);
    if (text == "{}") continue;
    auto keys = reader.Keys(text);
    if (!keys.has_value()) {
      return InvalidParameter(
          fmt::format("invalid dynamic field data, only json map is supported: {}", text));
    }
    for (const std::string& key : *keys) {
      if (key == model::kDynamicFieldName) return InvalidParameter("cannot set json key to: $meta");
      if (schema.FindField(key) != nullptr) {
        return InvalidParameter(
            fmt::format("dynamic field name cannot include the static field name: {}", key));
      }
    }
  }
  return Status::Ok();
}

/// Puts the default where the client sent null; refuses null where there is none.
Status SettleNulls(const FieldSchema& field, uint64_t rows, Column& column) {
  if (column.valid.empty()) return Status::Ok();
  const auto present =
      static_cast<uint64_t>(std::ranges::count_if(column.valid, [](uint8_t v) { return v != 0; }));
  if (present == rows) {
    column.valid.clear();
    return Status::Ok();
  }
  if (field.default_value.has_value() || field.is_dynamic) {
    const std::string value = field.is_dynamic ? "{}" : DefaultBytes(field);
    Column filled = model::MakeColumn(field.id, field.type, field.dim());
    for (size_t row = 0; row < rows; ++row) {
      filled.AppendValue(column.IsNull(row) ? std::string_view(value) : column.ValueAt(row));
    }
    column = std::move(filled);
    return Status::Ok();
  }
  if (!field.nullable) {
    if (present == 0 && IsVector(field.type)) return NoVectors(field);
    return RowsMismatch(field, present, rows);
  }
  return Status::Ok();
}

Result<Column> AutoIdColumn(const FieldSchema& field, uint64_t rows, AutoIds& ids) {
  ASSIGN_OR_RETURN(int64_t id, ids.Take(static_cast<int64_t>(rows)));
  Column column = model::MakeColumn(field.id, field.type);
  for (uint64_t row = 0; row < rows; ++row, ++id) {
    if (field.type == DataType::kInt64) {
      column.Append(id);
    } else {
      column.AppendValue(std::to_string(id));
    }
  }
  return column;
}

bool AllowsGivenAutoId(const model::CollectionInfo& collection) {
  const std::string* value = model::FindValue(collection.properties, "allow_insert_auto_id");
  return value != nullptr && (*value == "true" || *value == "True");
}

Status CheckFieldSet(const model::CollectionInfo& collection, const Given& given,
                     MutationKind kind) {
  RETURN_IF_ERROR(CheckGivenMembers(
      collection.schema, [&](std::string_view name) { return given.Find(name) != nullptr; }));
  size_t known = 0;
  size_t wanted = 0;
  for (const FieldSchema& field : collection.schema.fields) {
    const bool is_given = given.Find(field.name) != nullptr;
    const bool generated = field.is_primary && field.auto_id && kind == MutationKind::kInsert;
    if (is_given && (!generated || AllowsGivenAutoId(collection))) ++known;
    if (!generated && !field.is_dynamic) ++wanted;
    const bool may_miss =
        generated || field.is_dynamic || field.nullable || field.default_value.has_value();
    if (is_given || may_miss) continue;
    if (field.is_primary && kind == MutationKind::kUpsert) {
      return InvalidParameter(
          fmt::format("must assign pk when upsert, primary field: {}", field.name));
    }
    return MissingField(field);
  }
  if (given.size() <= known) return Status::Ok();
  Status more = InvalidParameter("more fieldData has pass in", std::to_string(wanted),
                                 std::to_string(given.size()));
  const FieldSchema& primary = *collection.schema.primary();
  if (primary.auto_id && given.Find(primary.name) != nullptr) {
    // Milvus 2.6 says the first, 3.0 the second.
    return more.Wrap(
        "can not assign primary field data when auto id enabled and allow_insert_auto_id is "
        "false " +
        primary.name);
  }
  return more;
}

Result<Column> BuildColumn(const model::CollectionInfo& collection, const FieldSchema& field,
                           UserColumn* given, uint64_t rows) {
  if (given == nullptr) return FilledColumn(field, rows);
  RETURN_IF_ERROR(CheckElementType(field, *given));
  RETURN_IF_ERROR(CheckColumn(field, rows, TimeZoneOf(collection), given->column));
  if (field.is_dynamic) RETURN_IF_ERROR(CheckDynamic(collection.schema, given->column));
  return std::move(given->column);
}

}  // namespace

Status MissingField(const FieldSchema& field) {
  return InvalidParameter(
      fmt::format("fieldSchema({}) has no corresponding fieldData pass in", field.name));
}

std::string DefaultBytes(const FieldSchema& field) {
  auto raw = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  const model::Scalar& value = *field.default_value;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* boolean = std::get_if<bool>(&value)) return raw(static_cast<uint8_t>(*boolean));
  if (const auto* real = std::get_if<double>(&value)) {
    return field.type == DataType::kFloat ? raw(static_cast<float>(*real)) : raw(*real);
  }
  const int64_t number = std::get<int64_t>(value);
  switch (field.type) {
    case DataType::kInt8: return raw(static_cast<int8_t>(number));
    case DataType::kInt16: return raw(static_cast<int16_t>(number));
    case DataType::kInt32: return raw(static_cast<int32_t>(number));
    default: return raw(number);
  }
}

Column FilledColumn(const FieldSchema& field, uint64_t rows) {
  Column column = model::MakeColumn(field.id, field.type, field.dim());
  const bool has_value = field.is_dynamic || field.default_value.has_value();
  const std::string value = field.is_dynamic ? "{}" : has_value ? DefaultBytes(field) : "";
  for (uint64_t row = 0; row < rows; ++row) {
    if (has_value) {
      column.AppendValue(value);
    } else {
      column.AppendNull();
    }
  }
  return column;
}

Status CheckColumn(const FieldSchema& field, uint64_t rows, std::string_view time_zone,
                   Column& column) {
  column.field = field.id;
  NarrowFloats(field, column);
  const bool no_value =
      !column.valid.empty() && std::ranges::all_of(column.valid, std::logical_not<>());
  if (no_value) {
    // Clients mark a column that has no value at all with any type and dimension.
    std::vector<uint8_t> valid = std::move(column.valid);
    column = model::MakeColumn(field.id, field.type, field.dim());
    column.ResizeZero(valid.size());
    column.valid = std::move(valid);
  }
  RETURN_IF_ERROR(ReadText(field, time_zone, column));
  if (column.type != field.type) {
    return TypeMismatch(field, field.type, column.type);
  }
  if (field.type == DataType::kSparseFloatVector) {
    RETURN_IF_ERROR(CheckSparseRows(field, rows, column));
  } else if (field.type == DataType::kArrayOfVector) {
    RETURN_IF_ERROR(CheckVectorLists(field, rows, column));
  } else if (IsVector(field.type)) {
    RETURN_IF_ERROR(CheckDense(field, rows, column));
  } else if (column.rows != rows) {
    return RowsMismatch(field, column.rows, rows);
  }
  RETURN_IF_ERROR(SettleNulls(field, rows, column));
  switch (field.type) {
    case DataType::kFloat: return CheckFinite(column.Values<float>());
    case DataType::kDouble: return CheckFinite(column.Values<double>());
    case DataType::kVarChar:
      return CheckStrings(field, static_cast<uint64_t>(field.max_length()), column);
    case DataType::kText: return CheckStrings(field, kTextBytesMax, column);
    case DataType::kJson: return CheckJson(field, column);
    case DataType::kArray: return CheckArrays(field, column);
    default: return Status::Ok();
  }
}

Status CheckElementType(const FieldSchema& field, const UserColumn& given) {
  if (field.type != DataType::kArrayOfVector || given.element_type == DataType::kNone ||
      given.element_type == field.element_type) {
    return Status::Ok();
  }
  return TypeMismatch(field, field.element_type, given.element_type);
}

Status CheckNoRepeatedKeys(const model::PrimaryKeys& keys) {
  auto repeated = [](const auto& values) {
    std::unordered_set<typename std::decay_t<decltype(values)>::value_type> seen;
    seen.reserve(values.size());
    return std::ranges::any_of(values, [&](const auto& v) { return !seen.insert(v).second; });
  };
  if (keys.is_string ? repeated(keys.strings) : repeated(keys.ints)) {
    return InvalidParameter("duplicate primary keys are not allowed in the same batch");
  }
  return Status::Ok();
}

Result<CheckedRows> CheckRows(const model::CollectionInfo& collection,
                              service::MutationCall& mutation, AutoIds& ids) {
  if (mutation.num_rows <= 0) {
    return Error(InvalidParameter("num_rows should be greater than 0", "more than 0",
                                  std::to_string(mutation.num_rows)));
  }
  const auto rows = static_cast<uint64_t>(mutation.num_rows);
  ASSIGN_OR_RETURN(Given given, Given::Of(collection.schema, mutation));
  RETURN_IF_ERROR(CheckFieldSet(collection, given, mutation.kind));
  const bool upsert = mutation.kind == MutationKind::kUpsert;

  CheckedRows checked{.rows = {.rows = rows}};
  for (const FieldSchema& field : collection.schema.fields) {
    UserColumn* column = given.Find(field.name);
    if (field.is_primary && upsert) {
      RETURN_IF_ERROR(CheckColumn(field, rows, TimeZoneOf(collection), column->column));
      checked.deletes = model::PrimaryKeys::FromColumn(column->column);
      RETURN_IF_ERROR(CheckNoRepeatedKeys(checked.deletes));
    }
    // A full upsert of an auto id row gives it a new key, as in Milvus.
    if (field.is_primary && field.auto_id && (upsert || column == nullptr)) {
      ASSIGN_OR_RETURN(Column generated, AutoIdColumn(field, rows, ids));
      checked.rows.columns.push_back(std::move(generated));
    } else {
      ASSIGN_OR_RETURN(Column built, BuildColumn(collection, field, column, rows));
      checked.rows.columns.push_back(std::move(built));
    }
    if (field.is_primary)
      checked.keys = model::PrimaryKeys::FromColumn(checked.rows.columns.back());
  }
  RETURN_IF_ERROR(CheckStructRows(collection.schema, checked.rows));
  return checked;
}

}  // namespace elanus::proxy
