// DDL of partitions and aliases. See plan.h.
#include <fmt/core.h>

#include <algorithm>

#include "coordinator/id_allocator.h"
#include "coordinator/limits.h"
#include "coordinator/plan.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

Status AliasConflict(const model::DatabaseInfo& database, const std::string& alias) {
  return {Code::kAliasCollectionNameConflict,
          fmt::format("alias and collection name conflict[database={}][alias={}]", database.name,
                      alias)};
}

/// The collection an alias will stand for; only its own name will do.
Result<CollectionPtr> AliasTarget(const CatalogState& state, const model::DatabaseInfo& database,
                                  const std::string& collection) {
  CollectionPtr info = state.FindNamed(database.id, collection);
  if (info == nullptr) return Error(CollectionNotFound(database.name, collection));
  return info;
}

CollectionPtr WithAlias(const model::CollectionInfo& old, const std::string& alias) {
  auto info = std::make_shared<model::CollectionInfo>(old);
  info->aliases.push_back(alias);
  return info;
}

CollectionPtr WithoutAlias(const model::CollectionInfo& old, const std::string& alias) {
  auto info = std::make_shared<model::CollectionInfo>(old);
  std::erase(info->aliases, alias);
  return info;
}

}  // namespace

Result<DdlPlan> Plan(const PlanContext& context, const service::CreatePartition& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  if (ByPartitionKey(old->schema)) {
    return Error(Code::kInvalidParameter, "disable create partition if partition key mode is used");
  }
  DdlPlan plan;
  if (old->FindPartition(request.partition) != nullptr) return plan;
  if (old->partitions.size() >= kPartitionsMax) {
    return Error(Code::kInvalidParameter,
                 fmt::format("partition number ({}) exceeds max configuration ({}), collection: {}",
                             old->partitions.size(), kPartitionsMax, old->name));
  }
  model::CollectionInfo info = *old;
  // A partition of a wholly loaded collection is loaded from its beginning.
  const bool loaded = std::ranges::all_of(old->partitions, &model::PartitionInfo::loaded);
  ASSIGN_OR_RETURN(int64_t id, context.ids.Allocate(1));
  info.partitions.push_back(
      {.id = PartitionId{id}, .name = request.partition, .created = context.now, .loaded = loaded});
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::DropPartition& request) {
  if (request.partition == model::kDefaultPartition) {
    return Error(Code::kInvalidParameter, "default partition cannot be deleted");
  }
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  if (ByPartitionKey(old->schema)) {
    return Error(Code::kInvalidParameter, "disable drop partition if partition key mode is used");
  }
  DdlPlan plan;
  const model::PartitionInfo* partition = old->FindPartition(request.partition);
  if (partition == nullptr) return plan;
  if (partition->loaded) {
    return Error(Code::kInvalidParameter,
                 "partition cannot be dropped, partition is loaded, please release it first");
  }
  const PartitionId id = partition->id;
  model::CollectionInfo info = *old;
  std::erase_if(info.partitions, [&](const auto& p) { return p.id == id; });
  plan.Replace(std::move(info));
  plan.removal = Removal{.collection = plan.put_collections.back(), .partitions = {id}};
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::CreateAlias& request) {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* database,
                   context.state.FindDatabase(request.database));
  if (context.state.FindNamed(database->id, request.alias) != nullptr) {
    return Error(AliasConflict(*database, request.alias));
  }
  ASSIGN_OR_RETURN(CollectionPtr target, AliasTarget(context.state, *database, request.collection));
  DdlPlan plan;
  if (CollectionPtr holder = context.state.FindAlias(database->id, request.alias)) {
    if (holder->id == target->id) return plan;
    return Error(Code::kAliasAlreadyExist,
                 fmt::format("{} is alias to another collection: {}: alias already "
                             "exist[database={}][alias={}]",
                             request.alias, holder->name, database->name, request.alias));
  }
  plan.put_collections.push_back(WithAlias(*target, request.alias));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterAlias& request) {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* database,
                   context.state.FindDatabase(request.database));
  if (context.state.FindNamed(database->id, request.alias) != nullptr) {
    return Error(AliasConflict(*database, request.alias));
  }
  CollectionPtr target = context.state.FindNamed(database->id, request.collection);
  if (target == nullptr) {
    // Milvus names no database here, unlike in CreateAlias.
    return Error(Code::kCollectionNotFound,
                 fmt::format("collection not found[collection={}]", request.collection));
  }
  CollectionPtr holder = context.state.FindAlias(database->id, request.alias);
  if (holder == nullptr) {
    return Error(Code::kAliasNotFound, fmt::format("alias not found[database={}][alias={}]",
                                                   database->name, request.alias));
  }
  DdlPlan plan;
  if (holder->id == target->id) return plan;
  plan.put_collections.push_back(WithoutAlias(*holder, request.alias));
  plan.put_collections.push_back(WithAlias(*target, request.alias));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::DropAlias& request) {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* database,
                   context.state.FindDatabase(request.database));
  DdlPlan plan;
  if (CollectionPtr holder = context.state.FindAlias(database->id, request.alias)) {
    plan.put_collections.push_back(WithoutAlias(*holder, request.alias));
  }
  return plan;
}

}  // namespace elanus::coordinator
