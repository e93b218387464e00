#include "proxy/read_scope.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/names.h"

namespace elanus::proxy {

namespace {

/// How far a Bounded read may lie behind; Milvus' gracefulTime.
constexpr int64_t kBoundedMs = 5'000;
/// What clients send for Eventually and for Bounded in place of a timestamp.
constexpr model::Timestamp kEventuallyMark = 1;
constexpr model::Timestamp kBoundedMark = 2;

model::Timestamp Guarantee(const model::CollectionInfo& collection,
                           const service::Consistency& consistency, model::Timestamp now) {
  using model::ConsistencyLevel;
  const model::Timestamp bounded = now - (model::TimestampFromMs(kBoundedMs));
  // Clients before 2.2 know no levels: they say everything with the timestamp.
  if (!consistency.use_default && consistency.level == ConsistencyLevel::kStrong &&
      consistency.guarantee > 0) {
    return consistency.guarantee == kBoundedMark ? bounded : consistency.guarantee;
  }
  switch (consistency.use_default ? collection.consistency : consistency.level) {
    case ConsistencyLevel::kStrong: return now;
    case ConsistencyLevel::kBounded: return bounded;
    case ConsistencyLevel::kEventually: return kEventuallyMark;
    case ConsistencyLevel::kSession:
    case ConsistencyLevel::kCustomized: return consistency.guarantee;
  }
  return now;
}

}  // namespace

Result<service::CollectionPtr> Resolve(const service::Coordinator& coordinator,
                                       const service::CallContext& call, const std::string& name) {
  RETURN_IF_ERROR(CheckCollectionName(name));
  return coordinator.FindCollection(call.database, name);
}

Result<std::vector<PartitionId>> NamedPartitions(const model::CollectionInfo& collection,
                                                 const std::vector<std::string>& names) {
  std::vector<PartitionId> ids;
  if (names.empty()) return ids;
  if (std::ranges::any_of(collection.schema.fields, &model::FieldSchema::is_partition_key)) {
    return Error(InvalidParameter(
        "not support manually specifying the partition names if partition key mode is used"));
  }
  for (const auto& name : names) {
    const model::PartitionInfo* partition = collection.FindPartition(Trim(name));
    if (partition == nullptr) {
      return Error(Code::kPartitionNotFound, fmt::format("partition name {} not found", name));
    }
    if (std::ranges::find(ids, partition->id) == ids.end()) ids.push_back(partition->id);
  }
  return ids;
}

Status CheckLoaded(const model::CollectionInfo& collection, std::vector<PartitionId>& partitions) {
  if (!collection.loaded) {
    return {Code::kCollectionNotLoaded,
            fmt::format("collection not loaded[collection={}]", collection.name)};
  }
  std::vector<PartitionId> loaded;
  for (const auto& partition : collection.partitions) {
    const bool wanted = std::ranges::find(partitions, partition.id) != partitions.end();
    if (wanted && !partition.loaded) {
      return {Code::kPartitionNotLoaded,
              fmt::format("partition not loaded[partition={}]", partition.name)};
    }
    if (partition.loaded) loaded.push_back(partition.id);
  }
  if (partitions.empty() && loaded.size() < collection.partitions.size()) {
    partitions = std::move(loaded);
  }
  return Status::Ok();
}

service::ReadPoint ReadPointOf(const model::CollectionInfo& collection,
                               const service::Consistency& consistency, bool iterator,
                               model::Timestamp now) {
  if (iterator && consistency.guarantee > kBoundedMark) {
    return {.guarantee = consistency.guarantee, .exactly = consistency.guarantee};
  }
  return {.guarantee = std::max(Guarantee(collection, consistency, now), collection.updated)};
}

Result<service::ReadPoint> ReadPointNow(const Backends& backends,
                                        const model::CollectionInfo& collection,
                                        const service::Consistency& consistency, bool iterator) {
  const model::Timestamp now = backends.clock.Next();
  const model::Timestamp travel = consistency.travel;
  if (travel == 0) return ReadPointOf(collection, consistency, iterator, now);
  const int64_t back_ms = model::TimestampMs(now) - model::TimestampMs(travel);
  if (back_ms > backends.history_ms) {
    return Error(
        InvalidParameter(fmt::format("only support to travel back to {}s so far, but got {}s",
                                     backends.history_ms / 1000, back_ms / 1000)));
  }
  return service::ReadPoint{.guarantee = travel, .exactly = travel};
}

Result<expr::BoundFilter> BindFilter(const model::CollectionInfo& collection,
                                     const std::string& filter, const expr::Templates& templates,
                                     std::string_view time_zone) {
  auto bound = expr::ParseFilter(filter, collection.schema, templates, time_zone);
  if (!bound.has_value()) return Error(expr::PlanError("query", bound.error()));
  return bound;
}

}  // namespace elanus::proxy
