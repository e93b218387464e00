// What tests of the proxy share: a collection, a fake coordinator and fake shards under it.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "proxy/fake_coordinator.h"
#include "proxy/fake_shards.h"
#include "proxy/router.h"
#include "proxy/row_frontend.h"

namespace elanus::proxy {

inline void ExpectError(const Status& status, Code code, const std::string& text) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(text), std::string::npos)
      << "got:  " << status.message() << "\nwant: " << text;
}

inline model::FieldSchema Field(int64_t id, const std::string& name, model::DataType type,
                                model::KeyValues params = {}) {
  return {.id = FieldId{id}, .name = name, .type = type, .type_params = std::move(params)};
}

/// id (Int64 key), v (FloatVector of 2), s (VarChar 10, default "none"), n (Int64, nullable),
/// $meta; two shards, partitions _default and p, indexed and loaded.
inline model::CollectionInfo SampleCollection() {
  using model::DataType;
  model::CollectionInfo info{.id = CollectionId{7},
                             .database = DatabaseId{1},
                             .database_name = "default",
                             .name = "c",
                             .shards = {ShardId{21}, ShardId{22}},
                             .consistency = model::ConsistencyLevel::kStrong,
                             .created = 5,
                             .updated = 6,
                             .loaded = true,
                             .replica_number = 1};
  auto& schema = info.schema;
  schema.name = "c";
  schema.enable_dynamic_field = true;
  schema.fields = {Field(100, "id", DataType::kInt64),
                   Field(101, "v", DataType::kFloatVector, {{"dim", "2"}}),
                   Field(102, "s", DataType::kVarChar, {{"max_length", "10"}}),
                   Field(103, "n", DataType::kInt64), Field(104, "$meta", DataType::kJson)};
  schema.fields[0].is_primary = true;
  schema.fields[2].default_value = model::Scalar(std::string("none"));
  schema.fields[3].nullable = true;
  schema.fields[4].is_dynamic = true;
  info.partitions = {{.id = PartitionId{11}, .name = "_default", .loaded = true},
                     {.id = PartitionId{12}, .name = "p", .loaded = true}};
  info.indexes = {{.id = IndexId{31},
                   .name = "v",
                   .field = FieldId{101},
                   .params = {{"index_type", "HNSW"}, {"metric_type", "L2"}}}};
  return info;
}

inline service::UserColumn Ints(const std::string& name, const std::vector<int64_t>& values) {
  model::Column column = model::MakeColumn(FieldId{}, model::DataType::kInt64);
  for (int64_t value : values) column.Append(value);
  return {.name = name, .column = std::move(column)};
}

inline service::UserColumn Texts(const std::string& name, const std::vector<std::string>& values,
                                 model::DataType type = model::DataType::kVarChar) {
  model::Column column = model::MakeColumn(FieldId{}, type);
  for (const auto& value : values) column.AppendValue(value);
  return {.name = name, .column = std::move(column)};
}

inline service::UserColumn Vectors(const std::string& name, const std::vector<float>& values,
                                   int64_t dim = 2) {
  model::Column column = model::MakeColumn(FieldId{}, model::DataType::kFloatVector, dim);
  column.fixed.assign(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  column.rows = values.size() / static_cast<size_t>(dim);
  return {.name = name, .column = std::move(column)};
}

inline service::UserColumn Dynamic(const std::vector<std::string>& values) {
  auto column = Texts("$meta", values, model::DataType::kJson);
  column.is_dynamic = true;
  return column;
}

struct FrontendTest : ::testing::Test {
  FakeClock wall;
  model::HybridClock clock{wall};
  FakeCoordinator coordinator;
  FakeShards shards{clock, FieldId{100}};
  RowFrontend frontend{coordinator, shards, clock};
  service::CallContext call;

  void SetUp() override { Use(SampleCollection()); }
  void Use(model::CollectionInfo info) {
    auto shared = std::make_shared<const model::CollectionInfo>(std::move(info));
    coordinator.collections[shared->name] = shared;
  }

  Result<service::MutationReply> Mutate(service::MutationCall mutation) {
    std::optional<Result<service::MutationReply>> reply;
    frontend.Mutate(call, std::move(mutation), [&](auto result) { reply = std::move(result); });
    EXPECT_TRUE(reply.has_value());
    return *reply;
  }
  Result<service::MutationReply> Write(service::MutationKind kind,
                                       std::vector<service::UserColumn> columns,
                                       const std::string& partition = "") {
    const auto rows = static_cast<int64_t>(columns.front().column.rows);
    return Mutate({.kind = kind,
                   .collection = "c",
                   .partition = partition,
                   .columns = std::move(columns),
                   .num_rows = rows});
  }
  Result<service::MutationReply> Insert(std::vector<service::UserColumn> columns,
                                        const std::string& partition = "") {
    return Write(service::MutationKind::kInsert, std::move(columns), partition);
  }
  /// Rows with keys 0.. and vectors (key, 0).
  void InsertLine(int64_t count) {
    std::vector<int64_t> keys;
    std::vector<float> vectors;
    for (int64_t i = 0; i < count; ++i) {
      keys.push_back(i);
      vectors.insert(vectors.end(), {static_cast<float>(i), 0});
    }
    ASSERT_TRUE(Insert({Ints("id", keys), Vectors("v", vectors)}).has_value());
  }
  size_t RowCount() {
    size_t count = 0;
    for (const auto& [shard, rows] : shards.rows) count += rows.size();
    return count;
  }
  service::SearchCall SearchFrom(std::vector<float> query, const std::string& limit = "3") {
    service::SearchCall search{.collection = "c", .params = {{"topk", limit}}};
    search.nq = static_cast<int64_t>(query.size() / 2);
    search.vectors.assign(reinterpret_cast<const char*>(query.data()), query.size() * 4);
    return search;
  }
};

}  // namespace elanus::proxy
