// Merges on request and how far they are.
#include <algorithm>

#include "gateway/description.h"
#include "gateway/handlers.h"
#include "gateway/progress.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"

namespace elanus::gateway::handle {
namespace {

using service::CompactionState;

pb::common::CompactionTaskState TaskStateOf(CompactionState state) {
  switch (state) {
    case CompactionState::kWaiting: return pb::common::CompactionTaskStatePipelining;
    case CompactionState::kRunning: return pb::common::CompactionTaskStateExecuting;
    case CompactionState::kCompleted: return pb::common::CompactionTaskStateCompleted;
    case CompactionState::kFailed: return pb::common::CompactionTaskStateFailed;
  }
  return pb::common::CompactionTaskStateUnknown;
}

/// The shard of a channel that a description named.
Result<ShardId> ShardOf(const model::CollectionInfo& info, const std::string& channel) {
  for (size_t i = 0; i < info.shards.size(); ++i) {
    if (ChannelName(info, i) == channel) return info.shards[i];
  }
  return Error(Code::kChannelNotFound, "channel not found[channel=" + channel + "]");
}

Result<service::CollectionPtr> Named(const Services& services, const Call& call,
                                     const pb::milvus::ManualCompactionRequest& request) {
  if (!request.collection_name().empty())
    return services.catalog->Describe(call.context(), request.collection_name());
  return services.catalog->Describe(call.context(), CollectionId{request.collectionid()});
}

void FillPlan(const Services& services, const service::CompactionPlan& plan,
              pb::milvus::CompactionMergeInfo& out, Call& call) {
  for (SegmentId id : plan.sources) out.add_sources(id.value);
  // Milvus says -1 where there is none.
  out.set_target(plan.target ? plan.target.value : -1);
  if (plan.target) out.add_targets(plan.target.value);
  out.set_plan_id(plan.id);
  out.set_trigger_id(plan.job);
  out.set_collection_id(plan.collection.value);
  out.set_partition_id(plan.partition.value);
  out.set_type(plan.kind == service::CompactionKind::kClustering
                   ? pb::common::CompactionTypeClustering
                   : pb::common::CompactionTypeMix);
  out.set_state(TaskStateOf(plan.state));
  out.set_failure_reason(plan.failure);
  const auto info = services.catalog->Describe(call.context(), plan.collection);
  if (!info) return;  // dropped meanwhile
  const auto& shards = (*info)->shards;
  const auto at = static_cast<size_t>(std::ranges::find(shards, plan.shard) - shards.begin());
  if (at < shards.size()) out.set_channel(ChannelName(**info, at));
}

}  // namespace

void ManualCompaction(const Services& services, CallPtr call) {
  Unary<pb::milvus::ManualCompactionRequest, pb::milvus::ManualCompactionResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto info, Named(services, current, request));
        service::CompactCall compact{.collection = request.collection_name(),
                                     .id = info->id,
                                     .partition = {request.partition_id()},
                                     .clustering = request.majorcompaction(),
                                     .deletes_only = request.l0compaction(),
                                     .target_mb = request.target_size()};
        for (int64_t id : request.segment_ids()) compact.segments.push_back({id});
        if (!request.channel().empty()) {
          ASSIGN_OR_RETURN(compact.shard, ShardOf(*info, request.channel()));
        }
        ASSIGN_OR_RETURN(auto started, services.data->Compact(current.context(), compact));
        reply.set_compactionid(started.job);
        reply.set_compactionplancount(static_cast<int32_t>(started.plans));
        return Status::Ok();
      });
}

void GetCompactionState(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetCompactionStateRequest, pb::milvus::GetCompactionStateResponse>(
      *call, [&](const auto& request, Call&, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto found, services.data->CompactionsOfJob(request.compactionid()));
        const CompactionProgress progress = ProgressOf(found.plans);
        reply.set_state(progress.executing > 0 ? pb::common::Executing : pb::common::Completed);
        reply.set_executingplanno(progress.executing);
        reply.set_completedplanno(progress.completed);
        reply.set_failedplanno(progress.failed);
        return Status::Ok();
      });
}

void GetCompactionStateWithPlans(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetCompactionPlansRequest, pb::milvus::GetCompactionPlansResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        auto found =
            request.collection_name().empty()
                ? services.data->CompactionsOfJob(request.compactionid())
                : services.data->CompactionsOf(current.context(), request.collection_name());
        ASSIGN_OR_RETURN(auto plans, std::move(found));
        const bool executing = ProgressOf(plans.plans).executing > 0;
        reply.set_state(executing ? pb::common::Executing : pb::common::Completed);
        for (const auto& plan : plans.plans)
          FillPlan(services, plan, *reply.add_mergeinfos(), current);
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
