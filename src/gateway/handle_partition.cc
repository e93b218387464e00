// Partitions and aliases.
#include "gateway/handlers.h"
#include "gateway/schema_wire.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"

namespace elanus::gateway::handle {
namespace {

Status PartitionNotFound(std::string_view name) {
  return {Code::kPartitionNotFound, "partition not found[partition=" + std::string(name) + "]"};
}

}  // namespace

void CreatePartition(const Services& services, CallPtr call) {
  Unary<pb::milvus::CreatePartitionRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return services.catalog->Ddl(
            current.context(),
            service::CreatePartition{current.context().database, request.collection_name(),
                                     request.partition_name()});
      });
}

void DropPartition(const Services& services, CallPtr call) {
  Unary<pb::milvus::DropPartitionRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return services.catalog->Ddl(
            current.context(),
            service::DropPartition{current.context().database, request.collection_name(),
                                   request.partition_name()});
      });
}

void HasPartition(const Services& services, CallPtr call) {
  Unary<pb::milvus::HasPartitionRequest, pb::milvus::BoolResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(
            bool has, services.catalog->HasPartition(current.context(), request.collection_name(),
                                                     request.partition_name()));
        reply.set_value(has);
        return Status::Ok();
      });
}

void ShowPartitions(const Services& services, CallPtr call) {
  Unary<pb::milvus::ShowPartitionsRequest, pb::milvus::ShowPartitionsResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        auto described =
            request.collection_name().empty() && request.collectionid() != 0
                ? services.catalog->Describe(current.context(),
                                             CollectionId{request.collectionid()})
                : services.catalog->Describe(current.context(), request.collection_name());
        ASSIGN_OR_RETURN(auto info, std::move(described));
        const bool in_memory = request.type() == pb::milvus::ShowType::InMemory;
        auto add = [&](const model::PartitionInfo& partition) {
          reply.add_partition_names(partition.name);
          reply.add_partitionids(partition.id.value);
          reply.add_created_timestamps(partition.created);
          reply.add_created_utc_timestamps(
              static_cast<uint64_t>(model::TimestampMs(partition.created)));
          if (!in_memory) return;
          auto load =
              services.catalog->LoadProgress(current.context(), info->name, {partition.name});
          reply.add_inmemory_percentages(load ? load->progress : 0);
        };
        for (const std::string& name : request.partition_names()) {
          const model::PartitionInfo* partition = info->FindPartition(name);
          if (partition == nullptr) return PartitionNotFound(name);
          add(*partition);
        }
        if (request.partition_names_size() != 0) return Status::Ok();
        for (const auto& partition : info->partitions) add(partition);
        return Status::Ok();
      });
}

void GetPartitionStatistics(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetPartitionStatisticsRequest, pb::milvus::GetPartitionStatisticsResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(int64_t rows,
                         services.catalog->RowCount(current.context(), request.collection_name(),
                                                    request.partition_name()));
        PairsToPb({{"row_count", std::to_string(rows)}}, *reply.mutable_stats());
        return Status::Ok();
      });
}

void CreateAlias(const Services& services, CallPtr call) {
  Unary<pb::milvus::CreateAliasRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return services.catalog->Ddl(
            current.context(), service::CreateAlias{current.context().database,
                                                    request.collection_name(), request.alias()});
      });
}

void AlterAlias(const Services& services, CallPtr call) {
  Unary<pb::milvus::AlterAliasRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return services.catalog->Ddl(
            current.context(), service::AlterAlias{current.context().database,
                                                   request.collection_name(), request.alias()});
      });
}

void DropAlias(const Services& services, CallPtr call) {
  Unary<pb::milvus::DropAliasRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) {
        return services.catalog->Ddl(
            current.context(), service::DropAlias{current.context().database, request.alias()});
      });
}

void DescribeAlias(const Services& services, CallPtr call) {
  Unary<pb::milvus::DescribeAliasRequest, pb::milvus::DescribeAliasResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        const std::string& database = current.context().database;
        ASSIGN_OR_RETURN(auto aliases, services.catalog->ListAliases(current.context(), {}));
        for (const auto& [alias, collection] : aliases) {
          if (alias != request.alias()) continue;
          reply.set_db_name(database);
          reply.set_alias(alias);
          reply.set_collection(collection);
          return Status::Ok();
        }
        return {Code::kAliasNotFound,
                "alias not found[database=" + database + "][alias=" + request.alias() + "]"};
      });
}

void ListAliases(const Services& services, CallPtr call) {
  Unary<pb::milvus::ListAliasesRequest, pb::milvus::ListAliasesResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto aliases, services.catalog->ListAliases(current.context(),
                                                                     request.collection_name()));
        reply.set_db_name(current.context().database);
        reply.set_collection_name(request.collection_name());
        for (const auto& pair : aliases) reply.add_aliases(pair.first);
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
