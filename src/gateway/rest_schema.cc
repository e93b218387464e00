#include "gateway/rest_schema.h"

#include <fmt/core.h>

#include <string>
#include <utility>

#include "gateway/column_wire.h"
#include "gateway/rest_rows.h"

namespace elanus::gateway {

using model::DataType;

Result<model::FieldSchema> FieldOf(const RestBody& in) {
  model::FieldSchema field{.name = in.Text("fieldName"), .description = in.Text("description")};
  const std::string type = in.Text("dataType");
  auto parsed = DataTypeFromName(type);
  if (!parsed) {
    return Error(InvalidParameter(fmt::format("data type {} is invalid(case sensitive).", type)));
  }
  field.type = *parsed;
  if (const std::string element = in.Text("elementDataType"); !element.empty()) {
    auto known = DataTypeFromName(element);
    if (!known) {
      return Error(InvalidParameter(
          fmt::format("element data type {} is invalid(case sensitive).", element)));
    }
    field.element_type = *known;
  }
  field.is_primary = in.Bool("isPrimary", false);
  field.is_partition_key = in.Bool("isPartitionKey", false);
  field.is_clustering_key = in.Bool("isClusteringKey", false);
  field.nullable = in.Bool("nullable", false);
  field.auto_id = in.Bool("autoID", false);
  field.type_params = in.Pairs("elementTypeParams");
  if (auto value = in.Find("defaultValue")) {
    int64_t number = 0;
    double real = 0;
    bool flag = false;
    std::string_view text;
    if (value->get(flag) == simdjson::SUCCESS) {
      field.default_value = flag;
    } else if (model::IsFloating(field.type) && value->get(real) == simdjson::SUCCESS) {
      field.default_value = real;
    } else if (value->get(number) == simdjson::SUCCESS) {
      field.default_value = number;
    } else if (value->get(text) == simdjson::SUCCESS) {
      field.default_value = std::string(text);
    }
  }
  RETURN_IF_ERROR(in.fault());
  return field;
}

Status StructOf(const RestBody& in, model::StructSchema& made,
                std::vector<model::FieldSchema>& members) {
  made = {.name = in.Text("fieldName"),
          .description = in.Text("description"),
          .nullable = in.Bool("nullable", false),
          .type_params = in.Pairs("typeParams")};
  const std::string* capacity = model::FindValue(made.type_params, "max_capacity");
  for (const RestBody& member : in.Objects("fields")) {
    ASSIGN_OR_RETURN(auto field, FieldOf(member));
    field.name = MemberFieldName(made.name, field.name);
    field.struct_name = made.name;
    field.nullable |= made.nullable;
    if (capacity != nullptr && model::FindValue(field.type_params, "max_capacity") == nullptr) {
      field.type_params.emplace_back("max_capacity", *capacity);
    }
    members.push_back(std::move(field));
  }
  return in.fault();
}

Result<model::CollectionSchema> SchemaOf(const RestBody& in) {
  if (!in.Objects("functions").empty()) {
    return Error(Code::kUnimplemented, "functions are not supported: service unimplemented");
  }
  model::CollectionSchema schema{.description = in.Text("description")};
  const bool auto_id = in.Bool("autoID", in.Bool("autoId", false));
  schema.enable_dynamic_field = in.Bool("enableDynamicField", false);
  for (const RestBody& field : in.Objects("fields")) {
    ASSIGN_OR_RETURN(auto parsed, FieldOf(field));
    if (parsed.is_primary) {
      parsed.auto_id |= auto_id;
      schema.auto_id = parsed.auto_id;
    }
    schema.fields.push_back(std::move(parsed));
  }
  for (const RestBody& one : in.Objects("structFields")) {
    RETURN_IF_ERROR(StructOf(one, schema.structs.emplace_back(), schema.fields));
  }
  RETURN_IF_ERROR(in.fault());
  return schema;
}

Result<model::CollectionSchema> QuickSchemaOf(const RestBody& in) {
  const RestBody params = in.Object("params");
  if (!in.Has("dimension")) {
    return Error(InvalidParameter(
        "dimension is required for quickly create collection(default metric type: COSINE)",
        "collectionName & dimension", "collectionName"));
  }
  const std::string id_type = in.Text("idType", "Int64");
  model::FieldSchema key{.name = in.Text("primaryFieldName", "id")};
  if (id_type == "Int64" || id_type == "int64") {
    key.type = DataType::kInt64;
  } else if (id_type == "VarChar" || id_type == "Varchar") {
    key.type = DataType::kVarChar;
    const auto pairs = in.Pairs("params");
    if (const std::string* length = model::FindValue(pairs, "max_length"); length != nullptr) {
      key.type_params = {{"max_length", *length}};
    }
  } else {
    return Error(InvalidParameter("idType can only be [Int64, VarChar], default: Int64",
                                  "Int64 or VarChar", id_type));
  }
  key.is_primary = true;
  key.auto_id = in.Bool("autoID", in.Bool("autoId", false));
  model::FieldSchema vector{.name = in.Text("vectorFieldName", "vector"),
                            .type = DataType::kFloatVector};
  const std::string vector_type = in.Text("vectorFieldType", "FloatVector");
  if (auto type = DataTypeFromName(vector_type); type && model::IsVector(*type)) {
    vector.type = *type;
  } else {
    return Error(
        InvalidParameter(fmt::format("data type {} is invalid(case sensitive).", vector_type)));
  }
  vector.type_params = {{"dim", std::to_string(in.Int("dimension", 0))}};
  model::CollectionSchema schema{.description = in.Text("description"), .auto_id = key.auto_id};
  schema.enable_dynamic_field =
      params.Bool("enableDynamicField", in.Bool("enableDynamicField", true));
  RETURN_IF_ERROR(in.fault());
  RETURN_IF_ERROR(params.fault());
  schema.fields = {std::move(key), std::move(vector)};
  return schema;
}

void WritePairs(JsonWriter& json, const model::KeyValues& pairs) {
  json.BeginArray();
  for (const auto& [key, value] : pairs) {
    json.BeginObject().Key("key").Text(key).Key("value").Text(value).EndObject();
  }
  json.EndArray();
}

void WriteField(JsonWriter& json, const model::FieldSchema& field, bool int64_as_number) {
  json.BeginObject();
  json.Key("name").Text(field.member_name()).Key("id").Int64(field.id.value, int64_as_number);
  json.Key("type").Text(model::DataTypeName(field.type));
  json.Key("primaryKey").Bool(field.is_primary).Key("partitionKey").Bool(field.is_partition_key);
  json.Key("clusteringKey").Bool(field.is_clustering_key).Key("autoId").Bool(field.auto_id);
  json.Key("description").Text(field.description).Key("nullable").Bool(field.nullable);
  if (field.element_type != DataType::kNone) {
    json.Key("elementType").Text(model::DataTypeName(field.element_type));
  }
  if (!field.type_params.empty()) WritePairs(json.Key("params"), field.type_params);
  json.EndObject();
}

void WriteStruct(JsonWriter& json, const model::StructSchema& one,
                 const model::CollectionSchema& schema, bool int64_as_number) {
  json.BeginObject().Key("name").Text(one.name).Key("id").Int64(one.id.value, int64_as_number);
  json.Key("description").Text(one.description).Key("nullable").Bool(one.nullable);
  if (!one.type_params.empty()) WritePairs(json.Key("params"), one.type_params);
  json.Key("fields").BeginArray();
  for (const model::FieldSchema* member : schema.MembersOf(one.name)) {
    WriteField(json, *member, int64_as_number);
  }
  json.EndArray().EndObject();
}

}  // namespace elanus::gateway
