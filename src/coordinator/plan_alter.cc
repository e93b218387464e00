// DDL that changes a collection's properties and fields. See plan.h.
#include <fmt/core.h>

#include <algorithm>

#include "coordinator/plan.h"
#include "coordinator/properties.h"
#include "model/load_fields.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

FieldId NextFieldId(const model::CollectionSchema& schema) {
  int64_t last = model::kFirstUserField.value - 1;
  for (const auto& f : schema.fields) last = std::max(last, f.id.value);
  for (const auto& s : schema.structs) last = std::max(last, s.id.value);
  return FieldId{last + 1};
}

void AppendField(model::CollectionSchema& schema, model::FieldSchema field) {
  field.id = NextFieldId(schema);
  auto at = std::ranges::find_if(schema.fields, &model::FieldSchema::is_dynamic);
  schema.fields.insert(at, std::move(field));
  ++schema.version;
}

/// A vector field that comes while the collection is loaded is searched after the next load.
void KeepFromSearches(model::CollectionInfo& info, std::string_view name) {
  const model::FieldSchema& field = *info.schema.FindField(name);
  if (info.loaded && IsVector(field.type) && LoadedWhole(info))
    info.load_fields.push_back({-field.id.value});
}

}  // namespace

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterCollection& request) {
  if (request.properties.empty() && request.delete_keys.empty()) {
    return Error(InvalidParameter("no properties or delete keys provided"));
  }
  if (!request.properties.empty() && !request.delete_keys.empty()) {
    return Error(InvalidParameter("can not provide properties and delete keys at the same time"));
  }
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  RETURN_IF_ERROR(CheckAlterCollection(*old, request));
  model::CollectionInfo info = *old;
  model::KeyValues changes = request.properties;
  std::erase_if(changes, [&](const model::KeyValue& pair) {
    if (pair.first == "collection.description") {
      info.schema.description = pair.second;
      return true;
    }
    return false;
  });
  const std::string* dynamic = model::FindValue(changes, kDynamicKey);
  if (dynamic != nullptr && IsTrue(*dynamic) && !info.schema.enable_dynamic_field) {
    info.schema.enable_dynamic_field = true;
    // Old rows have no dynamic keys: they read as `{}`.
    AppendField(info.schema, {.name = std::string(model::kDynamicFieldName),
                              .description = "dynamic schema",
                              .type = model::DataType::kJson,
                              .nullable = true,
                              .is_dynamic = true,
                              .default_value = model::Scalar(std::string("{}"))});
  }
  info.properties = MergeProperties(info.properties, changes, request.delete_keys);
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  const model::FieldSchema* known = old->schema.FindField(request.field);
  if (known == nullptr) {
    return Error(InvalidParameter(fmt::format("field {} does not exist in collection {}",
                                              request.field, request.collection)));
  }
  for (const auto& property : request.properties) {
    RETURN_IF_ERROR(CheckFieldProperty(*old, *known, property));
  }
  for (const auto& key : request.delete_keys) RETURN_IF_ERROR(CheckFieldDeleteKey(key));
  model::CollectionInfo info = *old;
  for (auto& field : info.schema.fields) {
    if (field.id != known->id) continue;
    model::KeyValues changes = request.properties;
    std::erase_if(changes, [&](const model::KeyValue& pair) {
      if (pair.first == "field.description") {
        field.description = pair.second;
        return true;
      }
      return false;
    });
    field.type_params = MergeProperties(field.type_params, changes, request.delete_keys);
  }
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AddField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  if (old->schema.FindField(request.field.name) != nullptr) {
    return Error(InvalidParameter(fmt::format("duplicated field name {}", request.field.name)));
  }
  RETURN_IF_ERROR(CheckWarmup(request.field.type_params));
  model::CollectionInfo info = *old;
  AppendField(info.schema, request.field);
  KeepFromSearches(info, request.field.name);
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AddStructField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  const std::string& name = request.field.name;
  if (old->schema.FindField(name) != nullptr || old->schema.FindStruct(name) != nullptr) {
    return Error(InvalidParameter(fmt::format("duplicated field name {}", name)));
  }
  RETURN_IF_ERROR(CheckWarmup(request.field.type_params));
  for (const auto& member : request.members) RETURN_IF_ERROR(CheckWarmup(member.type_params));
  model::CollectionInfo info = *old;
  // The struct's own id comes before its members', as at creation.
  model::StructSchema added = request.field;
  added.id = NextFieldId(info.schema);
  info.schema.structs.push_back(std::move(added));
  const uint64_t version = info.schema.version + 1;
  for (const auto& member : request.members) {
    AppendField(info.schema, member);
    KeepFromSearches(info, member.name);
  }
  info.schema.version = version;
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

}  // namespace elanus::coordinator
