// Load, release, and how far a load is.
#include "gateway/description.h"
#include "gateway/handlers.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"

namespace elanus::gateway::handle {
namespace {

constexpr std::string_view kDefaultResourceGroup = "__default_resource_group";

// There is one group until a cluster has more.
Status CheckResourceGroups(const google::protobuf::RepeatedPtrField<std::string>& groups) {
  for (const std::string& group : groups) {
    if (group != kDefaultResourceGroup) {
      return {Code::kResourceGroupNotFound,
              "failed to spawn replica for collection: resource group not found[rg=" + group + "]"};
    }
  }
  return Status::Ok();
}

/// LoadCollection and LoadPartitions share all but the partitions.
template <class Request>
Status Load(const Services& services, const Request& request, const Call& call,
            service::SetLoad change) {
  RETURN_IF_ERROR(CheckResourceGroups(request.resource_groups()));
  change.database = call.context().database;
  change.collection = request.collection_name();
  change.load = true;
  change.replica_number = request.replica_number();
  change.load_fields = {request.load_fields().begin(), request.load_fields().end()};
  change.refresh = request.refresh();
  return services.catalog->Ddl(call.context(), std::move(change));
}

Status NotLoaded(const std::string& collection, bool partitions) {
  if (partitions) {
    return {Code::kPartitionNotLoaded, "partition not loaded[collection=" + collection + "]"};
  }
  return {Code::kCollectionNotLoaded, "collection not loaded[collection=" + collection + "]"};
}

}  // namespace

void LoadCollection(const Services& services, CallPtr call) {
  Unary<pb::milvus::LoadCollectionRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return Load(services, request, current, {});
      });
}

void LoadPartitions(const Services& services, CallPtr call) {
  Unary<pb::milvus::LoadPartitionsRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        service::SetLoad change{.partitions_given = true};
        change.partitions = {request.partition_names().begin(), request.partition_names().end()};
        return Load(services, request, current, std::move(change));
      });
}

void ReleaseCollection(const Services& services, CallPtr call) {
  Unary<pb::milvus::ReleaseCollectionRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return services.catalog->Ddl(current.context(),
                                     service::SetLoad{.database = current.context().database,
                                                      .collection = request.collection_name(),
                                                      .load = false});
      });
}

void ReleasePartitions(const Services& services, CallPtr call) {
  Unary<pb::milvus::ReleasePartitionsRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        service::SetLoad change{.database = current.context().database,
                                .collection = request.collection_name(),
                                .load = false,
                                .partitions_given = true};
        change.partitions = {request.partition_names().begin(), request.partition_names().end()};
        return services.catalog->Ddl(current.context(), std::move(change));
      });
}

void GetLoadingProgress(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetLoadingProgressRequest, pb::milvus::GetLoadingProgressResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto load,
                         services.catalog->LoadProgress(
                             current.context(), request.collection_name(),
                             {request.partition_names().begin(), request.partition_names().end()}));
        if (load.state == service::LoadState::kNotLoad) {
          return NotLoaded(request.collection_name(), request.partition_names_size() != 0);
        }
        // A client that waits for 100 waits in vain otherwise.
        RETURN_IF_ERROR(load.fault);
        reply.set_progress(load.progress);
        reply.set_refresh_progress(load.refresh_progress);
        return Status::Ok();
      });
}

void GetLoadState(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetLoadStateRequest, pb::milvus::GetLoadStateResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        auto load = services.catalog->LoadProgress(
            current.context(), request.collection_name(),
            {request.partition_names().begin(), request.partition_names().end()});
        // A missing collection is a state here, not an error.
        if (!load && load.error().code() == Code::kCollectionNotFound) return Status::Ok();
        if (!load) return load.error();
        if (load->state == service::LoadState::kLoading) RETURN_IF_ERROR(load->fault);
        reply.set_state(static_cast<pb::common::LoadState>(load->state));
        return Status::Ok();
      });
}

void GetReplicas(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetReplicasRequest, pb::milvus::GetReplicasResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        auto described =
            request.collection_name().empty()
                ? services.catalog->Describe(current.context(),
                                             CollectionId{request.collectionid()})
                : services.catalog->Describe(current.context(), request.collection_name());
        ASSIGN_OR_RETURN(auto info, std::move(described));
        if (!info->loaded) return Status::Ok();
        auto& replica = *reply.add_replicas();
        replica.set_replicaid(info->id.value);
        replica.set_collectionid(info->id.value);
        replica.set_resource_group_name(std::string(kDefaultResourceGroup));
        replica.add_node_ids(1);
        for (const auto& partition : info->partitions) {
          if (partition.loaded) replica.add_partition_ids(partition.id.value);
        }
        for (size_t i = 0; i < info->shards.size(); ++i) {
          auto& shard = *replica.add_shard_replicas();
          shard.set_leaderid(1);
          shard.set_dm_channel_name(ChannelName(*info, i));
          shard.add_node_ids(1);
        }
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
