#include "coordinator/coordinator_service.h"

#include <algorithm>

#include "base/log.h"
#include "coordinator/plan.h"

namespace elanus::coordinator {

using Kind = service::ShardChange::Kind;
using service::CollectionPtr;

Status CoordinatorService::Recover() {
  MutexLock turn(turn_);
  return RecoverInTurn();
}

Status CoordinatorService::RecoverInTurn() {
  RETURN_IF_ERROR(catalog_.Load(clock_));
  stale_.clear();
  const CatalogStatePtr state = catalog_.state();
  for (const auto& [id, collection] : state->collections()) stale_.insert(id);
  RetryLeftovers();
  return Status::Ok();
}

void CoordinatorService::RetryLeftovers() {
  ResendDescriptions();
  if (Status status = FinishRemovals(); !status.ok()) {
    LogWarn("coordinator.removal_left error=\"{}\"", status.message());
  }
}

Status CoordinatorService::Execute(const service::DdlRequest& request) {
  MutexLock turn(turn_);
  if (!catalog_.loaded()) RETURN_IF_ERROR(RecoverInTurn());
  RetryLeftovers();
  const CatalogStatePtr state = catalog_.state();
  const PlanContext context{.state = *state, .ids = ids_, .now = clock_.Next()};
  auto plan = std::visit([&](const auto& r) { return Plan(context, r); }, request);
  if (!plan.has_value()) return plan.error();
  if (plan->ChangesNothing()) return Status::Ok();
  return Carry(*plan);
}

Status CoordinatorService::Carry(const DdlPlan& plan) {
  const LogPhase phase(
      "ddl", "changes",
      static_cast<int64_t>(plan.put_collections.size() + plan.drop_collections.size()));
  RETURN_IF_ERROR(StatusOf(catalog_.Commit(plan)));
  // From here on it is the truth, even where a shard cannot be told yet.
  if (plan.removal.has_value()) {
    catalog_.Publish(plan);
    RETURN_IF_ERROR(SendDescriptions(plan));
    return FinishRemovals();
  }
  Status sent = SendDescriptions(plan);
  catalog_.Publish(plan);
  return sent;
}

Status CoordinatorService::SendToShards(service::ShardChange change) {
  for (ShardId shard : change.collection->shards) {
    change.shard = shard;
    RETURN_IF_ERROR(shards_.Change(change));
  }
  return Status::Ok();
}

Status CoordinatorService::SendDescriptions(const DdlPlan& plan) {
  Status first = Status::Ok();
  for (const auto& [collection, is_new] : plan.descriptions) {
    Status sent =
        SendToShards({.kind = is_new ? Kind::kOpen : Kind::kUpdate, .collection = collection});
    if (sent.ok()) continue;
    LogWarn("coordinator.description_left collection={} error=\"{}\"", collection->id.value,
            sent.message());
    stale_.insert(collection->id);
    if (first.ok()) first = sent;
  }
  return first;
}

Status CoordinatorService::SendRemoval(const Removal& removal) {
  // A newer description than the one of the change must not be replaced by it.
  CollectionPtr current = removal.collection;
  if (auto found = catalog_.state()->Find(current->id); found.has_value()) current = *found;
  if (removal.whole) return SendToShards({.kind = Kind::kDrop, .collection = current});
  for (PartitionId partition : removal.partitions) {
    RETURN_IF_ERROR(SendToShards(
        {.kind = Kind::kDropPartition, .partition = partition, .collection = current}));
  }
  return Status::Ok();
}

Status CoordinatorService::FinishRemovals() {
  Status first = Status::Ok();
  const std::map<uint64_t, Removal> pending = catalog_.pending();
  for (const auto& [number, removal] : pending) {
    Status done = SendRemoval(removal);
    if (done.ok()) done = catalog_.Confirm(number);
    if (first.ok()) first = done;
  }
  return first;
}

void CoordinatorService::ResendDescriptions() {
  const CatalogStatePtr state = catalog_.state();
  std::erase_if(stale_, [&](CollectionId id) REQUIRES(turn_) {
    auto collection = state->Find(id);
    if (!collection.has_value()) return true;  // dropped meanwhile
    Status sent = SendToShards({.kind = Kind::kOpen, .collection = *collection});
    if (!sent.ok()) {
      LogWarn("coordinator.open_failed collection={} error=\"{}\"", id.value, sent.message());
    }
    return sent.ok();
  });
}

Result<CollectionPtr> CoordinatorService::FindCollection(const std::string& database,
                                                         const std::string& name) const {
  return catalog_.state()->Find(database, name);
}

Result<CollectionPtr> CoordinatorService::FindCollection(CollectionId id) const {
  return catalog_.state()->Find(id);
}

Result<std::vector<CollectionPtr>> CoordinatorService::ListCollections(
    const std::string& database) const {
  const CatalogStatePtr state = catalog_.state();
  ASSIGN_OR_RETURN(const model::DatabaseInfo* info, state->FindDatabase(database));
  std::vector<CollectionPtr> list;
  for (const auto& [id, collection] : state->collections()) {
    if (collection->database == info->id) list.push_back(collection);
  }
  return list;
}

std::vector<model::DatabaseInfo> CoordinatorService::ListDatabases() const {
  std::vector<model::DatabaseInfo> list;
  for (const auto& [id, database] : catalog_.state()->databases()) list.push_back(database);
  return list;
}

Result<model::DatabaseInfo> CoordinatorService::FindDatabase(const std::string& name) const {
  const CatalogStatePtr state = catalog_.state();
  ASSIGN_OR_RETURN(const model::DatabaseInfo* info, state->FindDatabase(name));
  return *info;
}

}  // namespace elanus::coordinator
