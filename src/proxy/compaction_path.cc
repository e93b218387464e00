#include "proxy/compaction_path.h"

#include <algorithm>

#include "proxy/read_scope.h"

namespace elanus::proxy {

Status CompactionPath::CheckSegments(const model::CollectionInfo& collection,
                                     const service::CompactCall& compact) const {
  std::vector<SegmentId> missing = compact.segments;
  for (ShardId shard : collection.shards) {
    if (compact.shard && compact.shard != shard) continue;
    ASSIGN_OR_RETURN(auto stats, backends_.shards.Stats(shard));
    for (const service::SegmentStats& segment : stats.segments) {
      if (segment.state != service::SegmentState::kSealed) continue;
      if (compact.partition && compact.partition != segment.partition) continue;
      std::erase(missing, segment.id);
    }
  }
  if (missing.empty()) return Status::Ok();
  return {Code::kInternal,
          "not all segment ids provided could be compacted: service internal error"};
}

Result<service::CompactReply> CompactionPath::Run(const service::CallContext& call,
                                                  const service::CompactCall& compact) const {
  auto found = compact.collection.empty()
                   ? backends_.coordinator.FindCollection(compact.id)
                   : Resolve(backends_.coordinator, call, compact.collection);
  ASSIGN_OR_RETURN(auto collection, std::move(found));
  const bool forced = compact.target_mb != 0;
  // Deletes are beside the segment they hit from the start: nothing like Milvus' level 0 is here.
  if (compact.deletes_only && !forced) return service::CompactReply{};
  const bool has_key =
      std::ranges::any_of(collection->schema.fields, &model::FieldSchema::is_clustering_key);
  if (compact.clustering && !forced && !has_key) return service::CompactReply{};
  RETURN_IF_ERROR(CheckSegments(*collection, compact));
  ASSIGN_OR_RETURN(const int64_t job, backends_.coordinator.AllocateIds(1));
  service::CompactReply reply;
  for (ShardId shard : collection->shards) {
    if (compact.shard && compact.shard != shard) continue;
    ASSIGN_OR_RETURN(auto planned,
                     backends_.shards.Compact({.job = job,
                                               .kind = compact.clustering && !forced
                                                           ? service::CompactionKind::kClustering
                                                           : service::CompactionKind::kMix,
                                               .shard = shard,
                                               .partition = compact.partition,
                                               .segments = compact.segments,
                                               .target_mb = compact.target_mb}));
    reply.plans += static_cast<int64_t>(planned.plans.size());
  }
  if (reply.plans > 0) reply.job = job;
  return reply;
}

Result<service::CompactionPlans> CompactionPath::OfJob(int64_t job) const {
  if (job <= 0) return service::CompactionPlans{};
  return backends_.shards.Compactions({.job = job});
}

Result<service::CompactionPlans> CompactionPath::Of(const service::CallContext& call,
                                                    const std::string& collection) const {
  ASSIGN_OR_RETURN(auto found, Resolve(backends_.coordinator, call, collection));
  return backends_.shards.Compactions({.collection = found->id});
}

}  // namespace elanus::proxy
