#include "proxy/write_path.h"

#include <gtest/gtest.h>

#include <limits>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using service::MutationKind;

TEST_F(FrontendTest, InsertFillsDefaultsNullsAndTheDynamicField) {
  auto reply = Insert({Ints("id", {3, 1, 2}), Vectors("v", {1, 2, 3, 4, 5, 6})});
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(reply->count, 3);
  EXPECT_EQ(reply->keys.ints, (std::vector<int64_t>{3, 1, 2}));
  EXPECT_EQ(RowCount(), 3u);
  for (const auto& write : shards.writes) {
    EXPECT_EQ(write.rows.columns.size(), 5u);
    EXPECT_TRUE(write.rows.Validate().ok());
    EXPECT_EQ(write.rows.Find(FieldId{102})->StringAt(0), "none");
    EXPECT_TRUE(write.rows.Find(FieldId{103})->IsNull(0));
    EXPECT_EQ(write.rows.Find(FieldId{104})->StringAt(0), "{}");
    EXPECT_EQ(write.partition, PartitionId{11});
    EXPECT_TRUE(write.deletes.empty());
  }
}

TEST_F(FrontendTest, InsertSendsEachRowToTheShardOfItsKey) {
  InsertLine(100);
  ASSERT_EQ(shards.writes.size(), 2u);
  for (const auto& [shard, rows] : shards.rows) {
    for (const auto& row : rows) {
      const auto key = std::get<int64_t>(row.key);
      EXPECT_EQ(shard, ShardId{21 + static_cast<int64_t>(ShardOf(key, 2))});
      EXPECT_EQ(row.row.Find(FieldId{101})->Values<float>()[0], static_cast<float>(key));
    }
  }
}

TEST_F(FrontendTest, InsertPutsTheDefaultWhereNullWasSent) {
  auto s = Texts("s", {"", "b"});
  s.column.valid = {0, 1};
  auto n = Ints("n", {0, 5});
  n.column.valid = {0, 1};
  ASSERT_TRUE(Insert({Ints("id", {1, 2}), Vectors("v", {1, 2, 3, 4}), std::move(s), std::move(n)}));
  for (const auto& [shard, rows] : shards.rows) {
    for (const auto& row : rows) {
      const bool first = std::get<int64_t>(row.key) == 1;
      EXPECT_EQ(row.row.Find(FieldId{102})->StringAt(0), first ? "none" : "b");
      EXPECT_EQ(row.row.Find(FieldId{103})->IsNull(0), first);
    }
  }
}

TEST_F(FrontendTest, InsertAnswersOnceAfterTheLastShard) {
  shards.hold = true;
  int answers = 0;
  service::MutationCall mutation{.collection = "c", .num_rows = 4};
  mutation.columns.push_back(Ints("id", {0, 1, 2, 3}));
  mutation.columns.push_back(Vectors("v", std::vector<float>(8)));
  model::Timestamp timestamp = 0;
  frontend.Mutate(call, std::move(mutation), [&](auto reply) {
    ++answers;
    timestamp = reply->timestamp;
  });
  ASSERT_EQ(shards.held.size(), 2u);
  shards.held[1].first(shards.held[1].second);
  EXPECT_EQ(answers, 0);
  shards.held[0].first(shards.held[0].second);
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(timestamp, shards.held[1].second.timestamp) << "the largest of both";
}

TEST_F(FrontendTest, InsertPassesOnTheErrorOfAShard) {
  shards.write_error = {Code::kQueueFull, "too many concurrent requests, queue is full"};
  ExpectError(StatusOf(Insert({Ints("id", {1}), Vectors("v", {1, 2})})), Code::kQueueFull,
              "queue is full");
}

TEST_F(FrontendTest, AutoIdsAreUniqueAndGrowing) {
  auto info = SampleCollection();
  info.schema.fields[0].auto_id = true;
  Use(info);
  int64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    auto reply = Insert({Vectors("v", {1, 2, 3, 4})});
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    for (int64_t id : reply->keys.ints) {
      EXPECT_GT(id, last);
      last = id;
    }
  }
  ExpectError(StatusOf(Insert({Ints("id", {1}), Vectors("v", {1, 2})})), Code::kInvalidParameter,
              "more fieldData has pass in: invalid parameter");
  info.properties = {{"allow_insert_auto_id", "true"}};
  Use(info);
  auto reply = Insert({Ints("id", {1}), Vectors("v", {1, 2})});
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->keys.ints, std::vector<int64_t>{1});
}

TEST_F(FrontendTest, WritesAreRefusedWithMilvusTexts) {
  auto refused = [&](std::vector<service::UserColumn> columns, const std::string& text,
                     const std::string& partition = "", Code code = Code::kInvalidParameter) {
    ExpectError(StatusOf(Insert(std::move(columns), partition)), code, text);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  refused({Ints("id", {1})},
          "fieldSchema(v) has no corresponding fieldData pass in: invalid parameter");
  refused({Ints("id", {1}), Vectors("v", {1, 2}), Ints("x", {1})},
          "more fieldData has pass in: invalid parameter");
  refused({Ints("id", {1}), Ints("id", {1}), Vectors("v", {1, 2})}, "duplicated field id found");
  refused({Ints("id", {1, 2}), Vectors("v", {1, 2})},
          "the num_rows (1) of field (v) is not equal to passed num_rows (2): invalid "
          "parameter[expected=2][actual=1]");
  refused({Ints("id", {1}), Vectors("v", {1, 2, 3}, 3)},
          "the length(3) of float data should divide the dim(2)");
  refused({Ints("id", {1, 2, 3}), Vectors("v", {1, 2, 3, 4, 5, 6}, 3)},
          "the dim (3) of field data(v) is not equal to schema dim (2)");
  refused({Ints("id", {1}), Vectors("v", {1, nan})}, "value 'NaN' is not a number or infinity");
  refused({Ints("id", {1}), Vectors("v", {1, infinity})},
          "value '+Inf' is not a number or infinity");
  refused({Ints("id", {1}), Vectors("v", {-infinity, 0})},
          "value '-Inf' is not a number or infinity");
  refused(
      {Ints("id", {1}), Vectors("v", {1, 2}), Texts("s", {"longer than ten"})},
      "length of varchar field s exceeds max length, row number: 0, length: 15, max length: 10");
  refused({Texts("id", {"a"}), Vectors("v", {1, 2})},
          "field id is illegal, array type mismatch: invalid parameter[expected=need Int64 "
          "array][actual=got VarChar]");
  refused({Ints("id", {1}), Vectors("v", {1, 2}), Dynamic({"[1]"})},
          "invalid dynamic field data, only json map is supported: [1]");
  refused({Ints("id", {1}), Vectors("v", {1, 2}), Dynamic({R"({"s": 1})"})},
          "dynamic field name cannot include the static field name: s");
  refused({Ints("id", {1}), Vectors("v", {1, 2}), Dynamic({R"({"$meta": 1})"})},
          "cannot set json key to: $meta");
  refused({Ints("id", {1}), Vectors("v", {1, 2}),
           Dynamic({"{\"k\":\"" + std::string(65'536, 'x') + "\"}"})},
          "of dynamic field ($meta) exceeds max length (65536)");
  refused({Ints("id", {1}), Vectors("v", {1, 2})}, "partition not found[partition=q]", "q",
          Code::kPartitionNotFound);
  refused({Ints("id", {1}), Vectors("v", {1, 2})},
          "Invalid partition name: . Partition name should not be empty.", " ");
  auto nulls = Ints("id", {0, 1});
  nulls.column.valid = {0, 1};
  refused({std::move(nulls), Vectors("v", {1, 2, 3, 4})},
          "the num_rows (1) of field (id) is not equal to passed num_rows (2)");
  service::MutationCall none{.collection = "c"};
  ExpectError(StatusOf(Mutate(std::move(none))), Code::kInvalidParameter,
              "num_rows should be greater than 0: invalid parameter");
  EXPECT_TRUE(shards.writes.empty()) << "nothing half written";
}

TEST_F(FrontendTest, WritesCheckTheSchemaTheClientKnows) {
  service::MutationCall mutation{.collection = "c", .num_rows = 1, .schema_timestamp = 5};
  mutation.columns.push_back(Ints("id", {1}));
  mutation.columns.push_back(Vectors("v", {1, 2}));
  ExpectError(StatusOf(Mutate(std::move(mutation))), Code::kSchemaMismatch,
              "collection schema mismatch");
  mutation = {.collection = "c", .num_rows = 1, .schema_timestamp = 6};
  mutation.columns.push_back(Ints("id", {1}));
  mutation.columns.push_back(Vectors("v", {1, 2}));
  EXPECT_TRUE(Mutate(std::move(mutation)).has_value());
}

TEST_F(FrontendTest, UpsertDeletesTheOldRowsInTheSameWrite) {
  InsertLine(10);
  shards.writes.clear();
  auto reply = Write(MutationKind::kUpsert, {Ints("id", {3, 4}), Vectors("v", {9, 9, 8, 8})});
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_EQ(RowCount(), 10u);
  for (const auto& write : shards.writes) {
    EXPECT_EQ(write.deletes, model::PrimaryKeys::FromColumn(*write.rows.Find(FieldId{100})));
    EXPECT_FALSE(write.delete_everywhere) << "as in Milvus, only in its own partition";
  }
  ExpectError(
      StatusOf(Write(MutationKind::kUpsert, {Ints("id", {3, 3}), Vectors("v", {9, 9, 8, 8})})),
      Code::kInvalidParameter, "duplicate primary keys are not allowed in the same batch");
  ExpectError(StatusOf(Write(MutationKind::kUpsert, {Vectors("v", {9, 9})})),
              Code::kInvalidParameter, "must assign pk when upsert, primary field: id");
}

TEST_F(FrontendTest, UpsertWithAutoIdsGivesNewKeysAndDeletesTheOld) {
  auto info = SampleCollection();
  info.schema.fields[0].auto_id = true;
  Use(info);
  auto inserted = Insert({Vectors("v", {1, 2, 3, 4})});
  ASSERT_TRUE(inserted.has_value());
  const int64_t old = inserted->keys.ints[0];
  auto reply = Write(MutationKind::kUpsert, {Ints("id", {old}), Vectors("v", {7, 7})});
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  EXPECT_NE(reply->keys.ints[0], old);
  EXPECT_EQ(RowCount(), 2u);
  for (const auto& [shard, rows] : shards.rows) {
    for (const auto& row : rows) EXPECT_NE(std::get<int64_t>(row.key), old);
  }
}

TEST_F(FrontendTest, PartialUpdateKeepsWhatWasNotGiven) {
  ASSERT_TRUE(Insert(
      {Ints("id", {1}), Vectors("v", {1, 2}), Texts("s", {"old"}), Dynamic({R"({"a":1,"b":2})"})}));
  service::MutationCall mutation{.kind = MutationKind::kUpsert, .collection = "c"};
  mutation.columns.push_back(Ints("id", {1}));
  mutation.columns.push_back(Ints("n", {5}));
  mutation.columns.push_back(Dynamic({R"({"b":3,"c":4})"}));
  mutation.num_rows = 1;
  mutation.partial_update = true;
  auto reply = Mutate(std::move(mutation));
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  ASSERT_EQ(RowCount(), 1u);
  const auto& row = shards.writes.back().rows;
  EXPECT_EQ(row.Find(FieldId{101})->Values<float>()[1], 2);
  EXPECT_EQ(row.Find(FieldId{102})->StringAt(0), "old");
  EXPECT_EQ(row.Find(FieldId{103})->Values<int64_t>()[0], 5);
  EXPECT_EQ(row.Find(FieldId{104})->StringAt(0), R"({"a":1,"b":3,"c":4})");
}

TEST_F(FrontendTest, PartialUpdateOfAMissingKeyNeedsTheWholeRow) {
  service::MutationCall mutation{.kind = MutationKind::kUpsert, .collection = "c"};
  mutation.columns.push_back(Ints("id", {1}));
  mutation.columns.push_back(Ints("n", {5}));
  mutation.num_rows = 1;
  mutation.partial_update = true;
  ExpectError(StatusOf(Mutate(std::move(mutation))), Code::kInvalidParameter,
              "fieldSchema(v) has no corresponding fieldData pass in: invalid parameter");
}

TEST_F(FrontendTest, DeleteByKeysAsksNoShardToRead) {
  InsertLine(10);
  auto info = SampleCollection();
  info.loaded = false;
  Use(info);
  std::optional<Result<service::MutationReply>> reply;
  auto keep = [&](auto result) { reply = std::move(result); };
  frontend.Delete(call, {.collection = "c", .filter = "id in [1, 2, 2, 77]"}, keep);
  ASSERT_TRUE(reply->has_value()) << reply->error().message();
  EXPECT_EQ((*reply)->count, 3) << "the keys listed, there or not";
  EXPECT_EQ(RowCount(), 8u);
  EXPECT_TRUE(shards.queries.empty());
  EXPECT_TRUE(shards.writes.back().delete_everywhere);
  frontend.Delete(call, {.collection = "c", .filter = "id in []"}, keep);
  ASSERT_TRUE(reply->has_value()) << reply->error().message();
  EXPECT_EQ((*reply)->count, 0);
}

TEST_F(FrontendTest, DeleteByFilterReadsTheKeysFirst) {
  InsertLine(10);
  shards.filter = [](const FakeRow& row) { return std::get<int64_t>(row.key) % 2 == 0; };
  std::optional<Result<service::MutationReply>> reply;
  auto keep = [&](auto result) { reply = std::move(result); };
  frontend.Delete(call, {.collection = "c", .partition = "_default", .filter = "n is null"}, keep);
  ASSERT_TRUE(reply->has_value()) << reply->error().message();
  EXPECT_EQ((*reply)->count, 5);
  EXPECT_EQ(RowCount(), 5u);
  EXPECT_EQ(shards.writes.back().partition, PartitionId{11});
  EXPECT_FALSE(shards.writes.back().delete_everywhere);
}

TEST_F(FrontendTest, DeletesAreRefusedWithMilvusTexts) {
  std::optional<Result<service::MutationReply>> reply;
  auto refused = [&](const std::string& filter, Code code, const std::string& text) {
    frontend.Delete(call, {.collection = "c", .filter = filter},
                    [&](auto result) { reply = std::move(result); });
    ExpectError(StatusOf(*reply), code, text);
  };
  refused("", Code::kInvalidParameter, "delete plan can't be empty or always true : ");
  refused("id in [1", Code::kInvalidParameter,
          "failed to create delete plan: cannot parse expression: id in [1");
  auto info = SampleCollection();
  info.loaded = false;
  Use(info);
  refused("n > 5", Code::kCollectionNotLoaded, "failed to query: collection not loaded");
}

TEST_F(FrontendTest, PartitionKeysChooseThePartition) {
  auto info = SampleCollection();
  info.schema.fields[3].nullable = false;
  info.schema.fields[3].is_partition_key = true;
  info.shards = {ShardId{21}};
  info.partitions.clear();
  for (int i = 0; i < 16; ++i) {
    info.partitions.push_back(
        {.id = PartitionId{100 + i}, .name = "_default_" + std::to_string(i), .loaded = true});
  }
  Use(info);
  ASSERT_TRUE(
      Insert({Ints("id", {1, 2, 3}), Vectors("v", {1, 2, 3, 4, 5, 6}), Ints("n", {0, 1, 0})}));
  ASSERT_EQ(shards.writes.size(), 2u);
  for (const auto& row : shards.rows[ShardId{21}]) {
    EXPECT_EQ(row.partition, PartitionId{std::get<int64_t>(row.key) == 2 ? 104 : 112});
  }
  ASSERT_TRUE(
      Write(MutationKind::kUpsert, {Ints("id", {2}), Vectors("v", {1, 2}), Ints("n", {0})}));
  EXPECT_EQ(RowCount(), 3u) << "the row moved to the partition of its new key";
  ExpectError(StatusOf(Insert({Ints("id", {1}), Vectors("v", {1, 2}), Ints("n", {0})}, "p")),
              Code::kInvalidParameter,
              "not support manually specifying the partition names if partition key mode is used");
}

}  // namespace
}  // namespace elanus::proxy
