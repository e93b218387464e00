#include "proxy/schema_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "model/geometry.h"
#include "model/timestamptz.h"
#include "proxy/limits.h"
#include "proxy/names.h"
#include "proxy/namespaces.h"
#include "proxy/struct_check.h"

namespace elanus::proxy {

namespace {

using model::CollectionSchema;
using model::DataType;
using model::FieldSchema;

std::optional<int64_t> Number(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status CheckDimension(const FieldSchema& field) {
  const std::string* text = model::FindValue(field.type_params, "dim");
  if (field.type == DataType::kSparseFloatVector) {
    if (text == nullptr) return Status::Ok();
    return InvalidParameter(
        fmt::format("dim should not be specified for sparse vector field {}", field.name));
  }
  if (text == nullptr) {
    return InvalidParameter(fmt::format(
        "dimension is not defined in field type params, check type param `dim` for vector field {}",
        field.name));
  }
  const auto dim = Number(*text);
  if (!dim.has_value()) {
    return InvalidParameter(fmt::format(
        "invalid dimension: {} of field {}. it should be an integer", *text, field.name));
  }
  if (field.type == DataType::kBinaryVector) {
    if (*dim % 8 != 0) {
      return InvalidParameter(
          fmt::format("invalid dimension: {} of field {}. binary vector dimension should be "
                      "multiple of 8.",
                      *dim, field.name));
    }
    if (*dim <= 0 || *dim > kDimensionMax * 8) {
      return InvalidParameter(
          fmt::format("invalid dimension: {} of field {}. binary vector dimension should be in "
                      "range {} ~ {}",
                      *dim, field.name, kDimensionMin, kDimensionMax * 8));
    }
    return Status::Ok();
  }
  if (*dim < kDimensionMin) {
    return InvalidParameter(fmt::format("invalid dimension: {}. should be in range {} ~ {}", *dim,
                                        kDimensionMin, kDimensionMax));
  }
  if (*dim > kDimensionMax) {
    return InvalidParameter(
        fmt::format("invalid dimension: {} of field {}. float vector dimension should be in range "
                    "{} ~ {}",
                    *dim, field.name, kDimensionMin, kDimensionMax));
  }
  return Status::Ok();
}

Status CheckMaxLength(const FieldSchema& field, const std::string& collection) {
  const std::string* text = model::FindValue(field.type_params, "max_length");
  if (text == nullptr) {
    return InvalidParameter(
        fmt::format("type param(max_length) should be specified for the field({}) of collection {}",
                    field.name, collection));
  }
  const auto length = Number(*text);
  if (!length.has_value() || *length <= 0 || *length > kVarCharLengthMax) {
    return InvalidParameter(
        fmt::format("the maximum length specified for the field({}) should be in (0, {}], but got "
                    "{} instead",
                    field.name, kVarCharLengthMax, *text));
  }
  return Status::Ok();
}

Status CheckCapacity(const FieldSchema& field, const std::string& collection) {
  const std::string* text = model::FindValue(field.type_params, "max_capacity");
  if (text == nullptr) {
    return InvalidParameter(fmt::format(
        "type param(max_capacity) should be specified for array field {} of collection {}",
        field.name, collection));
  }
  const auto capacity = Number(*text);
  if (!capacity.has_value()) {
    return InvalidParameter(
        fmt::format("the value for max_capacity of field {} must be an integer", field.name));
  }
  if (*capacity > 0 && *capacity <= kArrayCapacityMax) return Status::Ok();
  return InvalidParameter(fmt::format(
      "the maximum capacity specified for a Array should be in (0, {}]", kArrayCapacityMax));
}

Status CheckArray(const FieldSchema& field, const std::string& collection) {
  const model::TypeTraits& element = TraitsOf(field.element_type);
  if (field.element_type == DataType::kNone) {
    return InvalidParameter("element data type None is not valid");
  }
  if (!element.is_array_element) {
    const bool known = element.type != DataType::kNone;
    return InvalidParameter(fmt::format(
        "element type {} is not supported",
        known ? std::string(element.name) : std::to_string(static_cast<int>(field.element_type))));
  }
  if (field.element_type == DataType::kVarChar) RETURN_IF_ERROR(CheckMaxLength(field, collection));
  return CheckCapacity(field, collection);
}

std::string_view LiteralName(const model::Scalar& value) {
  switch (value.index()) {
    case 1: return "DataType_Bool";
    case 2: return "DataType_Int64";
    case 3: return "DataType_Double";
    case 4: return "DataType_VarChar";
    default: return "DataType_None";
  }
}

bool FitsInteger(DataType type, int64_t value) {
  switch (type) {
    case DataType::kInt8: return value >= -128 && value <= 127;
    case DataType::kInt16: return value >= -32'768 && value <= 32'767;
    case DataType::kInt32:
      return value >= std::numeric_limits<int32_t>::min() &&
             value <= std::numeric_limits<int32_t>::max();
    default: return true;
  }
}

/// Defaults of times and shapes come as text and are kept as rows keep them.
Status ReadDefault(FieldSchema& field, std::string_view time_zone) {
  const auto* text =
      field.default_value ? std::get_if<std::string>(&*field.default_value) : nullptr;
  if (text == nullptr) return Status::Ok();
  if (field.type == DataType::kTimestamptz) {
    ASSIGN_OR_RETURN(const int64_t micros, model::ParseTimestamptz(*text, time_zone));
    field.default_value = micros;
  } else if (field.type == DataType::kGeometry) {
    ASSIGN_OR_RETURN(std::string bytes, model::WkbFromWkt(*text));
    field.default_value = std::move(bytes);
  }
  return Status::Ok();
}

Status CheckDefault(FieldSchema& field, std::string_view time_zone) {
  if (!field.default_value.has_value()) return Status::Ok();
  const model::Scalar value = *field.default_value;
  if (field.is_primary) return InvalidParameter("primary field not support default_value");
  auto mismatch = [&] {
    return InvalidParameter(
        fmt::format("type ({}) of field ({}) is not equal to the type({}) of default_value",
                    DataTypeName(field.type), field.name, LiteralName(value)));
  };
  if (!TraitsOf(field.type).has_default) {
    return InvalidParameter(
        fmt::format("type not support default_value, type:{}", DataTypeName(field.type)));
  }
  if (field.type == DataType::kBool) {
    return std::holds_alternative<bool>(value) ? Status::Ok() : mismatch();
  }
  if (IsInteger(field.type)) {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr) return mismatch();
    if (FitsInteger(field.type, *number)) return Status::Ok();
    return InvalidParameter(fmt::format("default value {} of field ({}) is out of range of {}",
                                        *number, field.name, DataTypeName(field.type)));
  }
  if (IsFloating(field.type)) {
    const auto* number = std::get_if<double>(&value);
    if (number == nullptr) return mismatch();
    if (std::isfinite(*number)) return Status::Ok();
    return InvalidParameter(fmt::format("value '{}' is not a number or infinity", *number));
  }
  if (field.type == DataType::kVarChar) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return mismatch();
    if (static_cast<int64_t>(text->size()) <= field.max_length()) return Status::Ok();
    return InvalidParameter(fmt::format("the length ({}) of string exceeds max length ({})",
                                        text->size(), field.max_length()),
                            "valid length string", "string length exceeds max length");
  }
  return std::holds_alternative<std::string>(value) ? ReadDefault(field, time_zone) : mismatch();
}

/// Lists of vectors: only inside a struct array.
Status CheckVectorLists(const FieldSchema& field, const std::string& collection) {
  if (field.struct_name.empty()) {
    return InvalidParameter(
        fmt::format("data type {} of field {} is only supported in a struct array",
                    DataTypeName(field.type), field.name));
  }
  if (!IsVector(field.element_type) || field.element_type == DataType::kSparseFloatVector ||
      field.element_type == DataType::kArrayOfVector) {
    return InvalidParameter(
        fmt::format("Unsupported element type {} of ArrayOfVector field {}, only fixed dimension "
                    "vector types are supported",
                    DataTypeName(field.element_type), field.name));
  }
  FieldSchema element = field;
  element.type = field.element_type;
  RETURN_IF_ERROR(CheckDimension(element));
  return CheckCapacity(field, collection);
}

Status CheckType(const FieldSchema& field, const std::string& collection) {
  switch (field.type) {
    case DataType::kBool:
    case DataType::kInt8:
    case DataType::kInt16:
    case DataType::kInt32:
    case DataType::kInt64:
    case DataType::kFloat:
    case DataType::kDouble:
    case DataType::kJson:
    case DataType::kText:
    case DataType::kTimestamptz:
    case DataType::kGeometry: return Status::Ok();
    case DataType::kVarChar: return CheckMaxLength(field, collection);
    case DataType::kArray: return CheckArray(field, collection);
    case DataType::kArrayOfVector: return CheckVectorLists(field, collection);
    case DataType::kFloatVector:
    case DataType::kFloat16Vector:
    case DataType::kBFloat16Vector:
    case DataType::kInt8Vector:
    case DataType::kBinaryVector:
    case DataType::kSparseFloatVector: return CheckDimension(field);
    case DataType::kString:
      return InvalidParameter(
          "string data type not supported yet, please use VarChar type instead");
    case DataType::kNone:
      return InvalidParameter(fmt::format("data type of field {} is not valid", field.name));
    default: break;
  }
  return InvalidParameter(fmt::format("data type {} of field {} is not supported yet",
                                      DataTypeName(field.type), field.name));
}

Status CheckNullable(const FieldSchema& field) {
  if (!field.nullable) return Status::Ok();
  if (field.is_primary) return InvalidParameter("primary field not support null");
  if (field.is_partition_key) return InvalidParameter("partition key field not support nullable");
  return Status::Ok();
}

Status CheckField(FieldSchema& field, const std::string& collection, std::string_view time_zone) {
  RETURN_IF_ERROR(CheckFieldName(field.member_name()));
  // Of a struct's member users know the short name.
  FieldSchema named = field;
  named.name = field.member_name();
  RETURN_IF_ERROR(CheckType(named, collection));
  RETURN_IF_ERROR(CheckNullable(field));
  if (field.auto_id && !field.is_primary) {
    return InvalidParameter("only primary key could be with AutoID enabled");
  }
  if (field.is_function_output) {
    return InvalidParameter(
        fmt::format("functions are not supported yet: output field {}", field.name));
  }
  return CheckDefault(field, time_zone);
}

int64_t VectorFields(const std::vector<FieldSchema>& fields) {
  return std::ranges::count_if(fields,
                               [](const FieldSchema& field) { return IsVector(field.type); });
}

/// Room for a struct array beside what the schema has.
Status CheckAddedCounts(const CollectionSchema& schema, const std::vector<FieldSchema>& members) {
  const auto known =
      std::ranges::count_if(schema.fields, [](const FieldSchema& f) { return !f.is_dynamic; });
  const size_t fields = static_cast<size_t>(known) + schema.structs.size() + members.size() + 1;
  if (fields > static_cast<size_t>(kFieldsMax)) {
    return InvalidParameter(
        fmt::format("maximum field's number should be limited to {}", kFieldsMax));
  }
  if (VectorFields(schema.fields) + VectorFields(members) > kVectorFieldsMax) {
    return InvalidParameter(
        fmt::format("maximum vector field's number should be limited to {}", kVectorFieldsMax));
  }
  return Status::Ok();
}

std::string_view ZoneOf(const model::KeyValues& properties) {
  const std::string* zone = model::FindValue(properties, "timezone");
  return zone == nullptr ? std::string_view("UTC") : std::string_view(*zone);
}

Status CheckPrimaryKey(const CollectionSchema& schema) {
  const FieldSchema* primary = nullptr;
  for (const auto& field : schema.fields) {
    if (!field.is_primary) continue;
    if (primary != nullptr) {
      return InvalidParameter(fmt::format(
          "there are more than one primary key, field name = {}, {}", primary->name, field.name));
    }
    primary = &field;
  }
  if (primary == nullptr) return InvalidParameter("primary key is not specified");
  if (primary->type != DataType::kInt64 && primary->type != DataType::kVarChar) {
    return InvalidParameter("the data type of primary key should be Int64 or VarChar");
  }
  return Status::Ok();
}

Status CheckPartitionKey(const service::CreateCollection& request) {
  const FieldSchema* key = nullptr;
  for (const auto& field : request.schema.fields) {
    if (!field.is_partition_key) continue;
    if (key != nullptr) {
      return InvalidParameter(fmt::format(
          "there are more than one partition key, field name = {}, {}", key->name, field.name));
    }
    key = &field;
    if (field.is_primary) {
      return InvalidParameter(
          fmt::format("the partition key field must not be primary field: {}", field.name));
    }
    if (field.type != DataType::kInt64 && field.type != DataType::kVarChar) {
      return InvalidParameter("the data type of partition key should be Int64 or VarChar");
    }
  }
  if (key == nullptr && request.partitions_num > 0 && !ByHiddenKey(request)) {
    return InvalidParameter(
        "num_partitions should only be specified with partition key field enabled");
  }
  if (request.partitions_num < 0 || request.partitions_num > kPartitionKeyPartitionsMax) {
    return InvalidParameter(fmt::format("partition number ({}) exceeds max configuration ({})",
                                        request.partitions_num, kPartitionKeyPartitionsMax));
  }
  return Status::Ok();
}

Status CheckNotSystem(std::string_view name) {
  if (!IsSystemFieldName(name)) return Status::Ok();
  return InvalidParameter(fmt::format("not support to add system field, field name = {}", name));
}

Status CheckFieldCounts(const CollectionSchema& schema) {
  const auto fields = static_cast<int64_t>(schema.fields.size());
  if (fields > kFieldsMax) {
    return InvalidParameter(
        fmt::format("maximum field's number should be limited to {}", kFieldsMax));
  }
  const int64_t vectors = VectorFields(schema.fields);
  if (vectors > kVectorFieldsMax) {
    return InvalidParameter(
        fmt::format("maximum vector field's number should be limited to {}", kVectorFieldsMax));
  }
  if (vectors == 0) return InvalidParameter("schema does not contain vector field");
  std::set<std::string_view> names;
  for (const model::StructSchema& one : schema.structs) {
    if (!names.insert(one.name).second) {
      return InvalidParameter(fmt::format("duplicated field name {}", one.name));
    }
  }
  const FieldSchema* clustering = nullptr;
  for (const auto& field : schema.fields) {
    if (!names.insert(field.name).second) {
      return InvalidParameter(fmt::format("duplicated field name {}", field.name));
    }
    if (!field.is_clustering_key) continue;
    if (clustering != nullptr) {
      return InvalidParameter(
          fmt::format("there are more than one clustering key, field name = {}, {}",
                      clustering->name, field.name));
    }
    clustering = &field;
  }
  return Status::Ok();
}

}  // namespace

Status CheckCreateCollection(service::CreateCollection& request) {
  CollectionSchema& schema = request.schema;
  if (request.shards_num <= 0) request.shards_num = 1;
  if (request.shards_num > kShardsMax) {
    return InvalidParameter(
        fmt::format("maximum shards's number should be limited to {}", kShardsMax));
  }
  RETURN_IF_ERROR(CheckFieldCounts(schema));
  RETURN_IF_ERROR(CheckCollectionName(schema.name));
  RETURN_IF_ERROR(CheckPrimaryKey(schema));
  for (auto& field : schema.fields) {
    // Clients say it on the schema, on the field, or on both.
    if (field.is_primary && schema.auto_id) field.auto_id = true;
    if (field.is_primary && field.auto_id) schema.auto_id = true;
    RETURN_IF_ERROR(CheckField(field, schema.name, ZoneOf(request.properties)));
  }
  for (const model::StructSchema& one : schema.structs) {
    RETURN_IF_ERROR(CheckFieldName(one.name));
    RETURN_IF_ERROR(CheckStruct(one, schema.MembersOf(one.name)));
  }
  RETURN_IF_ERROR(CheckPartitionKey(request));
  return AddNamespaces(request);
}

Status CheckAddField(const CollectionSchema& schema, std::string_view time_zone,
                     FieldSchema& field) {
  const auto fields = std::ranges::count_if(
      schema.fields, [](const FieldSchema& known) { return !known.is_dynamic; });
  if (fields >= kFieldsMax) {
    return InvalidParameter(
        fmt::format("The number of fields has reached the maximum value {}", kFieldsMax));
  }
  RETURN_IF_ERROR(CheckNotSystem(field.name));
  if (field.is_primary) {
    return InvalidParameter(
        fmt::format("not support to add pk field, field name = {}", field.name));
  }
  if (field.auto_id) return InvalidParameter("only primary field can speficy AutoID with true");
  if (field.is_partition_key) {
    return InvalidParameter(
        fmt::format("not support to add partition key field, field name  = {}", field.name));
  }
  if (IsVector(field.type) && !field.nullable) {
    return InvalidParameter(
        fmt::format("Adding vector field to existing collection requires nullable=True, field name "
                    "= {}",
                    field.name));
  }
  if (!field.nullable) {
    return InvalidParameter(
        fmt::format("added field must be nullable, please check it, field name = {}", field.name));
  }
  if (field.is_clustering_key &&
      std::ranges::any_of(schema.fields, &FieldSchema::is_clustering_key)) {
    return InvalidParameter(
        fmt::format("already has another clustering key field, field name: {}", field.name));
  }
  if (IsVector(field.type) && VectorFields(schema.fields) >= kVectorFieldsMax) {
    return InvalidParameter(
        fmt::format("maximum vector field's number should be limited to {}", kVectorFieldsMax));
  }
  if (schema.FindField(field.name) != nullptr || schema.FindStruct(field.name) != nullptr) {
    return InvalidParameter(fmt::format("duplicated field name {}", field.name));
  }
  return CheckField(field, schema.name, time_zone);
}

Status CheckAddStructField(const CollectionSchema& schema, service::AddStructField& request) {
  const std::string& name = request.field.name;
  if (!request.field.nullable) {
    return InvalidParameter(fmt::format(
        "added struct field must be nullable, please check it, struct field name = {}", name));
  }
  RETURN_IF_ERROR(CheckFieldName(name));
  RETURN_IF_ERROR(CheckNotSystem(name));
  std::vector<const FieldSchema*> members;
  for (FieldSchema& member : request.members) {
    RETURN_IF_ERROR(CheckNotSystem(member.member_name()));
    members.push_back(&member);
  }
  RETURN_IF_ERROR(CheckStruct(request.field, members));
  for (FieldSchema& member : request.members) {
    RETURN_IF_ERROR(CheckField(member, schema.name, "UTC"));
  }
  if (schema.FindField(name) != nullptr || schema.FindStruct(name) != nullptr) {
    return InvalidParameter(fmt::format("duplicated field name {}", name));
  }
  std::set<std::string_view> names;
  for (const FieldSchema& member : request.members) {
    if (names.insert(member.name).second) continue;
    return InvalidParameter(fmt::format("duplicated field name {}", member.member_name()));
  }
  return CheckAddedCounts(schema, request.members);
}

}  // namespace elanus::proxy
