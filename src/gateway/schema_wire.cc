#include "gateway/schema_wire.h"

#include <fmt/core.h>

#include <utility>

#include "gateway/column_wire.h"
#include "gateway/description.h"
#include "gateway/json_text.h"
#include "model/geometry.h"
#include "model/timestamptz.h"

namespace elanus::gateway {
namespace {

namespace pb = milvus::proto;
using model::DataType;

model::Scalar ScalarFromPb(const pb::schema::ValueField& value) {
  using V = pb::schema::ValueField;
  switch (value.data_case()) {
    case V::kBoolData: return value.bool_data();
    case V::kIntData: return int64_t{value.int_data()};
    case V::kLongData: return int64_t{value.long_data()};
    case V::kFloatData: return double{value.float_data()};
    case V::kDoubleData: return value.double_data();
    case V::kStringData: return value.string_data();
    case V::kBytesData: return value.bytes_data();
    case V::kTimestamptzData: return int64_t{value.timestamptz_data()};
    default: return std::monostate{};
  }
}

void ScalarToPb(const model::Scalar& value, DataType type, pb::schema::ValueField& out) {
  if (const bool* b = std::get_if<bool>(&value)) {
    out.set_bool_data(*b);
  } else if (const int64_t* n = std::get_if<int64_t>(&value)) {
    if (type == DataType::kInt64) {
      out.set_long_data(*n);
    } else if (type == DataType::kTimestamptz) {
      out.set_string_data(model::FormatTimestamptz(*n, "UTC"));
    } else {
      out.set_int_data(static_cast<int32_t>(*n));
    }
  } else if (const double* d = std::get_if<double>(&value)) {
    if (type == DataType::kFloat) {
      out.set_float_data(static_cast<float>(*d));
    } else {
      out.set_double_data(*d);
    }
  } else if (const std::string* s = std::get_if<std::string>(&value)) {
    out.set_string_data(type == DataType::kGeometry ? model::WktFromWkb(*s).value_or("") : *s);
  }
}

/// Milvus takes a number only in the form that the field's own values have: a client that says 1
/// where the field is Int8 and writes it as an Int64 is refused.
Status CheckNumberForm(const pb::schema::FieldSchema& in) {
  using V = pb::schema::ValueField;
  const auto type = static_cast<DataType>(in.data_type());
  std::string_view sent;
  switch (in.default_value().data_case()) {
    case V::kIntData:
      if (type == DataType::kInt64) sent = "DataType_Int";
      break;
    case V::kLongData:
      if (IsInteger(type) && type != DataType::kInt64) sent = "DataType_Int64";
      break;
    case V::kFloatData:
      if (type == DataType::kDouble) sent = "DataType_Float";
      break;
    case V::kDoubleData:
      if (type == DataType::kFloat) sent = "DataType_Double";
      break;
    default: break;
  }
  if (sent.empty()) return Status::Ok();
  return InvalidParameter(
      fmt::format("type ({}) of field ({}) is not equal to the type({}) of default_value",
                  DataTypeName(type), in.name(), sent));
}

void FieldToPb(const model::FieldSchema& field, pb::schema::FieldSchema& out) {
  out.set_fieldid(field.id.value);
  out.set_name(field.name);
  out.set_description(field.description);
  out.set_data_type(static_cast<pb::schema::DataType>(field.type));
  out.set_element_type(static_cast<pb::schema::DataType>(field.element_type));
  out.set_is_primary_key(field.is_primary);
  out.set_autoid(field.auto_id);
  out.set_nullable(field.nullable);
  out.set_is_dynamic(field.is_dynamic);
  out.set_is_partition_key(field.is_partition_key);
  out.set_is_clustering_key(field.is_clustering_key);
  out.set_is_function_output(field.is_function_output);
  out.set_state(pb::schema::FieldState::FieldCreated);
  if (field.default_value) {
    ScalarToPb(*field.default_value, field.type, *out.mutable_default_value());
  }
  PairsToPb(field.type_params, *out.mutable_type_params());
  PairsToPb(field.index_params, *out.mutable_index_params());
}

Status NotSupported(std::string_view what) {
  return {Code::kUnimplemented, fmt::format("{} not supported: service unimplemented", what)};
}

}  // namespace

model::KeyValues PairsFromPb(const PbPairs& pairs) {
  model::KeyValues out;
  out.reserve(static_cast<size_t>(pairs.size()));
  for (const auto& pair : pairs) out.emplace_back(pair.key(), pair.value());
  return out;
}

Result<model::KeyValues> IndexParamsFromPb(const PbPairs& pairs) {
  model::KeyValues params;
  for (const auto& pair : pairs) {
    if (pair.value().empty()) continue;
    if (pair.key() == "params") {
      RETURN_IF_ERROR(FlattenJsonObject(pair.value(), params));
    } else {
      params.emplace_back(pair.key(), pair.value());
    }
  }
  return params;
}

void PairsToPb(const model::KeyValues& pairs, PbPairs& out) {
  for (const auto& [key, value] : pairs) {
    auto& pair = *out.Add();
    pair.set_key(key);
    pair.set_value(value);
  }
}

Status StructFromPb(const pb::schema::StructArrayFieldSchema& in, model::StructSchema& made,
                    std::vector<model::FieldSchema>& members) {
  made = {.name = in.name(),
          .description = in.description(),
          .nullable = in.nullable(),
          .type_params = PairsFromPb(in.type_params())};
  for (const auto& member : in.fields()) {
    ASSIGN_OR_RETURN(auto field, FieldFromPb(member));
    field.name = MemberFieldName(in.name(), field.name);
    field.struct_name = in.name();
    // Said of the whole: pymilvus repeats it on the members, other clients need not.
    field.nullable |= in.nullable();
    members.push_back(std::move(field));
  }
  return Status::Ok();
}

Result<model::CollectionSchema> SchemaFromBytes(const std::string& bytes, bool* namespaces) {
  pb::schema::CollectionSchema in;
  if (!in.ParseFromString(bytes)) {
    return Error(InvalidParameter("the schema is not a readable CollectionSchema"));
  }
  if (in.functions_size() != 0) return Error(NotSupported("functions in a schema are"));
  if (!in.external_source().empty()) return Error(NotSupported("external collections are"));
  if (namespaces != nullptr) *namespaces = in.enable_namespace();
  model::CollectionSchema schema;
  schema.name = in.name();
  schema.description = in.description();
  schema.enable_dynamic_field = in.enable_dynamic_field();
  for (const auto& field : in.fields()) {
    // A client that spells out `$meta` means the dynamic field, which the coordinator adds.
    if (field.is_dynamic()) {
      schema.enable_dynamic_field = true;
      continue;
    }
    ASSIGN_OR_RETURN(auto read, FieldFromPb(field));
    schema.fields.push_back(std::move(read));
    schema.auto_id |= field.is_primary_key() && field.autoid();
  }
  for (const auto& given : in.struct_array_fields()) {
    RETURN_IF_ERROR(StructFromPb(given, schema.structs.emplace_back(), schema.fields));
  }
  // Older clients say it of the schema alone.
  if (in.autoid()) {
    schema.auto_id = true;
    for (auto& field : schema.fields) field.auto_id |= field.is_primary;
  }
  return schema;
}

Result<model::FieldSchema> FieldFromPb(const pb::schema::FieldSchema& in) {
  RETURN_IF_ERROR(CheckNumberForm(in));
  model::FieldSchema field;
  field.name = in.name();
  field.description = in.description();
  field.type = static_cast<DataType>(in.data_type());
  field.element_type = static_cast<DataType>(in.element_type());
  field.is_primary = in.is_primary_key();
  field.auto_id = in.autoid();
  field.nullable = in.nullable();
  field.is_dynamic = in.is_dynamic();
  field.is_partition_key = in.is_partition_key();
  field.is_clustering_key = in.is_clustering_key();
  field.is_function_output = in.is_function_output();
  if (in.has_default_value()) field.default_value = ScalarFromPb(in.default_value());
  field.type_params = PairsFromPb(in.type_params());
  field.index_params = PairsFromPb(in.index_params());
  return field;
}

Result<model::FieldSchema> FieldFromBytes(const std::string& bytes) {
  pb::schema::FieldSchema in;
  if (!in.ParseFromString(bytes)) {
    return Error(InvalidParameter("the schema is not a readable FieldSchema"));
  }
  return FieldFromPb(in);
}

void SchemaToPb(const model::CollectionSchema& schema, pb::schema::CollectionSchema& out) {
  out.set_name(schema.name);
  out.set_description(schema.description);
  out.set_autoid(schema.auto_id);
  out.set_enable_dynamic_field(schema.enable_dynamic_field);
  // Milvus counts from 0.
  out.set_version(static_cast<int32_t>(schema.version - 1));
  for (const auto& field : schema.fields) {
    if (IsShown(field)) FieldToPb(field, *out.add_fields());
  }
  for (const auto& one : schema.structs) {
    auto& made = *out.add_struct_array_fields();
    made.set_fieldid(one.id.value);
    made.set_name(one.name);
    made.set_description(one.description);
    made.set_nullable(one.nullable);
    PairsToPb(one.type_params, *made.mutable_type_params());
    for (const model::FieldSchema* member : schema.MembersOf(one.name)) {
      FieldToPb(*member, *made.add_fields());
      made.mutable_fields(made.fields_size() - 1)->set_name(std::string(member->member_name()));
    }
  }
}

}  // namespace elanus::gateway
