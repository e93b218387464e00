// DDL of indexes. A plan only records what the user asked for; shards build it. See plan.h.
#include <fmt/core.h>

#include <algorithm>

#include "coordinator/id_allocator.h"
#include "coordinator/plan.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

/// Without the keys that say how an index is held, not what it is.
model::KeyValues BuildParams(model::KeyValues params) {
  std::erase_if(params, [](const model::KeyValue& pair) {
    return pair.first == "mmap.enabled" || pair.first == "warmup" ||
           pair.first == "indexoffsetcache.enabled";
  });
  return params;
}

Status CheckProperty(const model::KeyValue& property) {
  const auto& [key, value] = property;
  if (key != "mmap.enabled" && key != "indexoffsetcache.enabled" && key != "warmup" &&
      key != "load_priority") {
    return InvalidParameter(fmt::format("{} is not a configable index property", key));
  }
  if (key == "mmap.enabled" && value != "true" && value != "false" && value != "True" &&
      value != "False") {
    return InvalidParameter(
        fmt::format("invalid mmap.enabled value: {}, expected: true, false", value));
  }
  return Status::Ok();
}

}  // namespace

Result<DdlPlan> Plan(const PlanContext& context, const service::CreateIndex& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  const model::FieldSchema* field = old->schema.FindField(request.field);
  if (field == nullptr) {
    return Error(
        InvalidParameter(fmt::format("cannot create index on non-exist field: {}", request.field)));
  }
  std::string name = request.index_name;
  if (name.empty()) {
    const model::IndexInfo* on_field = old->FindIndexOn(field->id);
    name = on_field != nullptr ? on_field->name : field->name;
  }
  DdlPlan plan;
  for (const auto& index : old->indexes) {
    const bool same_field = index.field == field->id;
    if (index.name == name) {
      if (same_field && SamePairs(BuildParams(index.params), BuildParams(request.params))) {
        return plan;
      }
      return Error(
          InvalidParameter("CreateIndex failed: at most one distinct index is allowed per field"));
    }
    if (same_field) {
      return Error(InvalidParameter(
          "CreateIndex failed: creating multiple indexes on same field is not supported"));
    }
  }
  model::CollectionInfo info = *old;
  ASSIGN_OR_RETURN(int64_t id, context.ids.Allocate(1));
  info.indexes.push_back({.id = IndexId{id},
                          .name = name,
                          .field = field->id,
                          .params = request.params,
                          .created = context.now});
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::DropIndex& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  const model::FieldSchema* wanted = old->schema.FindField(request.field);
  auto matches = [&](const model::IndexInfo& index) {
    if (!request.index_name.empty() && index.name != request.index_name) return false;
    if (!request.field.empty() && (wanted == nullptr || index.field != wanted->id)) return false;
    return true;
  };
  DdlPlan plan;
  if (std::ranges::none_of(old->indexes, matches)) return plan;
  for (const auto& index : old->indexes) {
    const model::FieldSchema* field = old->schema.FindField(index.field);
    if (matches(index) && old->loaded && field != nullptr && IsVector(field->type)) {
      return Error(InvalidParameter(fmt::format(
          "vector index cannot be dropped on loaded collection: {}", request.collection)));
    }
  }
  model::CollectionInfo info = *old;
  std::erase_if(info.indexes, matches);
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterIndex& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  if (request.params.empty() && request.delete_keys.empty()) {
    return Error(InvalidParameter("no properties or delete keys provided"));
  }
  if (!request.params.empty() && !request.delete_keys.empty()) {
    return Error(InvalidParameter("cannot provide both DeleteKeys and ExtraParams"));
  }
  for (const auto& property : request.params) RETURN_IF_ERROR(CheckProperty(property));
  for (const auto& key : request.delete_keys) RETURN_IF_ERROR(CheckProperty({key, "true"}));
  if (old->loaded) {
    return Error(Code::kCollectionLoaded,
                 fmt::format("can't alter index on loaded collection, please release the "
                             "collection first: collection already loaded[collection={}]",
                             request.collection));
  }
  model::CollectionInfo info = *old;
  auto index = std::ranges::find(info.indexes, request.index_name, &model::IndexInfo::name);
  if (index == info.indexes.end()) {
    return Error(Code::kIndexNotFound,
                 fmt::format("index not found[indexName={}]", request.index_name));
  }
  index->params = MergeProperties(index->params, request.params, request.delete_keys);
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

}  // namespace elanus::coordinator
