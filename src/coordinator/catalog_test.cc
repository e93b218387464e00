#include "coordinator/catalog.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/codec.h"
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

/// One record of each kind, no member left out.
model::CollectionInfo FullCollection() {
  model::FieldSchema key{.id = {100},
                         .name = "id",
                         .description = "key",
                         .type = model::DataType::kVarChar,
                         .is_primary = true,
                         .auto_id = true,
                         .is_partition_key = true,
                         .is_clustering_key = true,
                         .type_params = {{"max_length", "64"}}};
  model::FieldSchema list{.id = {101},
                          .name = "list",
                          .type = model::DataType::kArray,
                          .element_type = model::DataType::kInt32,
                          .nullable = true,
                          .is_function_output = true,
                          .default_value = model::Scalar(int64_t{-7}),
                          .index_params = {{"index_type", "INVERTED"}}};
  model::FieldSchema dynamic{
      .id = {102}, .name = "$meta", .type = model::DataType::kJson, .is_dynamic = true};
  return {.id = {10},
          .database = {1},
          .database_name = "default",
          .name = "c",
          .schema = {.name = "c",
                     .description = "all of it",
                     .auto_id = true,
                     .enable_dynamic_field = true,
                     .fields = {key, list, dynamic},
                     .version = 3},
          .shards = {{11}, {12}},
          .partitions = {{.id = {13}, .name = "_default", .created = 5, .loaded = true}},
          .aliases = {"a", "b"},
          .indexes = {{.id = {14},
                       .name = "i",
                       .field = {102},
                       .params = {{"index_type", "AUTOINDEX"}},
                       .created = 6,
                       .json_path = {"x", "y"}}},
          .properties = {{"collection.ttl.seconds", "9"}},
          .consistency = model::ConsistencyLevel::kSession,
          .created = 77,
          .updated = 78,
          .loaded = true,
          .replica_number = 1,
          .load_fields = {{100}, {101}}};
}
model::DatabaseInfo FullDatabase() {
  return {.id = {1}, .name = "default", .properties = {{"k", "v"}}, .created = 4};
}
Removal FullRemoval() {
  return {.collection = std::make_shared<const model::CollectionInfo>(FullCollection()),
          .whole = true,
          .partitions = {{13}}};
}

std::string BytesOfHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

/// What a program of form 1 wrote for FullDatabase and FullCollection. Never changed: data folders
/// hold such bytes.
constexpr std::string_view kDatabaseOfForm1 = "020764656661756c7401016b017604";
constexpr std::string_view kCollectionOfForm1 =
    "14020764656661756c740163016309616c6c206f66206974010103c801026964036b65792a00010100000101"
    "0000010a6d61785f6c656e67746802363400ca01046c697374002c080000010000000101020d00010a696e64"
    "65785f7479706508494e564552544544cc0105246d657461002e000000000100000000000003021618011a08"
    "5f64656661756c7405010201610162011c0169cc01010a696e6465785f74797065094155544f494e44455806"
    "02017801790116636f6c6c656374696f6e2e74746c2e7365636f6e64730139024d4e010202c801ca01";

/// What form 2 added: struct arrays.
model::CollectionInfo CollectionWithStruct() {
  model::CollectionInfo info = FullCollection();
  info.schema.fields[1].struct_name = "s";
  info.schema.structs = {{.id = {103}, .name = "s", .nullable = true}};
  return info;
}
constexpr std::string_view kCollectionOfForm2 =
    "14020764656661756c740163016309616c6c206f66206974010103c801026964036b65792a00000101000001"
    "010000010a6d61785f6c656e67746802363400ca01046c697374002c0801730000010000000101020d00010a"
    "696e6465785f7479706508494e564552544544cc0105246d657461002e00000000000100000000000001ce01"
    "017300010003021618011a085f64656661756c7405010201610162011c0169cc01010a696e6465785f747970"
    "65094155544f494e4445580602017801790116636f6c6c656374696f6e2e74746c2e7365636f6e6473013902"
    "4d4e010202c801ca01";

/// What form 3 added: the largest id that a field ever had.
model::CollectionInfo CollectionWithDropped() {
  model::CollectionInfo info = CollectionWithStruct();
  info.schema.last_field = {104};
  return info;
}
constexpr std::string_view kCollectionOfForm3 =
    "14020764656661756c740163016309616c6c206f66206974010103c801026964036b65792a00000101000001"
    "010000010a6d61785f6c656e67746802363400ca01046c697374002c0801730000010000000101020d00010a"
    "696e6465785f7479706508494e564552544544cc0105246d657461002e00000000000100000000000001ce01"
    "017300010003d001021618011a085f64656661756c7405010201610162011c0169cc01010a696e6465785f74"
    "797065094155544f494e4445580602017801790116636f6c6c656374696f6e2e74746c2e7365636f6e647301"
    "39024d4e010202c801ca01";

std::unique_ptr<storage::MetaStore> StoreOfForm1() {
  auto store = storage::NewMemoryMetaStore();
  const std::string collection = BytesOfHex(kCollectionOfForm1);
  storage::MetaTxn txn;
  txn.puts = {{"catalog/version", EncodeBytes(uint64_t{8})},
              {"catalog/database/00000000000000000001", BytesOfHex(kDatabaseOfForm1)},
              {"catalog/collection/00000000000000000010", collection},
              // A removal is the collection, present, whole and its partitions.
              {"catalog/pending/00000000000000000008",
               "\x01" + collection + "\x01" + EncodeBytes(std::vector<PartitionId>{{13}})}};
  EXPECT_TRUE(store->Commit(txn).has_value());
  return store;
}

// Fails when a stored struct changed. Then a new member says v.Since(the next form, member),
// kCatalogForm goes up, and this test keeps the old bytes and gets the new ones beside them.
TEST(CatalogForm, ReadsWhatForm1Wrote) {
  auto database = DecodeBytes<model::DatabaseInfo>(BytesOfHex(kDatabaseOfForm1), "database", 1);
  ASSERT_TRUE(database.has_value()) << database.error().message();
  EXPECT_EQ(EncodeBytes(*database), EncodeBytes(FullDatabase()));
  auto info = DecodeBytes<model::CollectionInfo>(BytesOfHex(kCollectionOfForm1), "collection", 1);
  ASSERT_TRUE(info.has_value()) << info.error().message();
  EXPECT_EQ(EncodeBytes(*info), EncodeBytes(FullCollection()));
}

TEST(CatalogForm, ReadsWhatForm2Wrote) {
  auto info = DecodeBytes<model::CollectionInfo>(BytesOfHex(kCollectionOfForm2), "collection", 2);
  ASSERT_TRUE(info.has_value()) << info.error().message();
  EXPECT_EQ(EncodeBytes(*info), EncodeBytes(CollectionWithStruct()));
}

TEST(CatalogForm, ReadsWhatForm3Wrote) {
  auto info = DecodeBytes<model::CollectionInfo>(BytesOfHex(kCollectionOfForm3), "collection", 3);
  ASSERT_TRUE(info.has_value()) << info.error().message();
  EXPECT_EQ(EncodeBytes(*info), EncodeBytes(CollectionWithDropped()));
}

TEST(CatalogForm, AnOlderStoreIsWrittenAnewAsAWhole) {
  const auto store = StoreOfForm1();
  FakeClock wall;
  model::HybridClock clock(wall);
  for (int start = 0; start < 2; ++start) {
    Catalog catalog(*store);
    ASSERT_TRUE(catalog.Load(clock).ok());
    auto found = catalog.state()->Find("default", "c");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(EncodeBytes(**found), EncodeBytes(FullCollection()));
    ASSERT_EQ(catalog.pending().size(), 1u);
    EXPECT_EQ(EncodeBytes(catalog.pending().at(8)), EncodeBytes(FullRemoval()));
    EXPECT_EQ((*store->Get("catalog/form"))->value, EncodeBytes(kCatalogForm));
    // Once: a second start finds the newest form.
    EXPECT_EQ((*store->Get("catalog/version"))->value, EncodeBytes(uint64_t{9}));
    EXPECT_EQ((*store->Get("catalog/collection/00000000000000000010"))->value,
              EncodeBytes(FullCollection()));
  }
}

TEST(CatalogForm, AStoreThatCannotBeWrittenAnewIsLeftAsItWas) {
  const auto inner = StoreOfForm1();
  storage::FaultyMetaStore store(*inner);
  store.faults().Fail("commit", {.n = 0, .status = {Code::kDiskLimit, "full"}});
  FakeClock wall;
  model::HybridClock clock(wall);
  Catalog catalog(store);
  EXPECT_EQ(catalog.Load(clock).code(), Code::kDiskLimit);
  EXPECT_FALSE(catalog.loaded());
  EXPECT_FALSE((*inner->Get("catalog/form")).has_value());
  ASSERT_TRUE(catalog.Load(clock).ok());
}

TEST(CatalogForm, ANewerOneIsRefusedByName) {
  const auto store = StoreOfForm1();
  ASSERT_TRUE(store->Commit({.puts = {{"catalog/form", EncodeBytes(kCatalogForm + 1)}}}));
  FakeClock wall;
  model::HybridClock clock(wall);
  Catalog catalog(*store);
  const Status refused = catalog.Load(clock);
  EXPECT_EQ(refused.code(), Code::kDataIntegrity);
  EXPECT_EQ(refused.message(),
            fmt::format("the data folder was written by a newer version of Elanus: its catalog has "
                        "form {}, this one reads the forms 1 to {}: open it with the newer version",
                        kCatalogForm + 1, kCatalogForm));
  EXPECT_EQ((*store->Get("catalog/version"))->value, EncodeBytes(uint64_t{8})) << "untouched";
}

TEST(CatalogForm, RecordsFromBeforeFormsWereCountedAreNamed) {
  const auto store = StoreOfForm1();
  const std::string key = "catalog/collection/00000000000000000010";
  std::string shorter = BytesOfHex(kCollectionOfForm1);
  shorter.resize(shorter.size() - 3);
  ASSERT_TRUE(store->Commit({.puts = {{key, shorter}}}));
  FakeClock wall;
  model::HybridClock clock(wall);
  Catalog catalog(*store);
  const Status refused = catalog.Load(clock);
  EXPECT_EQ(refused.code(), Code::kDataIntegrity);
  EXPECT_TRUE(refused.message().starts_with(
      key + " was written by a version of Elanus older than catalog form 1"))
      << refused.message();
}

}  // namespace
}  // namespace elanus::coordinator
