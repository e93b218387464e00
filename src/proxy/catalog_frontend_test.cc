#include "proxy/catalog_frontend.h"

#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

struct CatalogFrontendTest : FrontendTest {
  CatalogFrontend catalog{coordinator, shards, clock};

  void GiveStats() {
    using service::SegmentState;
    shards.stats[ShardId{21}].segments = {{.id = SegmentId{1},
                                           .partition = PartitionId{11},
                                           .state = SegmentState::kGrowing,
                                           .rows = 5},
                                          {.id = SegmentId{2},
                                           .partition = PartitionId{12},
                                           .state = SegmentState::kSealed,
                                           .rows = 100,
                                           .built_indexes = {IndexId{31}}}};
    shards.stats[ShardId{22}].segments = {{.id = SegmentId{3},
                                           .partition = PartitionId{11},
                                           .state = SegmentState::kSealed,
                                           .rows = 40}};
  }
};

TEST_F(CatalogFrontendTest, PutsTheCallsDatabaseAndTrimsNames) {
  call.database = "db";
  ASSERT_TRUE(
      catalog.Ddl(call, service::CreatePartition{.collection = "c", .partition = " p1 "}).ok());
  ASSERT_EQ(coordinator.executed.size(), 1u);
  const auto& sent = std::get<service::CreatePartition>(coordinator.executed[0]);
  EXPECT_EQ(sent.database, "db");
  EXPECT_EQ(sent.partition, "p1");
}

TEST_F(CatalogFrontendTest, SendsNothingThatIsNotWellFormed) {
  EXPECT_FALSE(
      catalog.Ddl(call, service::CreatePartition{.collection = "c", .partition = ""}).ok());
  EXPECT_FALSE(catalog.Ddl(call, service::CreateAlias{.collection = "c", .alias = "1"}).ok());
  EXPECT_FALSE(catalog.Ddl(call, service::CreateCollection{}).ok());
  EXPECT_FALSE(catalog.Ddl(call, service::CreateDatabase{.name = ""}).ok());
  ExpectError(catalog.Ddl(call, service::CreateIndex{.collection = "c", .field = "nope"}),
              Code::kMissingParameter,
              "json index must specify cast type: missing parameter[missing_param=json_cast_type]");
  model::CollectionInfo plain = SampleCollection();
  plain.name = "plain";
  plain.schema.fields.pop_back();
  Use(plain);
  ExpectError(catalog.Ddl(call, service::CreateIndex{.collection = "plain", .field = "nope"}),
              Code::kInvalidParameter, "cannot create index on non-exist field: nope");
  ExpectError(catalog.Ddl(call, service::CreateIndex{.collection = "x", .field = "v"}),
              Code::kCollectionNotFound, "collection not found[database=default][collection=x]");
  EXPECT_TRUE(coordinator.executed.empty());
}

TEST_F(CatalogFrontendTest, WhatMustExistIsLookedUpWhateverItsName) {
  EXPECT_TRUE(
      catalog.Ddl(call, service::AlterDatabase{.name = "%$#", .properties = {{"a", "b"}}}).ok());
  EXPECT_TRUE(
      catalog.Ddl(call, service::AlterCollection{.collection = " ", .properties = {{"a", "b"}}})
          .ok());
  EXPECT_TRUE(
      catalog.Ddl(call, service::RenameCollection{.collection = "(mn)", .new_name = "n"}).ok());
  EXPECT_EQ(coordinator.executed.size(), 3u);
  ExpectError(catalog.Ddl(call, service::CreateIndex{.collection = "%$#", .field = "v"}),
              Code::kCollectionNotFound, "collection not found[database=default][collection=%$#]");
  ExpectError(catalog.Ddl(call, service::RenameCollection{.collection = "c", .new_name = "(mn)"}),
              Code::kInvalidParameter, "Invalid collection name: (mn)");
}

TEST_F(CatalogFrontendTest, HasPartitionRefusesANameThatNoneCanBear) {
  EXPECT_TRUE(*catalog.HasPartition(call, "c", " p "));
  EXPECT_FALSE(*catalog.HasPartition(call, "c", "q"));
  for (const std::string name : {"12 s", "(mn)", "%$#", " "}) {
    ExpectError(StatusOf(catalog.HasPartition(call, "c", name)), Code::kInvalidParameter,
                "Invalid partition name");
  }
  ExpectError(StatusOf(catalog.HasPartition(call, "c", std::string(256, 'a'))),
              Code::kInvalidParameter,
              "The length of a partition name must be less than 255 characters.");
  ExpectError(StatusOf(catalog.HasPartition(call, "x", "p")), Code::kCollectionNotFound,
              "collection not found[database=default][collection=x]");
}

TEST_F(CatalogFrontendTest, DescribeSaysBothOfMilvusTexts) {
  auto missing = catalog.Describe(call, "x");
  ExpectError(StatusOf(missing), Code::kCollectionNotFound,
              "can't find collection[database=default][collection=x]");
  ExpectError(StatusOf(missing), Code::kCollectionNotFound,
              "collection not found[database=default][collection=x]");
  EXPECT_TRUE(catalog.Describe(call, "c").has_value());
  EXPECT_TRUE(catalog.Describe(call, CollectionId{7}).has_value());
}

TEST_F(CatalogFrontendTest, CountsRowsOfACollectionAndOfAPartition) {
  GiveStats();
  EXPECT_EQ(catalog.RowCount(call, "c", ""), 145);
  EXPECT_EQ(catalog.RowCount(call, "c", "p"), 100);
  ExpectError(StatusOf(catalog.RowCount(call, "c", "q")), Code::kPartitionNotFound,
              "partition not found[partition=q]");
  EXPECT_EQ(catalog.Segments(call, "c")->size(), 3u);
}

TEST_F(CatalogFrontendTest, AnIndexIsFinishedWhenEverySealedRowHasIt) {
  GiveStats();
  auto described = catalog.DescribeIndex(call, "c", "", "");
  ASSERT_TRUE(described.has_value());
  ASSERT_EQ(described->size(), 1u);
  EXPECT_EQ((*described)[0].total_rows, 140);
  EXPECT_EQ((*described)[0].indexed_rows, 100);
  EXPECT_EQ((*described)[0].pending_rows, 40);
  EXPECT_FALSE((*described)[0].finished);
  auto& building = shards.stats[ShardId{22}].segments[0].building;
  building = {{.index = IndexId{31}, .rows = 30}};
  EXPECT_EQ((*catalog.DescribeIndex(call, "c", "", ""))[0].indexed_rows, 130);
  building[0].rows = 40;  // built, its file is not there yet
  described = catalog.DescribeIndex(call, "c", "", "");
  EXPECT_EQ((*described)[0].indexed_rows, 139);
  EXPECT_EQ((*described)[0].pending_rows, 1);
  EXPECT_FALSE((*described)[0].finished);
  EXPECT_EQ(model::FindValue((*described)[0].info.params, "chosen_index_type"), nullptr);
  shards.stats[ShardId{22}].segments[0].built_indexes = {IndexId{31}};
  shards.stats[ShardId{21}].segments[1].chosen = {{IndexId{31}, "SCANN"}, {IndexId{32}, "RNSG"}};
  shards.stats[ShardId{22}].segments[0].chosen = {{IndexId{31}, "HNSW"}};
  described = catalog.DescribeIndex(call, "c", "v", "v");
  EXPECT_TRUE((*described)[0].finished);
  EXPECT_EQ(*model::FindValue((*described)[0].info.params, "chosen_index_type"), "HNSW, SCANN");
  ExpectError(StatusOf(catalog.DescribeIndex(call, "c", "", "other")), Code::kIndexNotFound,
              "index not found[collection=c]");
}

TEST_F(CatalogFrontendTest, AnIndexInTheDynamicFieldIsDescribedByItsKey) {
  auto info = SampleCollection();
  info.indexes.push_back(
      {.id = IndexId{32}, .name = "$meta/k/a", .field = FieldId{104}, .json_path = {"k", "a"}});
  Use(info);
  auto described = catalog.DescribeIndex(call, "c", "k", "");
  ASSERT_TRUE(described.has_value());
  ASSERT_EQ(described->size(), 1u);
  EXPECT_EQ((*described)[0].field_name, "k");
  EXPECT_TRUE((*described)[0].finished);
}

TEST_F(CatalogFrontendTest, LoadProgressFollowsCollectionAndPartitions) {
  EXPECT_EQ(catalog.LoadProgress(call, "c", {})->state, service::LoadState::kLoaded);
  EXPECT_EQ(catalog.LoadProgress(call, "c", {})->progress, 100);
  auto info = SampleCollection();
  info.partitions[1].loaded = false;
  Use(info);
  EXPECT_EQ(catalog.LoadProgress(call, "c", {"p"})->state, service::LoadState::kNotLoad);
  EXPECT_EQ(catalog.LoadProgress(call, "c", {"_default"})->state, service::LoadState::kLoaded);
  EXPECT_FALSE(catalog.LoadProgress(call, "c", {"q"}).has_value());
}

TEST_F(CatalogFrontendTest, LoadProgressIsTheShareOfBytesThatAreThere) {
  GiveStats();
  auto& first = shards.stats[ShardId{21}];
  auto& second = shards.stats[ShardId{22}];
  first.segments[1].bytes_to_load = 600;  // of partition p
  first.segments[1].bytes_loaded = 600;
  second.segments[0].bytes_to_load = 400;  // of the default one
  second.segments[0].bytes_loaded = 39;
  second.loading = true;
  auto load = catalog.LoadProgress(call, "c", {});
  EXPECT_EQ(load->state, service::LoadState::kLoading);
  EXPECT_EQ(load->progress, 63);
  EXPECT_EQ(load->refresh_progress, 63);
  load = catalog.LoadProgress(call, "c", {"_default"});
  EXPECT_EQ(load->state, service::LoadState::kLoading);
  EXPECT_EQ(load->progress, 9);
  EXPECT_EQ(catalog.LoadProgress(call, "c", {"p"})->state, service::LoadState::kLoaded);
  EXPECT_EQ(catalog.LoadProgress(call, "c", {"p"})->progress, 100);
  second.segments[0].bytes_loaded = 399;
  EXPECT_EQ(catalog.LoadProgress(call, "c", {})->progress, 99);  // 100 is said when all is there
}

TEST_F(CatalogFrontendTest, ALoadThatEndedStaysAt100WhateverComesLater) {
  GiveStats();
  shards.stats[ShardId{22}].segments[0].bytes_to_load = 400;
  shards.stats[ShardId{22}].segments[0].bytes_loaded = 100;
  auto load = catalog.LoadProgress(call, "c", {});
  EXPECT_EQ(load->state, service::LoadState::kLoaded);
  EXPECT_EQ(load->progress, 100);
  EXPECT_EQ(load->refresh_progress, 25);
}

TEST_F(CatalogFrontendTest, LoadProgressTellsWhatALoadFailedBy) {
  GiveStats();
  auto& shard = shards.stats[ShardId{22}];
  shard.segments[0].bytes_to_load = 400;
  shard.loading = true;
  shard.load_fault = {Code::kDataIntegrity, "shard/22/index/1 is damaged"};
  EXPECT_EQ(catalog.LoadProgress(call, "c", {})->fault, shard.load_fault);
  EXPECT_TRUE(catalog.LoadProgress(call, "c", {"p"})->fault.ok());
  shard.segments[0].bytes_loaded = 400;
  EXPECT_TRUE(catalog.LoadProgress(call, "c", {})->fault.ok());
  shard.fault = {Code::kDataIntegrity, "shard/22/manifest is damaged"};
  ExpectError(StatusOf(catalog.LoadProgress(call, "c", {})), Code::kDataIntegrity,
              "shard/22/manifest is damaged");
}

TEST_F(CatalogFrontendTest, ListsAliases) {
  auto info = SampleCollection();
  info.aliases = {"a", "b"};
  Use(info);
  auto aliases = catalog.ListAliases(call, "");
  ASSERT_TRUE(aliases.has_value());
  EXPECT_EQ(*aliases, (std::vector<std::pair<std::string, std::string>>{{"a", "c"}, {"b", "c"}}));
  EXPECT_FALSE(catalog.ListAliases(call, "x").has_value());
}

}  // namespace
}  // namespace elanus::proxy
