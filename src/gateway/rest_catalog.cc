// REST routes of the catalog: databases, collections, partitions, aliases, indexes, load.
#include <fmt/core.h>

#include <array>
#include <utility>

#include "gateway/description.h"
#include "gateway/progress.h"
#include "gateway/rest_call.h"
#include "gateway/rest_schema.h"

namespace elanus::gateway {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"Strong", "Session", "Bounded", "Eventually",
                                                     "Customized"};
constexpr std::array<std::string_view, 4> kLoadStates = {"LoadStateNotExist", "LoadStateNotLoad",
                                                         "LoadStateLoading", "LoadStateLoaded"};

/// One change of the catalog, answered with {}.
void Change(RestCall& rest, const service::DdlRequest& change) {
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  rest.Done(rest.services.catalog->Ddl(rest.context(), change));
}

std::string Collection(const RestCall& rest) { return rest.body.Text("collectionName"); }

template <class Names>
void WriteNames(RestCall& rest, const Names& names) {
  rest.Data([&](JsonWriter& json) {
    json.BeginArray();
    for (const auto& name : names) json.Text(name);
    json.EndArray();
  });
}

/// The description of the collection a request names; nothing, and the error sent, when there is
/// none.
service::CollectionPtr Described(RestCall& rest) {
  const std::string name = Collection(rest);
  if (!rest.body.fault().ok()) {
    rest.Fail(rest.body.fault());
    return nullptr;
  }
  auto info = rest.services.catalog->Describe(rest.context(), name);
  if (info) return *std::move(info);
  rest.Fail(info.error());
  return nullptr;
}

// ---- collections

void ListCollections(RestCall rest) {
  auto all = rest.services.catalog->ListCollections(rest.context());
  if (!all) return rest.Fail(all.error());
  std::vector<std::string_view> names;
  for (const auto& info : *all) names.push_back(info->name);
  WriteNames(rest, names);
}

void HasCollection(RestCall rest) {
  auto info = rest.services.catalog->Describe(rest.context(), Collection(rest));
  if (!info && info.error().code() != Code::kCollectionNotFound) return rest.Fail(info.error());
  rest.Data(
      [&](JsonWriter& json) { json.BeginObject().Key("has").Bool(info.has_value()).EndObject(); });
}

void WriteIndexes(JsonWriter& json, const model::CollectionInfo& info) {
  json.BeginArray();
  for (const model::IndexInfo& index : info.indexes) {
    const model::FieldSchema* field = info.schema.FindField(index.field);
    const std::string* metric = model::FindValue(index.params, "metric_type");
    json.BeginObject().Key("fieldName").Text(field == nullptr ? "" : field->name);
    json.Key("indexName").Text(index.name);
    json.Key("metricType").Text(metric == nullptr ? std::string_view() : *metric).EndObject();
  }
  json.EndArray();
}

void DescribeCollection(RestCall rest) {
  auto info = Described(rest);
  if (info == nullptr) return;
  auto load = rest.services.catalog->LoadProgress(rest.context(), info->name, {});
  const size_t state = load ? static_cast<size_t>(load->state) : 1;
  rest.Data([&](JsonWriter& json) {
    json.BeginObject().Key("collectionName").Text(info->name);
    json.Key("collectionID").Int64(info->id.value, rest.int64_as_number);
    json.Key("description").Text(info->schema.description);
    json.Key("autoId").Bool(info->schema.auto_id).Key("fields").BeginArray();
    for (const model::FieldSchema& field : info->schema.fields) {
      if (IsShown(field)) WriteField(json, field, rest.int64_as_number);
    }
    json.EndArray().Key("structFields").BeginArray();
    for (const model::StructSchema& one : info->schema.structs) {
      WriteStruct(json, one, info->schema, rest.int64_as_number);
    }
    json.EndArray().Key("functions").BeginArray().EndArray().Key("aliases").BeginArray();
    for (const std::string& alias : info->aliases) json.Text(alias);
    json.EndArray();
    WriteIndexes(json.Key("indexes"), *info);
    json.Key("load").Text(kLoadStates[state]);
    json.Key("shardsNum").Int(static_cast<int64_t>(info->shards.size()));
    json.Key("partitionsNum").Int(static_cast<int64_t>(info->partitions.size()));
    json.Key("consistencyLevel").Text(kLevels[static_cast<size_t>(info->consistency)]);
    json.Key("enableDynamicField").Bool(info->schema.enable_dynamic_field);
    WritePairs(json.Key("properties"), ShownProperties(*info));
    json.EndObject();
  });
}

Result<service::CreateCollection> CreateOf(const RestCall& rest) {
  const RestBody& body = rest.body;
  const RestBody params = body.Object("params");
  const RestBody schema = body.Object("schema");
  service::CreateCollection create{.database = rest.context().database};
  ASSIGN_OR_RETURN(create.schema, schema.Has("fields") ? SchemaOf(schema) : QuickSchemaOf(body));
  create.schema.name = Collection(rest);
  create.shards_num = static_cast<int32_t>(params.Int("shardsNum", 1));
  create.partitions_num = params.Int("partitionsNum", 0);
  const std::string level =
      params.Text("consistencyLevel", body.Text("consistencyLevel", "Bounded"));
  size_t number = 0;
  while (number < kLevels.size() && kLevels[number] != level) ++number;
  if (number == kLevels.size()) {
    return Error(InvalidParameter(
        "consistencyLevel can only be [Strong, Session, Bounded, Eventually, Customized], "
        "default: Bounded",
        "one of them", level));
  }
  create.consistency = static_cast<model::ConsistencyLevel>(number);
  const auto given = body.Pairs("params");
  for (auto [key, property] : {std::pair{"ttlSeconds", "collection.ttl.seconds"},
                               std::pair{"partitionKeyIsolation", "partitionkey.isolation"},
                               std::pair{"mmap.enabled", "mmap.enabled"}}) {
    if (const std::string* value = model::FindValue(given, key); value != nullptr) {
      create.properties.emplace_back(property, *value);
    }
  }
  RETURN_IF_ERROR(body.fault());
  RETURN_IF_ERROR(params.fault());
  return create;
}

service::CreateIndex IndexOf(const RestCall& rest, const RestBody& in) {
  service::CreateIndex index{.database = rest.context().database,
                             .collection = Collection(rest),
                             .field = in.Text("fieldName"),
                             .index_name = in.Text("indexName")};
  auto add = [&](std::string key, std::string value) {
    if (!value.empty()) index.params.emplace_back(std::move(key), std::move(value));
  };
  add("index_type", in.Text("indexType", "AUTOINDEX"));
  add("metric_type", in.Text("metricType"));
  for (auto& [key, value] : in.Pairs("params")) {
    if (key == "index_type" || key == "metric_type") continue;
    add(key, value);
  }
  return index;
}

void CreateCollection(RestCall rest) {
  auto create = CreateOf(rest);
  if (!create) return rest.Fail(create.error());
  const bool quick = !rest.body.Object("schema").Has("fields");
  std::vector<service::CreateIndex> indexes;
  for (const RestBody& in : rest.body.Objects("indexParams")) {
    indexes.push_back(IndexOf(rest, in));
    if (!in.fault().ok()) return rest.Fail(in.fault());
  }
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  if (quick && indexes.empty()) {
    const model::FieldSchema& vector = create->schema.fields[1];
    indexes.push_back({.database = create->database,
                       .collection = create->schema.name,
                       .field = vector.name,
                       .index_name = vector.name,
                       .params = {{"index_type", "AUTOINDEX"},
                                  {"metric_type", rest.body.Text("metricType", "COSINE")}}});
  }
  auto& catalog = *rest.services.catalog;
  const service::SetLoad load{.database = create->database, .collection = create->schema.name};
  Status status = catalog.Ddl(rest.context(), *std::move(create));
  const bool indexed = !indexes.empty();
  for (auto& index : indexes) {
    if (status.ok()) status = catalog.Ddl(rest.context(), std::move(index));
  }
  if (status.ok() && indexed) status = catalog.Ddl(rest.context(), load);
  rest.Done(status);
}

void DropCollection(RestCall rest) {
  Change(rest, service::DropCollection{rest.context().database, Collection(rest)});
}

void RenameCollection(RestCall rest) {
  Change(rest, service::RenameCollection{rest.context().database, Collection(rest),
                                         rest.body.Text("newDbName"),
                                         rest.body.Text("newCollectionName")});
}

void TruncateCollection(RestCall rest) {
  Change(rest, service::TruncateCollection{rest.context().database, Collection(rest)});
}

void AddField(RestCall rest) {
  auto field = FieldOf(rest.body.Object("schema"));
  if (!field) return rest.Fail(field.error());
  Change(rest, service::AddField{.database = rest.context().database,
                                 .collection = Collection(rest),
                                 .field = *std::move(field)});
}

void AddStructField(RestCall rest) {
  service::AddStructField add{.database = rest.context().database, .collection = Collection(rest)};
  if (Status read = StructOf(rest.body.Object("schema"), add.field, add.members); !read.ok()) {
    return rest.Fail(read);
  }
  Change(rest, add);
}

void LoadCollection(RestCall rest) {
  Change(rest,
         service::SetLoad{.database = rest.context().database, .collection = Collection(rest)});
}

void ReleaseCollection(RestCall rest) {
  Change(rest,
         service::SetLoad{
             .database = rest.context().database, .collection = Collection(rest), .load = false});
}

void Flush(RestCall rest) {
  rest.Done(StatusOf(rest.services.data->Flush(rest.context(), {Collection(rest)})));
}

void Compact(RestCall rest) {
  const service::CompactCall compact{.collection = Collection(rest),
                                     .clustering = rest.body.Bool("isClustering", false)};
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto started = rest.services.data->Compact(rest.context(), compact);
  if (!started) return rest.Fail(started.error());
  rest.Data([&](JsonWriter& json) {
    json.BeginObject().Key("compactionID").Int64(started->job, rest.int64_as_number).EndObject();
  });
}

void GetCompactionState(RestCall rest) {
  const int64_t job = rest.body.Int("jobID", 0);
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto found = rest.services.data->CompactionsOfJob(job);
  if (!found) return rest.Fail(found.error());
  const CompactionProgress progress = ProgressOf(found->plans);
  rest.Data([&](JsonWriter& json) {
    json.BeginObject().Key("compactionID").Int64(job, rest.int64_as_number);
    json.Key("state").Text(progress.executing > 0 ? "Executing" : "Completed");
    json.Key("executingPlanNumber").Int(progress.executing);
    json.Key("timeoutPlanNumber").Int(0);
    json.Key("completedPlanNumber").Int(progress.completed).EndObject();
  });
}

void RowCount(RestCall rest) {
  auto rows = rest.services.catalog->RowCount(rest.context(), Collection(rest),
                                              rest.body.Text("partitionName"));
  if (!rows) return rest.Fail(rows.error());
  rest.Data([&](JsonWriter& json) { json.BeginObject().Key("rowCount").Int(*rows).EndObject(); });
}

void GetLoadState(RestCall rest) {
  auto load = rest.services.catalog->LoadProgress(rest.context(), Collection(rest),
                                                  rest.body.Texts("partitionNames"));
  if (!load) return rest.Fail(load.error());
  rest.Data([&](JsonWriter& json) {
    json.BeginObject().Key("loadState").Text(kLoadStates[static_cast<size_t>(load->state)]);
    json.Key("loadProgress").Int(load->progress);
    if (!load->fault.ok()) json.Key("message").Text(load->fault.message());
    json.EndObject();
  });
}

// ---- partitions

void ListPartitions(RestCall rest) {
  auto info = Described(rest);
  if (info == nullptr) return;
  std::vector<std::string_view> names;
  for (const auto& partition : info->partitions) names.push_back(partition.name);
  WriteNames(rest, names);
}

void HasPartition(RestCall rest) {
  const std::string collection = Collection(rest);
  const std::string partition = rest.body.Text("partitionName");
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  auto has = rest.services.catalog->HasPartition(rest.context(), collection, partition);
  if (!has) return rest.Fail(has.error());
  rest.Data([&](JsonWriter& json) { json.BeginObject().Key("has").Bool(*has).EndObject(); });
}

void CreatePartition(RestCall rest) {
  Change(rest, service::CreatePartition{rest.context().database, Collection(rest),
                                        rest.body.Text("partitionName")});
}

void DropPartition(RestCall rest) {
  Change(rest, service::DropPartition{rest.context().database, Collection(rest),
                                      rest.body.Text("partitionName")});
}

void SetPartitionsLoad(RestCall& rest, bool load) {
  Change(rest, service::SetLoad{.database = rest.context().database,
                                .collection = Collection(rest),
                                .load = load,
                                .partitions_given = true,
                                .partitions = rest.body.Texts("partitionNames")});
}

void LoadPartitions(RestCall rest) { SetPartitionsLoad(rest, true); }
void ReleasePartitions(RestCall rest) { SetPartitionsLoad(rest, false); }

// ---- aliases

void ListAliases(RestCall rest) {
  auto aliases = rest.services.catalog->ListAliases(rest.context(), Collection(rest));
  if (!aliases) return rest.Fail(aliases.error());
  std::vector<std::string_view> names;
  for (const auto& pair : *aliases) names.push_back(pair.first);
  WriteNames(rest, names);
}

void DescribeAlias(RestCall rest) {
  const std::string name = rest.body.Text("aliasName");
  auto aliases = rest.services.catalog->ListAliases(rest.context(), {});
  if (!aliases) return rest.Fail(aliases.error());
  for (const auto& [alias, collection] : *aliases) {
    if (alias != name) continue;
    return rest.Data([&](JsonWriter& json) {
      json.BeginObject().Key("dbName").Text(rest.context().database);
      json.Key("collectionName").Text(collection).Key("aliasName").Text(alias).EndObject();
    });
  }
  rest.Fail(Status(Code::kAliasNotFound, fmt::format("alias not found[database={}][alias={}]",
                                                     rest.context().database, name)));
}

void CreateAlias(RestCall rest) {
  Change(rest, service::CreateAlias{rest.context().database, Collection(rest),
                                    rest.body.Text("aliasName")});
}

void AlterAlias(RestCall rest) {
  Change(rest, service::AlterAlias{rest.context().database, Collection(rest),
                                   rest.body.Text("aliasName")});
}

void DropAlias(RestCall rest) {
  Change(rest, service::DropAlias{rest.context().database, rest.body.Text("aliasName")});
}

// ---- indexes

void ListIndexes(RestCall rest) {
  auto info = Described(rest);
  if (info == nullptr) return;
  std::vector<std::string_view> names;
  for (const auto& index : info->indexes) names.push_back(index.name);
  WriteNames(rest, names);
}

void WriteIndex(JsonWriter& json, const service::IndexDescription& index) {
  auto param = [&](std::string_view key) {
    const std::string* value = model::FindValue(index.info.params, key);
    return value == nullptr ? std::string_view() : std::string_view(*value);
  };
  json.BeginObject().Key("indexName").Text(index.info.name).Key("fieldName").Text(index.field_name);
  json.Key("indexType").Text(param("index_type")).Key("metricType").Text(param("metric_type"));
  json.Key("totalRows").Int(index.total_rows).Key("pendingRows").Int(index.pending_rows);
  json.Key("indexedRows").Int(index.indexed_rows);
  json.Key("indexState")
      .Text(!index.fail_reason.empty() ? "Failed"
            : index.finished           ? "Finished"
                                       : "InProgress");
  json.Key("failReason").Text(index.fail_reason);
  WritePairs(json.Key("indexParams"), index.info.params);
  json.EndObject();
}

void DescribeIndex(RestCall rest) {
  auto found = rest.services.catalog->DescribeIndex(rest.context(), Collection(rest), {},
                                                    rest.body.Text("indexName"));
  if (!found) return rest.Fail(found.error());
  rest.Data([&](JsonWriter& json) {
    json.BeginArray();
    for (const auto& index : *found) WriteIndex(json, index);
    json.EndArray();
  });
}

void CreateIndexes(RestCall rest) {
  Status status;
  for (const RestBody& in : rest.body.Objects("indexParams")) {
    service::CreateIndex index = IndexOf(rest, in);
    if (!in.fault().ok()) return rest.Fail(in.fault());
    if (status.ok()) status = rest.services.catalog->Ddl(rest.context(), std::move(index));
  }
  if (status.ok()) status = rest.body.fault();
  rest.Done(status);
}

void DropIndex(RestCall rest) {
  Change(rest, service::DropIndex{.database = rest.context().database,
                                  .collection = Collection(rest),
                                  .index_name = rest.body.Text("indexName")});
}

// ---- databases

void ListDatabases(RestCall rest) {
  const auto databases = rest.services.catalog->ListDatabases();
  std::vector<std::string_view> names;
  for (const auto& database : databases) names.push_back(database.name);
  WriteNames(rest, names);
}

void DescribeDatabase(RestCall rest) {
  auto database = rest.services.catalog->DescribeDatabase(rest.body.Text("dbName"));
  if (!database) return rest.Fail(database.error());
  rest.Data([&](JsonWriter& json) {
    json.BeginObject().Key("dbName").Text(database->name);
    json.Key("dbID").Int64(database->id.value, rest.int64_as_number);
    WritePairs(json.Key("properties"), database->properties);
    json.EndObject();
  });
}

void CreateDatabase(RestCall rest) {
  Change(rest, service::CreateDatabase{rest.body.Text("dbName"), rest.body.Pairs("properties")});
}

void DropDatabase(RestCall rest) { Change(rest, service::DropDatabase{rest.body.Text("dbName")}); }

constexpr RestRoute kRoutes[] = {
    {"collections/list", "ShowCollections", ListCollections, ""},
    {"collections/has", "HasCollection", HasCollection, "collectionName"},
    {"collections/describe", "DescribeCollection", DescribeCollection, "collectionName"},
    {"collections/create", "CreateCollection", CreateCollection, "collectionName"},
    {"collections/drop", "DropCollection", DropCollection, "collectionName"},
    {"collections/rename", "RenameCollection", RenameCollection,
     "collectionName newCollectionName"},
    {"collections/truncate", "TruncateCollection", TruncateCollection, "collectionName"},
    {"collections/fields/add", "AddCollectionField", AddField, "collectionName schema"},
    {"collections/struct_fields/add", "AddCollectionStructField", AddStructField,
     "collectionName schema"},
    {"collections/load", "LoadCollection", LoadCollection, "collectionName"},
    {"collections/release", "ReleaseCollection", ReleaseCollection, "collectionName"},
    {"collections/flush", "Flush", Flush, "collectionName"},
    {"collections/compact", "ManualCompaction", Compact, "collectionName"},
    {"collections/get_compaction_state", "GetCompactionState", GetCompactionState, ""},
    {"collections/get_stats", "GetCollectionStatistics", RowCount, "collectionName"},
    {"collections/get_load_state", "GetLoadState", GetLoadState, "collectionName"},
    {"partitions/list", "ShowPartitions", ListPartitions, "collectionName"},
    {"partitions/has", "HasPartition", HasPartition, "collectionName partitionName"},
    {"partitions/create", "CreatePartition", CreatePartition, "collectionName partitionName"},
    {"partitions/drop", "DropPartition", DropPartition, "collectionName partitionName"},
    {"partitions/load", "LoadPartitions", LoadPartitions, "collectionName partitionNames"},
    {"partitions/release", "ReleasePartitions", ReleasePartitions, "collectionName partitionNames"},
    {"partitions/get_stats", "GetPartitionStatistics", RowCount, "collectionName partitionName"},
    {"aliases/list", "ListAliases", ListAliases, ""},
    {"aliases/describe", "DescribeAlias", DescribeAlias, "aliasName"},
    {"aliases/create", "CreateAlias", CreateAlias, "collectionName aliasName"},
    {"aliases/alter", "AlterAlias", AlterAlias, "collectionName aliasName"},
    {"aliases/drop", "DropAlias", DropAlias, "aliasName"},
    {"indexes/list", "DescribeIndex", ListIndexes, "collectionName"},
    {"indexes/describe", "DescribeIndex", DescribeIndex, "collectionName indexName"},
    {"indexes/create", "CreateIndex", CreateIndexes, "collectionName indexParams"},
    {"indexes/drop", "DropIndex", DropIndex, "collectionName indexName"},
    {"databases/list", "ListDatabases", ListDatabases, ""},
    {"databases/describe", "DescribeDatabase", DescribeDatabase, "dbName"},
    {"databases/create", "CreateDatabase", CreateDatabase, "dbName"},
    {"databases/drop", "DropDatabase", DropDatabase, "dbName"},
};

}  // namespace

std::span<const RestRoute> RestCatalogRoutes() { return kRoutes; }

}  // namespace elanus::gateway
