#include "coordinator/catalog.h"

#include <gtest/gtest.h>

#include "coordinator/id_allocator.h"
#include "storage/meta/faulty_meta_store.h"
#include "storage/meta/meta_store.h"

namespace elanus::coordinator {
namespace {

struct CatalogTest : ::testing::Test {
  FakeClock wall;
  model::HybridClock clock{wall};
  std::unique_ptr<storage::MetaStore> store = storage::NewMemoryMetaStore();

  DdlPlan PlanWithCollection(int64_t id, const std::string& name) {
    DdlPlan plan;
    model::CollectionInfo info{.id = CollectionId{id},
                               .database = kDefaultDatabaseId,
                               .database_name = "default",
                               .name = name,
                               .shards = {ShardId{id + 1}},
                               .created = 77};
    plan.Replace(info);
    return plan;
  }
};

TEST_F(CatalogTest, CreatesTheDefaultDatabaseInAnEmptyStore) {
  Catalog catalog(*store);
  ASSERT_TRUE(catalog.Load(clock).ok());
  auto found = catalog.state()->FindDatabase("");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ((*found)->id, DatabaseId{1});
  EXPECT_EQ((*found)->name, "default");
}

TEST_F(CatalogTest, ShowsAChangeOnlyAfterPublish) {
  Catalog catalog(*store);
  ASSERT_TRUE(catalog.Load(clock).ok());
  DdlPlan plan = PlanWithCollection(10, "c");
  CatalogStatePtr before = catalog.state();
  ASSERT_TRUE(catalog.Commit(plan).has_value());
  EXPECT_FALSE(catalog.state()->Find("default", "c").has_value());
  catalog.Publish(plan);
  EXPECT_TRUE(catalog.state()->Find("default", "c").has_value());
  EXPECT_FALSE(before->Find("default", "c").has_value());
}

TEST_F(CatalogTest, ReadsBackWhatWasStored) {
  {
    Catalog catalog(*store);
    ASSERT_TRUE(catalog.Load(clock).ok());
    DdlPlan plan = PlanWithCollection(10, "c");
    plan.removal = Removal{.collection = plan.put_collections[0], .partitions = {PartitionId{5}}};
    ASSERT_TRUE(catalog.Commit(plan).has_value());
  }
  Catalog again(*store);
  ASSERT_TRUE(again.Load(clock).ok());
  auto found = again.state()->Find("default", "c");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ((*found)->shards, std::vector<ShardId>{ShardId{11}});
  ASSERT_EQ(again.pending().size(), 1u);
  EXPECT_EQ(again.pending().begin()->second.partitions, std::vector<PartitionId>{PartitionId{5}});
  ASSERT_TRUE(again.Confirm(again.pending().begin()->first).ok());
  Catalog third(*store);
  ASSERT_TRUE(third.Load(clock).ok());
  EXPECT_TRUE(third.pending().empty());
}

TEST_F(CatalogTest, RefusesToCommitAfterAnotherCoordinatorDid) {
  Catalog first(*store);
  ASSERT_TRUE(first.Load(clock).ok());
  Catalog second(*store);
  ASSERT_TRUE(second.Load(clock).ok());
  ASSERT_TRUE(first.Commit(PlanWithCollection(10, "a")).has_value());
  auto refused = second.Commit(PlanWithCollection(20, "b"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::kUnavailable);
  EXPECT_FALSE(second.loaded());
  ASSERT_TRUE(second.Load(clock).ok());
  EXPECT_TRUE(second.state()->Find("default", "a").has_value());
  EXPECT_FALSE(second.state()->Find("default", "b").has_value());
}

TEST_F(CatalogTest, NamesTheKeyOfADamagedRecord) {
  storage::MetaTxn txn;
  txn.puts.emplace_back("catalog/collection/00000000000000000007", "garbage");
  ASSERT_TRUE(store->Commit(txn).has_value());
  Catalog catalog(*store);
  Status status = catalog.Load(clock);
  EXPECT_EQ(status.code(), Code::kDataIntegrity);
  EXPECT_NE(status.message().find("catalog/collection/00000000000000000007"), std::string::npos);
}

TEST_F(CatalogTest, MovesTheClockBehindEveryStoredTimestamp) {
  const model::Timestamp future = clock.Next() + (uint64_t{1} << 40);
  {
    Catalog catalog(*store);
    ASSERT_TRUE(catalog.Load(clock).ok());
    model::CollectionInfo info{.id = CollectionId{9}, .name = "c", .updated = future};
    DdlPlan plan;
    plan.Replace(info);
    ASSERT_TRUE(catalog.Commit(plan).has_value());
  }
  model::HybridClock restarted(wall);
  Catalog catalog(*store);
  ASSERT_TRUE(catalog.Load(restarted).ok());
  EXPECT_GT(restarted.Next(), future);
}

TEST_F(CatalogTest, NeverHandsAnIdOutTwice) {
  int64_t last = 0;
  for (int restart = 0; restart < 3; ++restart) {
    FakeClock wall;
    model::HybridClock clock(wall);  // the same moment again: only what is stored tells them apart
    IdAllocator ids(*store, clock);
    for (int64_t count : {int64_t{1}, int64_t{5}, kIdBlock * 2, int64_t{1}}) {
      auto first = ids.Allocate(count);
      ASSERT_TRUE(first.has_value());
      EXPECT_GT(*first, last);
      last = *first + count - 1;
    }
  }
}

TEST_F(CatalogTest, IdsAreNoKeysThatAPersonWouldChoose) {
  FakeClock wall;
  model::HybridClock clock(wall);
  IdAllocator ids(*store, clock);
  auto first = ids.Allocate(1);
  ASSERT_TRUE(first.has_value());
  EXPECT_GE(*first, static_cast<int64_t>(model::TimestampFromMs(wall.WallMs())));
}

}  // namespace
}  // namespace elanus::coordinator
