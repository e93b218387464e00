// DDL of whole collections: create, drop, truncate, rename. See plan.h.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "coordinator/id_allocator.h"
#include "coordinator/limits.h"
#include "coordinator/plan.h"
#include "coordinator/properties.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

/// Gives the fields their ids and adds the dynamic field, last.
model::CollectionSchema Complete(model::CollectionSchema schema) {
  int64_t next = model::kFirstUserField.value;
  for (auto& field : schema.fields) {
    if (field.struct_name.empty()) field.id = FieldId{next++};
  }
  const FieldId dynamic{schema.enable_dynamic_field && schema.dynamic() == nullptr ? next++ : 0};
  for (auto& one : schema.structs) {
    one.id = FieldId{next++};
    for (auto& field : schema.fields) {
      if (field.struct_name == one.name) field.id = FieldId{next++};
    }
  }
  if (dynamic.value != 0) {
    schema.fields.push_back({.id = dynamic,
                             .name = std::string(model::kDynamicFieldName),
                             .description = "dynamic schema",
                             .type = model::DataType::kJson,
                             .is_dynamic = true});
  }
  schema.version = 1;
  return schema;
}

size_t PartitionCount(const service::CreateCollection& request) {
  if (!ByPartitionKey(request.schema)) return 1;
  return request.partitions_num > 0 ? static_cast<size_t>(request.partitions_num)
                                    : kPartitionKeyPartitions;
}

/// A collection is in its own time zone, else in that of its database.
void FillTimezone(const model::DatabaseInfo& database, model::KeyValues& properties) {
  if (model::FindValue(properties, kTimezoneKey) != nullptr) return;
  const std::string* inherited = model::FindValue(database.properties, kTimezoneKey);
  properties.emplace_back(kTimezoneKey,
                          inherited != nullptr ? *inherited : std::string(kDefaultTimezone));
}

bool SameCollection(const model::CollectionInfo& old, const service::CreateCollection& request) {
  const model::CollectionSchema& schema = request.schema;
  return old.schema == schema && static_cast<int32_t>(old.shards.size()) == request.shards_num &&
         old.consistency == request.consistency && SamePairs(old.properties, request.properties) &&
         (!ByPartitionKey(schema) || old.partitions.size() == PartitionCount(request));
}

Status CheckRoom(const CatalogState& state, const model::DatabaseInfo& database,
                 uint64_t capacity_new) {
  uint64_t capacity = capacity_new;
  uint64_t in_database = 0;
  for (const auto& [id, info] : state.collections()) {
    capacity += info->partitions.size() * info->shards.size();
    if (info->database == database.id) ++in_database;
  }
  if (state.collections().size() >= kCollectionsMax) {
    return {Code::kCollectionNumLimit,
            fmt::format("failed to create collection, maxCollectionNum={}, exceeded the limit "
                        "number of collections",
                        kCollectionsMax)};
  }
  const std::string* limit = model::FindValue(database.properties, "database.max.collections");
  if (limit != nullptr && fmt::format("{}", in_database) == *limit) {
    return {Code::kCollectionNumLimit,
            fmt::format("failed to create collection, maxCollectionNumPerDB={}, exceeded the limit "
                        "number of collections per DB)",
                        *limit)};
  }
  if (capacity > kCapacityMax) {
    return {Code::kGeneralCapacity,
            fmt::format("failed checking constraint: sum_collections(parition*shard) exceeding "
                        "the max general capacity:{}: general capacity exceeded",
                        kCapacityMax)};
  }
  return Status::Ok();
}

Result<model::CollectionInfo> NewCollection(const PlanContext& context,
                                            const service::CreateCollection& request,
                                            const model::DatabaseInfo& database) {
  const size_t partitions = PartitionCount(request);
  const auto shards = static_cast<size_t>(request.shards_num);
  RETURN_IF_ERROR(CheckRoom(context.state, database, partitions * shards));
  ASSIGN_OR_RETURN(int64_t id, context.ids.Allocate(static_cast<int64_t>(1 + partitions + shards)));
  model::CollectionInfo info{.id = CollectionId{id++},
                             .database = database.id,
                             .database_name = database.name,
                             .name = request.schema.name,
                             .schema = request.schema,
                             .properties = request.properties,
                             .consistency = request.consistency,
                             .created = context.now,
                             .updated = context.now};
  const bool by_key = ByPartitionKey(info.schema);
  for (size_t i = 0; i < partitions; ++i) {
    std::string name(model::kDefaultPartition);
    if (by_key) name += fmt::format("_{}", i);
    info.partitions.push_back(
        {.id = PartitionId{id++}, .name = std::move(name), .created = context.now});
  }
  for (size_t i = 0; i < shards; ++i) info.shards.push_back(ShardId{id++});
  return info;
}

/// A collection's new name is an alias' name already.
std::unexpected<Status> AliasNameConflict(std::string_view database, std::string_view name) {
  return Error(
      Code::kAliasCollectionNameConflict,
      fmt::format("alias and collection name conflict[database={}][alias={}]", database, name));
}

}  // namespace

Result<DdlPlan> Plan(const PlanContext& context, const service::CreateCollection& request) {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* database,
                   context.state.FindDatabase(request.database));
  const std::string& name = request.schema.name;
  RETURN_IF_ERROR(CheckCollectionProperties(request.schema, request.properties));
  for (const auto& field : request.schema.fields) RETURN_IF_ERROR(CheckWarmup(field.type_params));
  if (context.state.FindAlias(database->id, name) != nullptr) {
    return AliasNameConflict(database->name, name);
  }
  service::CreateCollection wanted = request;
  wanted.schema = Complete(std::move(wanted.schema));
  FillTimezone(*database, wanted.properties);
  DdlPlan plan;
  if (CollectionPtr old = context.state.FindNamed(database->id, name)) {
    if (SameCollection(*old, wanted)) return plan;
    return Error(
        Code::kInvalidParameter,
        fmt::format("create duplicate collection with different parameters, collection: {}", name));
  }
  ASSIGN_OR_RETURN(auto info, NewCollection(context, wanted, *database));
  plan.Replace(std::move(info));
  plan.descriptions.back().is_new = true;
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::DropCollection& request) {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* database,
                   context.state.FindDatabase(request.database));
  if (context.state.FindAlias(database->id, request.collection) != nullptr) {
    return Error(Code::kInvalidParameter,
                 fmt::format("cannot drop the collection via alias = {}", request.collection));
  }
  DdlPlan plan;
  CollectionPtr info = context.state.FindNamed(database->id, request.collection);
  if (info == nullptr) return plan;
  if (!info->aliases.empty()) {
    return Error(Code::kInvalidParameter,
                 fmt::format("unable to drop the collection [{}] because it has associated aliases "
                             "[{}], please remove all aliases before dropping the collection",
                             info->name, fmt::join(info->aliases, " ")));
  }
  plan.drop_collections.push_back(info->id);
  plan.removal = Removal{.collection = info, .whole = true};
  return plan;
}

// Every partition goes on under a new id and the rows of the old ids are removed: the removal can
// be repeated after a crash without touching rows that were written since.
Result<DdlPlan> Plan(const PlanContext& context, const service::TruncateCollection& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  model::CollectionInfo info = *old;
  ASSIGN_OR_RETURN(int64_t id, context.ids.Allocate(static_cast<int64_t>(info.partitions.size())));
  for (auto& partition : info.partitions) partition.id = PartitionId{id++};
  DdlPlan plan;
  plan.Replace(std::move(info));
  plan.removal = Removal{.collection = plan.put_collections.back()};
  for (const auto& p : old->partitions) plan.removal->partitions.push_back(p.id);
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::RenameCollection& request) {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* database,
                   context.state.FindDatabase(request.database));
  const model::DatabaseInfo* target = database;
  if (!request.new_database.empty()) {
    ASSIGN_OR_RETURN(target, context.state.FindDatabase(request.new_database));
  }
  if (request.collection == request.new_name && target->id == database->id) {
    return Error(Code::kInvalidParameter,
                 "collection name or database name should be different: invalid parameter");
  }
  if (context.state.FindAlias(database->id, request.collection) != nullptr) {
    return Error(
        Code::kInvalidParameter,
        fmt::format("unsupported use an alias to rename collection, alias:{}", request.collection));
  }
  if (context.state.FindAlias(target->id, request.new_name) != nullptr) {
    return AliasNameConflict(target->name, request.new_name);
  }
  if (context.state.FindNamed(target->id, request.new_name) != nullptr) {
    return Error(Code::kInvalidParameter,
                 fmt::format("duplicated new collection name {}:{} with other collection name or "
                             "alias",
                             target->name, request.new_name));
  }
  CollectionPtr old = context.state.FindNamed(database->id, request.collection);
  if (old == nullptr) return Error(CollectionNotFound(database->name, request.collection));
  if (target->id != database->id && !old->aliases.empty()) {
    return Error(
        Code::kInvalidParameter,
        fmt::format("fail to rename db name, must drop all aliases of collection {} before rename",
                    request.collection));
  }
  model::CollectionInfo info = *old;
  info.name = request.new_name;
  info.schema.name = request.new_name;
  info.database = target->id;
  info.database_name = target->name;
  DdlPlan plan;
  plan.put_collections.push_back(std::make_shared<const model::CollectionInfo>(std::move(info)));
  return plan;
}

}  // namespace elanus::coordinator
