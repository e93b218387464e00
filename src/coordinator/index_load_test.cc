// Indexes and loading through the coordinator: what is refused, with which text, and what is kept.
#include <gtest/gtest.h>

#include <algorithm>

#include "coordinator/coordinator_fixture.h"
#include "model/load_fields.h"

namespace elanus::coordinator {
namespace {

TEST_F(CoordinatorTest, IndexesFollowMilvus) {
  ASSERT_TRUE(Create("c").ok());
  ASSERT_TRUE(Index("c").ok());
  EXPECT_TRUE(Index("c").ok());
  ASSERT_EQ(Find("c")->indexes.size(), 1u);
  EXPECT_EQ(Find("c")->indexes[0].name, "v");
  ExpectError(Index("c", {{"index_type", "FLAT"}}), Code::kInvalidParameter,
              "at most one distinct index is allowed per field");
  service::CreateIndex other{.database = "default",
                             .collection = "c",
                             .field = "v",
                             .index_name = "second",
                             .params = {{"index_type", "HNSW"}}};
  ExpectError(coordinator->Execute(other), Code::kInvalidParameter,
              "CreateIndex failed: creating multiple indexes on same field is not supported");
  other.field = "nope";
  ExpectError(coordinator->Execute(other), Code::kInvalidParameter,
              "cannot create index on non-exist field: nope");
  ASSERT_TRUE(Load("c").ok());
  service::DropIndex drop{.database = "default", .collection = "c", .index_name = "v"};
  ExpectError(coordinator->Execute(drop), Code::kInvalidParameter,
              "vector index cannot be dropped on loaded collection");
  service::AlterIndex alter{.database = "default",
                            .collection = "c",
                            .index_name = "v",
                            .params = {{"mmap.enabled", "true"}}};
  ExpectError(coordinator->Execute(alter), Code::kCollectionLoaded,
              "can't alter index on loaded collection, please release the collection first: "
              "collection already loaded[collection=c]");
  ASSERT_TRUE(Load("c", false).ok());
  ASSERT_TRUE(coordinator->Execute(alter).ok());
  EXPECT_EQ(*model::FindValue(Find("c")->indexes[0].params, "mmap.enabled"), "true");
  EXPECT_TRUE(Index("c").ok()) << "how an index is held does not make it another index";
  alter.params = {{"mmap.enabled", "20"}};
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "invalid mmap.enabled value: 20, expected: true, false");
  ASSERT_TRUE(coordinator->Execute(drop).ok());
  EXPECT_TRUE(coordinator->Execute(drop).ok());
  EXPECT_TRUE(Find("c")->indexes.empty());
}

TEST_F(CoordinatorTest, EachPathOfAJsonFieldMayHaveAnIndex) {
  model::CollectionSchema schema = Schema("c");
  schema.fields.push_back({.name = "j", .type = model::DataType::kJson});
  ASSERT_TRUE(
      coordinator
          ->Execute(service::CreateCollection{.database = "default", .schema = std::move(schema)})
          .ok());
  service::CreateIndex a{.database = "default",
                         .collection = "c",
                         .field = "j",
                         .index_name = "j/a",
                         .params = {{"json_path", "j['a']"}, {"json_cast_type", "DOUBLE"}},
                         .json_path = {"a"}};
  service::CreateIndex b = a;
  b.index_name = "j/b";
  b.json_path = {"b"};
  ASSERT_TRUE(coordinator->Execute(a).ok());
  ASSERT_TRUE(coordinator->Execute(b).ok());
  EXPECT_EQ(Find("c")->indexes.size(), 2u);
  a.params[0].second = "j[\"a\"]";
  EXPECT_TRUE(coordinator->Execute(a).ok()) << "the same path, written in another way";
  EXPECT_EQ(Find("c")->indexes.size(), 2u);
  a.params[1].second = "VARCHAR";
  ExpectError(coordinator->Execute(a), Code::kInvalidParameter,
              "at most one distinct index is allowed per field");
  a.index_name = "other";
  ExpectError(coordinator->Execute(a), Code::kInvalidParameter,
              "CreateIndex failed: creating multiple indexes on same field is not supported");
  b.index_name = "j/a";
  ExpectError(coordinator->Execute(b), Code::kInvalidParameter,
              "at most one distinct index is allowed per field");
  ASSERT_TRUE(coordinator
                  ->Execute(service::DropIndex{
                      .database = "default", .collection = "c", .index_name = "j/a"})
                  .ok());
  ASSERT_EQ(Find("c")->indexes.size(), 1u);
  EXPECT_EQ(Find("c")->indexes[0].json_path, std::vector<std::string>{"b"});
}

TEST_F(CoordinatorTest, LoadNeedsAnIndexOnEveryVectorField) {
  ASSERT_TRUE(Create("c").ok());
  ExpectError(Load("c"), Code::kIndexNotFound, "index not found[collection=c]");
  ExpectError(coordinator->Execute(service::SetLoad{.database = "default",
                                                    .collection = "c",
                                                    .partitions_given = true,
                                                    .partitions = {"none"}}),
              Code::kIndexNotFound, "index not found[collection=c]");
  ASSERT_TRUE(
      coordinator
          ->Execute(service::CreateIndex{.database = "default", .collection = "c", .field = "id"})
          .ok());
  ExpectError(Load("c"), Code::kInvalidParameter,
              "there is no vector index on field: [v], please create index firstly");
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(Load("c").ok());
  EXPECT_TRUE(Load("c").ok());
  EXPECT_TRUE(Find("c")->loaded);
  EXPECT_TRUE(Find("c")->partitions[0].loaded);
  for (ShardId shard : Find("c")->shards) EXPECT_TRUE(shards->open[shard]->loaded);
  service::SetLoad two{.database = "default", .collection = "c", .replica_number = 2};
  ExpectError(coordinator->Execute(two), Code::kResourceInsufficient,
              "when load 2 replica count: service resource insufficient");
  two.partitions_given = true;
  two.partitions = {"_default"};
  ExpectError(coordinator->Execute(two), Code::kInvalidParameter,
              "can't change the replica number for loaded partitions: "
              "invalid parameter[expected=1][actual=2]");
  ASSERT_TRUE(Load("c", false).ok());
  ExpectError(coordinator->Execute(two), Code::kResourceInsufficient,
              "when load 2 replica count: service resource insufficient");
  EXPECT_TRUE(Load("c", false).ok());
  EXPECT_FALSE(Find("c")->loaded);
}

TEST_F(CoordinatorTest, ARefreshIsToldToTheShardsAndNeedsALoad) {
  ASSERT_TRUE(Create("c").ok());
  ASSERT_TRUE(Index("c").ok());
  const service::SetLoad refresh{.database = "default", .collection = "c", .refresh = true};
  ExpectError(coordinator->Execute(refresh), Code::kCollectionNotLoaded,
              "collection not loaded[collection=c]");
  ASSERT_TRUE(Load("c").ok());
  const size_t told = shards->changes.size();
  ASSERT_TRUE(Load("c").ok());
  EXPECT_EQ(shards->changes.size(), told);
  ASSERT_TRUE(coordinator->Execute(refresh).ok());
  EXPECT_EQ(shards->changes.size(), told + Find("c")->shards.size());
}

TEST_F(CoordinatorTest, LoadsAndReleasesPartitionsByName) {
  ASSERT_TRUE(Create("c").ok());
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreatePartition{
                      .database = "default", .collection = "c", .partition = "p"})
                  .ok());
  service::SetLoad load{.database = "default", .collection = "c", .partitions_given = true};
  ExpectError(coordinator->Execute(load), Code::kInvalidParameter,
              "failed to load partition, due to no partition specified");
  load.load = false;
  ExpectError(coordinator->Execute(load), Code::kInvalidParameter,
              "invalid parameter[expected=any partition][actual=empty partition list]");
  load.load = true;
  load.partitions = {"nope"};
  ExpectError(coordinator->Execute(load), Code::kPartitionNotFound,
              "partition not found[partition=nope]");
  load.partitions = {"p"};
  ASSERT_TRUE(coordinator->Execute(load).ok());
  EXPECT_TRUE(Find("c")->loaded);
  EXPECT_FALSE(Find("c")->partitions[0].loaded);
  EXPECT_TRUE(Find("c")->FindPartition("p")->loaded);
  load.load = false;
  ASSERT_TRUE(coordinator->Execute(load).ok());
  EXPECT_FALSE(Find("c")->loaded);
}

TEST_F(CoordinatorTest, AVectorFieldThatCameWhileLoadedWaitsForTheNextLoad) {
  ASSERT_TRUE(Create("c").ok());
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(Load("c").ok());
  const auto add = [&](const std::string& name, model::DataType type) {
    service::AddField change{
        .database = "default",
        .collection = "c",
        .field = {.name = name, .type = type, .nullable = true, .type_params = {{"dim", "4"}}}};
    ASSERT_TRUE(coordinator->Execute(change).ok());
  };
  const auto searchable = [&](const std::string& name) {
    const auto info = Find("c");
    return model::MaySearch(*info, info->schema.FindField(name)->id);
  };
  add("n", model::DataType::kInt64);
  EXPECT_TRUE(Find("c")->load_fields.empty()) << "other fields need no load";
  add("w", model::DataType::kFloatVector);
  add("m", model::DataType::kInt64);
  EXPECT_FALSE(searchable("w"));
  EXPECT_TRUE(searchable("v"));
  EXPECT_TRUE(model::LoadedWhole(*Find("c")));
  ExpectError(Load("c"), Code::kInvalidParameter, "there is no vector index on field: [w]");
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateIndex{.database = "default",
                                                 .collection = "c",
                                                 .field = "w",
                                                 .params = {{"index_type", "HNSW"}}})
                  .ok());
  ASSERT_TRUE(Load("c").ok());
  EXPECT_TRUE(searchable("w"));
  EXPECT_TRUE(Find("c")->load_fields.empty());
}

TEST_F(CoordinatorTest, NobodyNamesPartitionsWhereRowsGoByTheirKey) {
  model::CollectionSchema schema = Schema("c");
  schema.fields.push_back({.name = "k", .type = model::DataType::kInt64, .is_partition_key = true});
  ASSERT_TRUE(
      coordinator
          ->Execute(service::CreateCollection{.database = "default", .schema = std::move(schema)})
          .ok());
  service::SetLoad load{.database = "default",
                        .collection = "c",
                        .partitions_given = true,
                        .partitions = {"_default_0"}};
  ExpectError(coordinator->Execute(load), Code::kInvalidParameter,
              "disable load partitions if partition key mode is used");
  load.load = false;
  ExpectError(coordinator->Execute(load), Code::kInvalidParameter,
              "disable release partitions if partition key mode is used");
}

}  // namespace
}  // namespace elanus::coordinator
