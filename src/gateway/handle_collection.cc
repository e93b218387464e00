// Databases, collections and their descriptions.
#include <fmt/core.h>

#include "gateway/description.h"
#include "gateway/handlers.h"
#include "gateway/schema_wire.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"
#include "service/namespaces.h"

namespace elanus::gateway::handle {
namespace {

std::vector<std::string> Strings(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

/// A call that is one change of the catalog: `make(request, database)` gives the change.
template <class Request, class Reply = pb::common::Status, class Make>
void Change(const Services& services, Call& call, Make&& make) {
  Unary<Request, Reply>(call, [&](const Request& request, Call& current, Reply&) -> Status {
    ASSIGN_OR_RETURN(service::DdlRequest change,
                     make(request, std::as_const(current.context().database)));
    return services.catalog->Ddl(current.context(), change);
  });
}

using Ddl = Result<service::DdlRequest>;

/// The collection a request names, by number where it gives no name.
Result<service::CollectionPtr> Named(const Services& services, const Call& call,
                                     const std::string& name, int64_t id) {
  if (name.empty() && id != 0) return services.catalog->Describe(call.context(), CollectionId{id});
  return services.catalog->Describe(call.context(), name);
}

void FillDescription(const model::CollectionInfo& info,
                     pb::milvus::DescribeCollectionResponse& out) {
  SchemaToPb(info.schema, *out.mutable_schema());
  out.mutable_schema()->set_name(info.name);
  out.mutable_schema()->set_enable_namespace(service::HasNamespaces(info));
  out.set_collectionid(info.id.value);
  for (size_t i = 0; i < info.shards.size(); ++i) {
    out.add_virtual_channel_names(ChannelName(info, i));
    out.add_physical_channel_names(fmt::format("elanus-dml_{}", i));
  }
  out.set_created_timestamp(info.created);
  out.set_created_utc_timestamp(static_cast<uint64_t>(model::TimestampMs(info.created)));
  out.set_shards_num(static_cast<int32_t>(info.shards.size()));
  for (const std::string& alias : info.aliases) out.add_aliases(alias);
  out.set_consistency_level(static_cast<pb::common::ConsistencyLevel>(info.consistency));
  out.set_collection_name(info.name);
  PairsToPb(ShownProperties(info), *out.mutable_properties());
  out.set_db_name(info.database_name);
  out.set_num_partitions(static_cast<int64_t>(info.partitions.size()));
  out.set_db_id(info.database.value);
  out.set_update_timestamp(info.updated);
  out.set_update_timestamp_str(std::to_string(info.updated));
}

/// Which field a schema change drops; its collection is left empty.
Result<service::DropField> DropOf(const pb::milvus::AlterCollectionSchemaRequest::DropRequest& in) {
  if (in.has_function_name())
    return Error(InvalidParameter(fmt::format("function not found: {}", in.function_name())));
  service::DropField drop{.field = in.field_name(), .id = FieldId{in.field_id()}};
  if (drop.field.empty() && drop.id.value <= 0) {
    return Error(InvalidParameter("drop request must name a field or a function"));
  }
  return drop;
}

/// Which field a schema change adds, and the index on it; its collection is left empty.
Result<service::AddField> AdditionOf(
    const pb::milvus::AlterCollectionSchemaRequest::AddRequest& in) {
  if (in.func_schema_size() != 0)
    return Error(Code::kUnimplemented,
                 "functions in a schema are not supported: service unimplemented");
  if (in.field_infos_size() != 1)
    return Error(InvalidParameter("a schema change adds one field at a time"));
  const auto& added = in.field_infos(0);
  service::AddField add;
  ASSIGN_OR_RETURN(add.field, FieldFromPb(added.field_schema()));
  if (added.index_name().empty() && added.extra_params_size() == 0) return add;
  add.index.emplace().index_name = added.index_name();
  ASSIGN_OR_RETURN(add.index->params, IndexParamsFromPb(added.extra_params()));
  return add;
}

}  // namespace

void CreateDatabase(const Services& services, CallPtr call) {
  Change<pb::milvus::CreateDatabaseRequest>(
      services, *call, [](const auto& request, const std::string&) -> Ddl {
        return service::CreateDatabase{request.db_name(), PairsFromPb(request.properties())};
      });
}

void DropDatabase(const Services& services, CallPtr call) {
  Change<pb::milvus::DropDatabaseRequest>(services, *call,
                                          [](const auto& request, const std::string&) -> Ddl {
                                            return service::DropDatabase{request.db_name()};
                                          });
}

void AlterDatabase(const Services& services, CallPtr call) {
  Change<pb::milvus::AlterDatabaseRequest>(
      services, *call, [](const auto& request, const std::string&) -> Ddl {
        return service::AlterDatabase{request.db_name(), PairsFromPb(request.properties()),
                                      Strings(request.delete_keys())};
      });
}

void ListDatabases(const Services& services, CallPtr call) {
  Unary<pb::milvus::ListDatabasesRequest, pb::milvus::ListDatabasesResponse>(
      *call, [&](const auto&, Call&, auto& reply) {
        for (const model::DatabaseInfo& database : services.catalog->ListDatabases()) {
          reply.add_db_names(database.name);
          reply.add_created_timestamp(database.created);
          reply.add_db_ids(database.id.value);
        }
        return Status::Ok();
      });
}

void DescribeDatabase(const Services& services, CallPtr call) {
  Unary<pb::milvus::DescribeDatabaseRequest, pb::milvus::DescribeDatabaseResponse>(
      *call, [&](const auto& request, Call&, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto database, services.catalog->DescribeDatabase(request.db_name()));
        reply.set_db_name(database.name);
        reply.set_dbid(database.id.value);
        reply.set_created_timestamp(database.created);
        PairsToPb(database.properties, *reply.mutable_properties());
        return Status::Ok();
      });
}

void CreateCollection(const Services& services, CallPtr call) {
  Change<pb::milvus::CreateCollectionRequest>(
      services, *call, [](const auto& request, const std::string& database) -> Ddl {
        bool namespaces = false;
        ASSIGN_OR_RETURN(auto schema, SchemaFromBytes(request.schema(), &namespaces));
        // The request's name is the one that counts, as in Milvus.
        schema.name = request.collection_name();
        service::CreateCollection change{.database = database, .schema = std::move(schema)};
        change.shards_num = request.shards_num();
        change.consistency = static_cast<model::ConsistencyLevel>(request.consistency_level());
        change.properties = PairsFromPb(request.properties());
        change.partitions_num = request.num_partitions();
        change.namespaces = namespaces;
        return change;
      });
}

void DropCollection(const Services& services, CallPtr call) {
  Change<pb::milvus::DropCollectionRequest>(
      services, *call, [](const auto& request, const std::string& database) -> Ddl {
        return service::DropCollection{database, request.collection_name()};
      });
}

void TruncateCollection(const Services& services, CallPtr call) {
  Change<pb::milvus::TruncateCollectionRequest, pb::milvus::TruncateCollectionResponse>(
      services, *call, [](const auto& request, const std::string& database) -> Ddl {
        return service::TruncateCollection{database, request.collection_name()};
      });
}

void RenameCollection(const Services& services, CallPtr call) {
  Change<pb::milvus::RenameCollectionRequest>(
      services, *call, [](const auto& request, const std::string& database) -> Ddl {
        return service::RenameCollection{database, request.oldname(), request.newdbname(),
                                         request.newname()};
      });
}

void AlterCollection(const Services& services, CallPtr call) {
  Unary<pb::milvus::AlterCollectionRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) -> Status {
        service::AlterCollection change{.database = current.context().database,
                                        .collection = request.collection_name()};
        if (change.collection.empty() && request.collectionid() != 0) {
          ASSIGN_OR_RETURN(auto info, Named(services, current, {}, request.collectionid()));
          change.collection = info->name;
        }
        change.properties = PairsFromPb(request.properties());
        change.delete_keys = Strings(request.delete_keys());
        return services.catalog->Ddl(current.context(), change);
      });
}

void AlterCollectionField(const Services& services, CallPtr call) {
  Change<pb::milvus::AlterCollectionFieldRequest>(
      services, *call, [](const auto& request, const std::string& database) -> Ddl {
        return service::AlterField{database, request.collection_name(), request.field_name(),
                                   PairsFromPb(request.properties()),
                                   Strings(request.delete_keys())};
      });
}

void AddCollectionField(const Services& services, CallPtr call) {
  Change<pb::milvus::AddCollectionFieldRequest>(
      services, *call, [](const auto& request, const std::string& database) -> Ddl {
        ASSIGN_OR_RETURN(auto field, FieldFromBytes(request.schema()));
        return service::AddField{.database = database,
                                 .collection = request.collection_name(),
                                 .field = std::move(field)};
      });
}

void AddCollectionStructField(const Services& services, CallPtr call) {
  Unary<pb::milvus::AddCollectionStructFieldRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) -> Status {
        service::AddStructField change{.database = current.context().database,
                                       .collection = request.collection_name()};
        if (!request.has_struct_array_field_schema()) {
          return InvalidParameter("struct array field schema is nil");
        }
        if (change.collection.empty() && request.collectionid() != 0) {
          ASSIGN_OR_RETURN(auto info, Named(services, current, {}, request.collectionid()));
          change.collection = info->name;
        }
        RETURN_IF_ERROR(
            StructFromPb(request.struct_array_field_schema(), change.field, change.members));
        return services.catalog->Ddl(current.context(), change);
      });
}

void AlterCollectionSchema(const Services& services, CallPtr call) {
  using Request = pb::milvus::AlterCollectionSchemaRequest;
  Unary<Request, pb::milvus::AlterCollectionSchemaResponse>(
      *call, [&](const Request& request, Call& current, auto&) -> Status {
        ASSIGN_OR_RETURN(
            auto info, Named(services, current, request.collection_name(), request.collectionid()));
        const std::string& database = current.context().database;
        if (request.action().has_drop_request()) {
          ASSIGN_OR_RETURN(auto drop, DropOf(request.action().drop_request()));
          drop.database = database;
          drop.collection = info->name;
          return services.catalog->Ddl(current.context(), drop);
        }
        ASSIGN_OR_RETURN(auto add, AdditionOf(request.action().add_request()));
        add.database = database;
        add.collection = info->name;
        return services.catalog->Ddl(current.context(), std::move(add));
      });
}

void HasCollection(const Services& services, CallPtr call) {
  Unary<pb::milvus::HasCollectionRequest, pb::milvus::BoolResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        auto info = services.catalog->Describe(current.context(), request.collection_name());
        if (!info && info.error().code() != Code::kCollectionNotFound) return info.error();
        reply.set_value(info.has_value());
        return Status::Ok();
      });
}

void DescribeCollection(const Services& services, CallPtr call) {
  Unary<pb::milvus::DescribeCollectionRequest, pb::milvus::DescribeCollectionResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(
            auto info, Named(services, current, request.collection_name(), request.collectionid()));
        FillDescription(*info, reply);
        return Status::Ok();
      });
}

void BatchDescribeCollection(const Services& services, CallPtr call) {
  Unary<pb::milvus::BatchDescribeCollectionRequest, pb::milvus::BatchDescribeCollectionResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        auto describe = [&](const std::string& name, int64_t id) {
          auto& one = *reply.add_responses();
          auto info = Named(services, current, name, id);
          FillStatus(StatusOf(info), *one.mutable_status());
          if (info) FillDescription(**info, one);
        };
        for (const std::string& name : request.collection_name()) describe(name, 0);
        for (int64_t id : request.collectionid()) describe({}, id);
        return Status::Ok();
      });
}

void ShowCollections(const Services& services, CallPtr call) {
  Unary<pb::milvus::ShowCollectionsRequest, pb::milvus::ShowCollectionsResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        const bool in_memory = request.type() == pb::milvus::ShowType::InMemory;
        ASSIGN_OR_RETURN(auto collections, services.catalog->ListCollections(current.context()));
        for (const auto& info : collections) {
          if (in_memory && !info->loaded) continue;
          reply.add_collection_names(info->name);
          reply.add_collection_ids(info->id.value);
          reply.add_created_timestamps(info->created);
          reply.add_created_utc_timestamps(
              static_cast<uint64_t>(model::TimestampMs(info->created)));
          reply.add_shards_num(static_cast<int32_t>(info->shards.size()));
          if (!in_memory) continue;
          auto load = services.catalog->LoadProgress(current.context(), info->name, {});
          reply.add_inmemory_percentages(load ? load->progress : 0);
          reply.add_query_service_available(load && load->state == service::LoadState::kLoaded);
        }
        return Status::Ok();
      });
}

void GetCollectionStatistics(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetCollectionStatisticsRequest, pb::milvus::GetCollectionStatisticsResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(int64_t rows, services.catalog->RowCount(current.context(),
                                                                  request.collection_name(), {}));
        PairsToPb({{"row_count", std::to_string(rows)}}, *reply.mutable_stats());
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
