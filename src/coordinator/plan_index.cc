// DDL of indexes. A plan only records what the user asked for; shards build it. See plan.h.
#include <fmt/core.h>

#include <algorithm>

#include "coordinator/id_allocator.h"
#include "coordinator/plan.h"
#include "coordinator/properties.h"
#include "model/property.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

/// Without the keys that say how an index is held, not what it is, and without the path's text,
/// which can be written in several ways.
model::KeyValues BuildParams(model::KeyValues params) {
  std::erase_if(params, [](const model::KeyValue& pair) {
    return pair.first == model::kMmapKey || pair.first == "warmup" ||
           pair.first == "indexoffsetcache.enabled" || pair.first == "json_path";
  });
  return params;
}

/// The name of an index that the request does not name.
std::string DefaultName(const model::CollectionInfo& info, const model::FieldSchema& field) {
  const model::IndexInfo* on_field = info.FindIndexOn(field.id);
  return on_field != nullptr ? on_field->name : field.name;
}

/// Does the collection have the very index already? An error when it has another in its place or of
/// its name.
Result<bool> IsThere(const model::CollectionInfo& info, const service::CreateIndex& request,
                     const model::FieldSchema& field, const std::string& name) {
  for (const auto& index : info.indexes) {
    const bool same_place = index.field == field.id && index.json_path == request.json_path;
    if (index.name == name) {
      if (same_place && SamePairs(BuildParams(index.params), BuildParams(request.params))) {
        return true;
      }
      return Error(
          InvalidParameter("CreateIndex failed: at most one distinct index is allowed per field"));
    }
    if (same_place) {
      return Error(InvalidParameter(
          "CreateIndex failed: creating multiple indexes on same field is not supported"));
    }
  }
  return false;
}

}  // namespace

Result<bool> AddIndex(const PlanContext& context, const service::CreateIndex& request,
                      model::CollectionInfo& info) {
  const model::FieldSchema* field = info.schema.FindField(request.field);
  if (field == nullptr) {
    return Error(
        InvalidParameter(fmt::format("cannot create index on non-exist field: {}", request.field)));
  }
  RETURN_IF_ERROR(CheckWarmup(request.params));
  const std::string name =
      request.index_name.empty() ? DefaultName(info, *field) : request.index_name;
  ASSIGN_OR_RETURN(const bool is_there, IsThere(info, request, *field, name));
  if (is_there) return false;
  ASSIGN_OR_RETURN(int64_t id, context.ids.Allocate(1));
  info.indexes.push_back({.id = IndexId{id},
                          .name = name,
                          .field = field->id,
                          .params = request.params,
                          .created = context.now,
                          .json_path = request.json_path});
  return true;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::CreateIndex& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  model::CollectionInfo info = *old;
  DdlPlan plan;
  ASSIGN_OR_RETURN(const bool added, AddIndex(context, request, info));
  if (added) plan.Replace(std::move(info));
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
  for (const auto& property : request.params) RETURN_IF_ERROR(CheckIndexProperty(property));
  for (const auto& key : request.delete_keys) RETURN_IF_ERROR(CheckIndexKey(key));
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
