// DDL that changes a collection's properties and fields. See plan.h.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "coordinator/plan.h"
#include "coordinator/properties.h"
#include "model/load_fields.h"
#include "model/property.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

void AppendField(model::CollectionSchema& schema, model::FieldSchema field) {
  field.id = FieldId{schema.LastFieldId().value + 1};
  auto at = std::ranges::find_if(schema.fields, &model::FieldSchema::is_dynamic);
  schema.fields.insert(at, std::move(field));
  ++schema.version;
}

/// Changes what is said of a field, or of a struct array.
template <class Field>
void Alter(const service::AlterField& request, Field& field) {
  model::KeyValues changes = request.properties;
  std::erase_if(changes, [&](const model::KeyValue& pair) {
    if (pair.first != "field.description") return false;
    field.description = pair.second;
    return true;
  });
  field.type_params = MergeProperties(field.type_params, changes, request.delete_keys);
}

/// A vector field that comes while the collection is loaded is searched after the next load.
void KeepFromSearches(model::CollectionInfo& info, std::string_view name) {
  const model::FieldSchema& field = *info.schema.FindField(name);
  if (info.loaded && IsVector(field.type) && LoadedWhole(info))
    info.load_fields.push_back({-field.id.value});
}

/// Takes fields out of a collection with the indexes on them. Their values stay in files until
/// these are merged; nothing finds them, since no later field has such an id.
template <class Gone>
void RemoveFields(model::CollectionInfo& info, Gone&& gone) {
  model::CollectionSchema& schema = info.schema;
  schema.last_field = schema.LastFieldId();
  auto is_gone = [&](FieldId id) {
    const model::FieldSchema* field = schema.FindField(id);
    return field != nullptr && gone(*field);
  };
  std::erase_if(info.indexes, [&](const model::IndexInfo& index) { return is_gone(index.field); });
  // An id with a minus is a field that the load did not have.
  std::erase_if(info.load_fields, [&](FieldId id) { return is_gone({std::abs(id.value)}); });
  std::erase_if(schema.fields, gone);
  ++schema.version;
}

Status CheckDropField(const model::CollectionInfo& info, const model::FieldSchema& field) {
  auto refuse = [&](std::string_view what) {
    return InvalidParameter(fmt::format("cannot drop {} field: {}", what, field.name));
  };
  if (field.is_primary) return refuse("primary key");
  if (field.is_partition_key) return refuse("partition key");
  if (field.is_clustering_key) return refuse("clustering key");
  const std::string* ttl = model::FindValue(info.properties, "ttl_field");
  if (ttl != nullptr && *ttl == field.name) {
    return InvalidParameter(
        fmt::format("cannot drop field {} because it is referenced by collection property "
                    "ttl_field, drop the property first",
                    field.name));
  }
  return Status::Ok();
}

bool HasVectorBeside(const model::CollectionSchema& schema, std::string_view dropped) {
  return std::ranges::any_of(schema.fields, [&](const model::FieldSchema& field) {
    return IsVector(field.type) && field.name != dropped && field.struct_name != dropped;
  });
}

DdlPlan Replaced(const PlanContext& context, model::CollectionInfo info) {
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
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
  if (dynamic != nullptr && model::IsTrue(*dynamic) && !info.schema.enable_dynamic_field) {
    info.schema.enable_dynamic_field = true;
    // Old rows have no dynamic keys: they read as `{}`.
    AppendField(info.schema, {.name = std::string(model::kDynamicFieldName),
                              .description = "dynamic schema",
                              .type = model::DataType::kJson,
                              .nullable = true,
                              .is_dynamic = true,
                              .default_value = model::Scalar(std::string("{}"))});
  }
  if (dynamic != nullptr && !model::IsTrue(*dynamic) && info.schema.enable_dynamic_field) {
    info.schema.enable_dynamic_field = false;
    RemoveFields(info, [](const model::FieldSchema& field) { return field.is_dynamic; });
  }
  info.properties = MergeProperties(info.properties, changes, request.delete_keys);
  return Replaced(context, std::move(info));
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  const model::FieldSchema* known = old->schema.FindField(request.field);
  const model::StructSchema* known_struct = old->schema.FindStruct(request.field);
  if (known == nullptr && known_struct == nullptr) {
    return Error(InvalidParameter(fmt::format("field {} does not exist in collection {}",
                                              request.field, request.collection)));
  }
  // A struct array has no type of its own: lengths and capacities are its members'.
  const model::FieldSchema& of =
      known != nullptr ? *known : model::FieldSchema{.name = request.field};
  for (const auto& property : request.properties) {
    RETURN_IF_ERROR(CheckFieldProperty(*old, of, property));
  }
  for (const auto& key : request.delete_keys) RETURN_IF_ERROR(CheckFieldDeleteKey(key));
  model::CollectionInfo info = *old;
  for (auto& field : info.schema.fields) {
    if (known != nullptr && field.id == known->id) Alter(request, field);
  }
  for (auto& one : info.schema.structs) {
    if (known == nullptr && one.id == known_struct->id) Alter(request, one);
  }
  return Replaced(context, std::move(info));
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
  if (request.index) RETURN_IF_ERROR(StatusOf(AddIndex(context, *request.index, info)));
  return Replaced(context, std::move(info));
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
  added.id = FieldId{info.schema.LastFieldId().value + 1};
  info.schema.structs.push_back(std::move(added));
  const uint64_t version = info.schema.version + 1;
  for (const auto& member : request.members) {
    AppendField(info.schema, member);
    KeepFromSearches(info, member.name);
  }
  info.schema.version = version;
  return Replaced(context, std::move(info));
}

Result<DdlPlan> Plan(const PlanContext& context, const service::DropField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  auto wanted = [&](const auto& one) {
    return request.field.empty() ? one.id == request.id : one.name == request.field;
  };
  const auto field = std::ranges::find_if(old->schema.fields, [&](const model::FieldSchema& f) {
    return wanted(f) && f.struct_name.empty() && !f.is_dynamic;
  });
  const auto shape = std::ranges::find_if(old->schema.structs, wanted);
  const bool is_field = field != old->schema.fields.end();
  if (!is_field && shape == old->schema.structs.end()) {
    return Error(InvalidParameter(request.field.empty()
                                      ? fmt::format("field not found with ID: {}", request.id.value)
                                      : fmt::format("field not found: {}", request.field)));
  }
  if (is_field) RETURN_IF_ERROR(CheckDropField(*old, *field));
  const std::string name = is_field ? field->name : shape->name;
  if (!HasVectorBeside(old->schema, name)) {
    return Error(InvalidParameter(fmt::format("cannot drop the last vector field: {}", name)));
  }
  model::CollectionInfo info = *old;
  RemoveFields(info, [&](const model::FieldSchema& f) {
    return f.name == name || (!f.struct_name.empty() && f.struct_name == name);
  });
  std::erase_if(info.schema.structs, [&](const auto& one) { return one.name == name; });
  return Replaced(context, std::move(info));
}

}  // namespace elanus::coordinator
