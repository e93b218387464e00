// The coordinator service: collections, partitions, aliases, databases, restarts half-way.
#include "coordinator/coordinator_service.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "coordinator/coordinator_fixture.h"
#include "model/load_fields.h"
#include "storage/meta/faulty_meta_store.h"

namespace elanus::coordinator {
namespace {

TEST_F(CoordinatorTest, CreatesACollectionAndOpensItsShards) {
  model::CollectionSchema schema = Schema("c");
  schema.enable_dynamic_field = true;
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 2})
                  .ok());
  CollectionPtr info = Find("c");
  ASSERT_NE(info, nullptr);
  ASSERT_EQ(info->schema.fields.size(), 3u);
  EXPECT_EQ(info->schema.fields[0].id, FieldId{100});
  EXPECT_EQ(info->schema.fields[1].id, FieldId{101});
  EXPECT_EQ(info->schema.fields[2].name, "$meta");
  EXPECT_EQ(info->schema.fields[2].id, FieldId{102});
  ASSERT_EQ(info->partitions.size(), 1u);
  EXPECT_EQ(info->partitions[0].name, "_default");
  EXPECT_EQ(info->created, info->updated);
  ASSERT_EQ(shards->changes.size(), 2u);
  EXPECT_EQ(shards->changes[0].kind, Kind::kOpen);
  EXPECT_EQ(shards->open.size(), 2u);
}

TEST_F(CoordinatorTest, CreatingTheSameAgainIsFineAndAnotherIsNot) {
  ASSERT_TRUE(Create("c").ok());
  const CollectionId id = Find("c")->id;
  EXPECT_TRUE(Create("c").ok());
  EXPECT_EQ(Find("c")->id, id);
  ExpectError(Create("c", 3), Code::kInvalidParameter,
              "create duplicate collection with different parameters, collection: c");
}

TEST_F(CoordinatorTest, FindsByIdAndNamesWhatIsMissing) {
  ASSERT_TRUE(Create("c").ok());
  EXPECT_TRUE(coordinator->FindCollection(Find("c")->id).has_value());
  ExpectError(StatusOf(coordinator->FindCollection("default", "x")), Code::kCollectionNotFound,
              "collection not found[database=default][collection=x]");
  ExpectError(StatusOf(coordinator->FindCollection("nodb", "x")), Code::kDatabaseNotFound,
              "database not found[database=nodb]");
  ExpectError(StatusOf(coordinator->FindCollection(CollectionId{5})), Code::kCollectionNotFound,
              "collection not found[collection=5]");
}

TEST_F(CoordinatorTest, SurvivesARestart) {
  ASSERT_TRUE(Create("a").ok());
  ASSERT_TRUE(Create("b").ok());
  ASSERT_TRUE(Index("b").ok());
  ASSERT_TRUE(Load("b").ok());
  const model::Timestamp created = Find("a")->created;
  Restart();
  ASSERT_NE(Find("a"), nullptr);
  EXPECT_EQ(Find("a")->created, created);
  EXPECT_TRUE(Find("b")->loaded);
  EXPECT_EQ(shards->open.size(), 4u);
  auto list = coordinator->ListCollections("default");
  ASSERT_TRUE(list.has_value());
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0]->name, "a");
}

TEST_F(CoordinatorTest, DropTellsTheShardsAndIsIdempotent) {
  ASSERT_TRUE(Create("c").ok());
  auto drop = service::DropCollection{.database = "default", .collection = "c"};
  ASSERT_TRUE(coordinator->Execute(drop).ok());
  EXPECT_EQ(Find("c"), nullptr);
  EXPECT_TRUE(shards->open.empty());
  EXPECT_TRUE(coordinator->Execute(drop).ok());
}

TEST_F(CoordinatorTest, FinishesADropThatWasCutShortAtEveryPoint) {
  for (int allowed = 0; allowed <= 2; ++allowed) {
    store = storage::NewMemoryMetaStore();
    Restart();
    ASSERT_TRUE(Create("c").ok());
    shards->changes_left = allowed;
    Status dropped =
        coordinator->Execute(service::DropCollection{.database = "default", .collection = "c"});
    EXPECT_EQ(dropped.ok(), allowed == 2);
    EXPECT_EQ(Find("c"), nullptr) << "a stored drop is visible at once";
    Restart();
    EXPECT_EQ(Find("c"), nullptr);
    const size_t drops = static_cast<size_t>(
        std::ranges::count(shards->changes, Kind::kDrop, &service::ShardChange::kind));
    EXPECT_EQ(drops, allowed == 2 ? 0u : 2u);
    Restart();
    EXPECT_TRUE(shards->changes.empty()) << "a finished removal is not repeated";
  }
}

TEST_F(CoordinatorTest, FinishesACreateThatWasCutShort) {
  shards->changes_left = 1;
  EXPECT_FALSE(Create("c").ok());
  Restart();
  ASSERT_NE(Find("c"), nullptr);
  EXPECT_EQ(shards->open.size(), 2u);
  EXPECT_TRUE(Create("c").ok());
}

TEST_F(CoordinatorTest, TellsAShardLaterWhatItRefusedBefore) {
  ASSERT_TRUE(Create("c").ok());
  shards->changes_left = 0;
  EXPECT_FALSE(coordinator
                   ->Execute(service::CreatePartition{
                       .database = "default", .collection = "c", .partition = "p"})
                   .ok());
  ASSERT_NE(Find("c")->FindPartition("p"), nullptr);
  shards->changes_left = FakeShards::kNever;
  ASSERT_TRUE(Create("other").ok());
  for (ShardId shard : Find("c")->shards) {
    EXPECT_NE(shards->open[shard]->FindPartition("p"), nullptr);
  }
}

TEST_F(CoordinatorTest, ABadShardOfOneCollectionStopsNoOther) {
  ASSERT_TRUE(Create("c").ok());
  shards->changes_left = 0;
  EXPECT_FALSE(
      coordinator->Execute(service::DropCollection{.database = "default", .collection = "c"}).ok());
  EXPECT_TRUE(coordinator->Execute(service::CreateDatabase{.name = "d"}).ok());
}

TEST_F(CoordinatorTest, TruncateGivesPartitionsNewIdsAndRemovesTheOld) {
  ASSERT_TRUE(Create("c").ok());
  const PartitionId old = Find("c")->partitions[0].id;
  ASSERT_TRUE(
      coordinator->Execute(service::TruncateCollection{.database = "default", .collection = "c"})
          .ok());
  EXPECT_NE(Find("c")->partitions[0].id, old);
  EXPECT_EQ(Find("c")->partitions[0].name, "_default");
  EXPECT_TRUE(shards->removed.contains(old));
  for (ShardId shard : Find("c")->shards) {
    EXPECT_EQ(shards->open[shard]->partitions[0].id, Find("c")->partitions[0].id);
  }
}

TEST_F(CoordinatorTest, ATruncateRepeatedAfterACrashSparesRowsWrittenSince) {
  ASSERT_TRUE(Create("c").ok());
  const PartitionId old = Find("c")->partitions[0].id;
  shards->changes_left = 3;  // two descriptions, then the removal on one of two shards
  EXPECT_FALSE(
      coordinator->Execute(service::TruncateCollection{.database = "default", .collection = "c"})
          .ok());
  const PartitionId fresh = Find("c")->partitions[0].id;
  Restart();
  EXPECT_EQ(shards->removed, std::set<PartitionId>{old});
  EXPECT_EQ(Find("c")->partitions[0].id, fresh);
}

TEST_F(CoordinatorTest, ReadsTheCatalogAgainWhenAnOutcomeIsNotKnown) {
  using When = storage::FaultPlan::When;
  storage::FaultyMetaStore faulty(*store);
  coordinator = std::make_unique<CoordinatorService>(faulty, *shards, clock);
  ASSERT_TRUE(coordinator->Recover().ok());
  ASSERT_TRUE(Create("a").ok());  // takes a block of ids, so that the next commit is the change
  for (When when : {When::kInstead, When::kAfter}) {
    const std::string name = when == When::kAfter ? "stored" : "lost";
    faulty.faults().Fail("commit", {.when = when});
    EXPECT_FALSE(Create(name).ok());
    EXPECT_EQ(Find(name), nullptr);
    EXPECT_TRUE(Create(name).ok());
    ASSERT_NE(Find(name), nullptr);
    for (ShardId shard : Find(name)->shards) EXPECT_TRUE(shards->open.contains(shard));
  }
  EXPECT_EQ(coordinator->ListCollections("default")->size(), 3u);
}

TEST_F(CoordinatorTest, PartitionsFollowMilvus) {
  ASSERT_TRUE(Create("c").ok());
  service::CreatePartition create{.database = "default", .collection = "c", .partition = "p"};
  ASSERT_TRUE(coordinator->Execute(create).ok());
  EXPECT_TRUE(coordinator->Execute(create).ok());
  EXPECT_EQ(Find("c")->partitions.size(), 2u);
  service::DropPartition drop{.database = "default", .collection = "c", .partition = "_default"};
  ExpectError(coordinator->Execute(drop), Code::kInvalidParameter,
              "default partition cannot be deleted");
  drop.partition = "p";
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(Load("c").ok());
  ExpectError(coordinator->Execute(drop), Code::kInvalidParameter,
              "partition cannot be dropped, partition is loaded, please release it first");
  ASSERT_TRUE(Load("c", false).ok());
  const PartitionId id = Find("c")->FindPartition("p")->id;
  ASSERT_TRUE(coordinator->Execute(drop).ok());
  EXPECT_TRUE(shards->removed.contains(id));
  EXPECT_TRUE(coordinator->Execute(drop).ok());
}

TEST_F(CoordinatorTest, RefusesMorePartitionsThanTheLimit) {
  ASSERT_TRUE(Create("c", 1).ok());
  service::CreatePartition create{.database = "default", .collection = "c"};
  for (int i = 1; i < 1024; ++i) {
    create.partition = "p" + std::to_string(i);
    ASSERT_TRUE(coordinator->Execute(create).ok());
  }
  create.partition = "more";
  ExpectError(coordinator->Execute(create), Code::kInvalidParameter,
              "partition number (1024) exceeds max configuration (1024), collection: c");
}

TEST_F(CoordinatorTest, AliasesFollowMilvus) {
  ASSERT_TRUE(Create("c").ok());
  ASSERT_TRUE(Create("d").ok());
  service::CreateAlias create{.database = "default", .collection = "c", .alias = "a"};
  ASSERT_TRUE(coordinator->Execute(create).ok());
  EXPECT_TRUE(coordinator->Execute(create).ok());
  EXPECT_EQ(Find("a")->name, "c");
  create.collection = "d";
  ExpectError(
      coordinator->Execute(create), Code::kAliasAlreadyExist,
      "a is alias to another collection: c: alias already exist[database=default][alias=a]");
  create.alias = "c";
  ExpectError(coordinator->Execute(create), Code::kAliasCollectionNameConflict,
              "alias and collection name conflict[database=default][alias=c]");
  ASSERT_TRUE(
      coordinator
          ->Execute(service::AlterAlias{.database = "default", .collection = "d", .alias = "a"})
          .ok());
  EXPECT_EQ(Find("a")->name, "d");
  EXPECT_TRUE(Find("c")->aliases.empty());
  ExpectError(coordinator->Execute(service::AlterAlias{
                  .database = "default", .collection = "d", .alias = "missing"}),
              Code::kAliasNotFound, "alias not found[database=default][alias=missing]");
  ExpectError(coordinator->Execute(
                  service::AlterAlias{.database = "default", .collection = "none", .alias = "a"}),
              Code::kCollectionNotFound, "collection not found[collection=none]");
  ExpectError(
      coordinator->Execute(service::DropCollection{.database = "default", .collection = "a"}),
      Code::kInvalidParameter, "cannot drop the collection via alias = a");
  ExpectError(
      coordinator->Execute(service::DropCollection{.database = "default", .collection = "d"}),
      Code::kInvalidParameter, "because it has associated aliases [a]");
  ExpectError(Create("a"), Code::kAliasCollectionNameConflict,
              "alias and collection name conflict[database=default][alias=a]");
  ASSERT_TRUE(coordinator->Execute(service::DropAlias{.database = "default", .alias = "a"}).ok());
  EXPECT_TRUE(coordinator->Execute(service::DropAlias{.database = "default", .alias = "a"}).ok());
  EXPECT_EQ(Find("a"), nullptr);
}

TEST_F(CoordinatorTest, RenameKeepsTheIdAndRefusesNamesInUse) {
  ASSERT_TRUE(Create("c").ok());
  ASSERT_TRUE(Create("d").ok());
  ASSERT_TRUE(
      coordinator
          ->Execute(service::CreateAlias{.database = "default", .collection = "d", .alias = "a"})
          .ok());
  const CollectionId id = Find("c")->id;
  service::RenameCollection rename{
      .database = "default", .collection = "c", .new_database = "", .new_name = "d"};
  ExpectError(coordinator->Execute(rename), Code::kInvalidParameter,
              "duplicated new collection name default:d with other collection name or alias");
  rename.new_name = "a";
  ExpectError(coordinator->Execute(rename), Code::kAliasCollectionNameConflict,
              "alias and collection name conflict[database=default][alias=a]");
  rename.new_name = "c";
  ExpectError(coordinator->Execute(rename), Code::kInvalidParameter,
              "collection name or database name should be different");
  rename.new_name = "e";
  ASSERT_TRUE(coordinator->Execute(rename).ok());
  EXPECT_EQ(Find("c"), nullptr);
  EXPECT_EQ(Find("e")->id, id);
  EXPECT_EQ(Find("e")->schema.name, "e");
  rename.collection = "a";
  rename.new_name = "f";
  ExpectError(coordinator->Execute(rename), Code::kInvalidParameter,
              "unsupported use an alias to rename collection, alias:a");
}

TEST_F(CoordinatorTest, DatabasesFollowMilvus) {
  ASSERT_TRUE(coordinator->Execute(service::CreateDatabase{.name = "d"}).ok());
  ExpectError(coordinator->Execute(service::CreateDatabase{.name = "d"}), Code::kUnexpected,
              "database already exist: d");
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "d", .schema = Schema("c"), .shards_num = 1})
                  .ok());
  EXPECT_EQ(Find("c"), nullptr);
  EXPECT_TRUE(coordinator->FindCollection("d", "c").has_value());
  ExpectError(coordinator->Execute(service::DropDatabase{.name = "d"}), Code::kInvalidParameter,
              "database:d not empty, must drop all collections before drop database");
  ExpectError(coordinator->Execute(service::DropDatabase{.name = "default"}),
              Code::kInvalidParameter, "can not drop default database");
  EXPECT_TRUE(coordinator->Execute(service::DropDatabase{.name = "missing"}).ok());
  ExpectError(coordinator->Execute(service::AlterDatabase{.name = "d"}), Code::kInvalidParameter,
              "alter database with empty properties and delete keys, "
              "expected to set either properties or delete keys");
  for (int i = 2; i < 64; ++i) {
    ASSERT_TRUE(
        coordinator->Execute(service::CreateDatabase{.name = "x" + std::to_string(i)}).ok());
  }
  ExpectError(coordinator->Execute(service::CreateDatabase{.name = "y"}), Code::kDatabaseNumLimit,
              "exceeded the limit number of database[limit=64]");
}

TEST_F(CoordinatorTest, ACollectionIsInTheTimezoneOfItsDatabase) {
  ASSERT_TRUE(Create("c").ok());
  EXPECT_EQ(*model::FindValue(Find("c")->properties, "timezone"), "UTC");
  EXPECT_TRUE(Create("c").ok()) << "the same again, as the user said it";
  ASSERT_TRUE(coordinator
                  ->Execute(service::AlterDatabase{.name = "default",
                                                   .properties = {{"timezone", "Asia/Tokyo"}}})
                  .ok());
  ASSERT_TRUE(Create("d").ok());
  EXPECT_EQ(*model::FindValue(Find("d")->properties, "timezone"), "Asia/Tokyo");
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{.database = "default",
                                                      .schema = Schema("e"),
                                                      .properties = {{"timezone", "Europe/Paris"}}})
                  .ok());
  EXPECT_EQ(*model::FindValue(Find("e")->properties, "timezone"), "Europe/Paris");
}

TEST_F(CoordinatorTest, AlteringMovesTheUpdateTimestamp) {
  ASSERT_TRUE(Create("c").ok());
  const model::Timestamp before = Find("c")->updated;
  service::AlterCollection alter{
      .database = "default", .collection = "c", .properties = {{"collection.ttl.seconds", "10"}}};
  ASSERT_TRUE(coordinator->Execute(alter).ok());
  EXPECT_GT(Find("c")->updated, before);
  EXPECT_EQ(*model::FindValue(Find("c")->properties, "collection.ttl.seconds"), "10");
  alter.properties = {{"collection.ttl.seconds", "-2"}};
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "collection TTL is out of range, expect [-1, 3155760000], got -2");
  alter.properties = {};
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "no properties or delete keys provided");
  alter.delete_keys = {"dynamicfield.enabled"};
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "cannot delete key dynamicfield.enabled");
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(Load("c").ok());
  alter.delete_keys = {"mmap.enabled"};
  ExpectError(coordinator->Execute(alter), Code::kCollectionLoaded,
              "can not delete mmap properties if collection loaded");
  alter.delete_keys.clear();
  alter.properties = {{"mmap.enabled", "True"}};
  ExpectError(coordinator->Execute(alter), Code::kCollectionLoaded,
              "can not alter mmap properties if collection loaded");
}

TEST_F(CoordinatorTest, AddsFieldsBeforeTheDynamicOneWithNewIds) {
  model::CollectionSchema schema = Schema("c");
  schema.enable_dynamic_field = true;
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 1})
                  .ok());
  service::AddField add{.database = "default",
                        .collection = "c",
                        .field = {.name = "n", .type = model::DataType::kInt64, .nullable = true}};
  ASSERT_TRUE(coordinator->Execute(add).ok());
  const auto& fields = Find("c")->schema.fields;
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[2].name, "n");
  EXPECT_EQ(fields[2].id, FieldId{103});
  EXPECT_TRUE(fields[3].is_dynamic);
  EXPECT_EQ(Find("c")->schema.version, 2u);
  ExpectError(coordinator->Execute(add), Code::kInvalidParameter, "duplicated field name n");
}

TEST_F(CoordinatorTest, AddsAStructAndItsMembersInOneVersion) {
  model::CollectionSchema schema = Schema("c");
  schema.enable_dynamic_field = true;
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 1})
                  .ok());
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(Load("c").ok());
  service::AddStructField add{
      .database = "default", .collection = "c", .field = {.name = "clips", .nullable = true}};
  for (const auto& [name, type] : {std::pair{"clips[n]", model::DataType::kArray},
                                   std::pair{"clips[emb]", model::DataType::kArrayOfVector}}) {
    add.members.push_back({.name = name, .type = type, .struct_name = "clips", .nullable = true});
  }
  ASSERT_TRUE(coordinator->Execute(add).ok());
  const auto info = Find("c");
  EXPECT_EQ(info->schema.version, 2u);
  EXPECT_EQ(info->schema.FindStruct("clips")->id, FieldId{103});
  const auto members = info->schema.MembersOf("clips");
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0]->id, FieldId{104});
  EXPECT_EQ(members[1]->id, FieldId{105});
  EXPECT_TRUE(info->schema.fields.back().is_dynamic);
  EXPECT_FALSE(model::MaySearch(*info, FieldId{105})) << "until the next load";
  service::AlterField alter{.database = "default", .collection = "c", .field = "clips"};
  alter.properties = {{"field.description", "parts"}, {"mmap.enabled", "true"}};
  ExpectError(coordinator->Execute(alter), Code::kCollectionLoaded,
              "can not alter collection field properties if collection loaded");
  alter.properties = {{"field.description", "parts"}};
  ASSERT_TRUE(coordinator->Execute(alter).ok());
  EXPECT_EQ(Find("c")->schema.FindStruct("clips")->description, "parts");
  alter.properties = {{"max_capacity", "9"}};
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "can not modify the maxcapacity for non-array types");
  ExpectError(coordinator->Execute(add), Code::kInvalidParameter, "duplicated field name clips");
  add.field.name = "v";
  ExpectError(coordinator->Execute(add), Code::kInvalidParameter, "duplicated field name v");
}

TEST_F(CoordinatorTest, DropsAFieldWithItsIndexAndNeverGivesItsIdAgain) {
  model::CollectionSchema schema = Schema("c");
  schema.fields.push_back({.name = "n", .type = model::DataType::kInt64, .nullable = true});
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 1})
                  .ok());
  ASSERT_TRUE(Index("c").ok());
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateIndex{.database = "default",
                                                 .collection = "c",
                                                 .field = "n",
                                                 .params = {{"index_type", "INVERTED"}}})
                  .ok());
  ASSERT_TRUE(Load("c").ok());
  const model::Timestamp before = Find("c")->updated;
  service::DropField drop{.database = "default", .collection = "c", .field = "n"};
  ASSERT_TRUE(coordinator->Execute(drop).ok());
  EXPECT_EQ(Find("c")->schema.FindField("n"), nullptr);
  EXPECT_EQ(Find("c")->schema.version, 2u);
  EXPECT_GT(Find("c")->updated, before);
  ASSERT_EQ(Find("c")->indexes.size(), 1u);
  EXPECT_EQ(Find("c")->indexes[0].field, FieldId{101});
  EXPECT_EQ(shards->changes.back().collection->schema.version, 2u);
  ExpectError(coordinator->Execute(drop), Code::kInvalidParameter, "field not found: n");
  Restart();
  service::AddField add{.database = "default", .collection = "c", .field = schema.fields[2]};
  ASSERT_TRUE(coordinator->Execute(add).ok());
  EXPECT_EQ(Find("c")->schema.FindField("n")->id, FieldId{103});
  drop = {.database = "default", .collection = "c", .id = FieldId{103}};
  ASSERT_TRUE(coordinator->Execute(drop).ok());
  EXPECT_EQ(Find("c")->schema.FindField("n"), nullptr);
  ExpectError(coordinator->Execute(drop), Code::kInvalidParameter, "field not found with ID: 103");
}

TEST_F(CoordinatorTest, KeepsTheFieldsThatACollectionCannotBeWithout) {
  model::CollectionSchema schema = Schema("c");
  schema.enable_dynamic_field = true;
  schema.fields.push_back({.name = "p", .type = model::DataType::kInt64, .is_partition_key = true});
  schema.fields.push_back(
      {.name = "k", .type = model::DataType::kInt64, .is_clustering_key = true});
  schema.fields.push_back({.name = "t", .type = model::DataType::kTimestamptz, .nullable = true});
  schema.structs.push_back({.name = "s"});
  schema.fields.push_back({.name = "s[m]",
                           .type = model::DataType::kArray,
                           .element_type = model::DataType::kInt64,
                           .struct_name = "s"});
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{.database = "default",
                                                      .schema = schema,
                                                      .shards_num = 1,
                                                      .properties = {{"ttl_field", "t"}}})
                  .ok());
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"id", "cannot drop primary key field: id"},
      {"p", "cannot drop partition key field: p"},
      {"k", "cannot drop clustering key field: k"},
      {"v", "cannot drop the last vector field: v"},
      {"t", "cannot drop field t because it is referenced by collection property ttl_field"},
      {"$meta", "field not found: $meta"},
      {"s[m]", "field not found: s[m]"},
  };
  for (const auto& [field, text] : refused) {
    ExpectError(coordinator->Execute(
                    service::DropField{.database = "default", .collection = "c", .field = field}),
                Code::kInvalidParameter, text);
  }
  EXPECT_EQ(Find("c")->schema.version, 1u);
  ASSERT_TRUE(
      coordinator
          ->Execute(service::DropField{.database = "default", .collection = "c", .field = "s"})
          .ok());
  EXPECT_EQ(Find("c")->schema.FindField("s[m]"), nullptr);
  EXPECT_TRUE(Find("c")->schema.structs.empty());
}

TEST_F(CoordinatorTest, ADynamicFieldThatIsDisabledComesBackAsAnother) {
  model::CollectionSchema schema = Schema("c");
  schema.enable_dynamic_field = true;
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 1})
                  .ok());
  const FieldId first = Find("c")->schema.dynamic()->id;
  service::AlterCollection alter{
      .database = "default", .collection = "c", .properties = {{"dynamicfield.enabled", "False"}}};
  ASSERT_TRUE(coordinator->Execute(alter).ok());
  EXPECT_FALSE(Find("c")->schema.enable_dynamic_field);
  EXPECT_EQ(Find("c")->schema.dynamic(), nullptr);
  alter.properties = {{"dynamicfield.enabled", "True"}};
  ASSERT_TRUE(coordinator->Execute(alter).ok());
  EXPECT_GT(Find("c")->schema.dynamic()->id, first);
}

TEST_F(CoordinatorTest, AltersTheFieldKeysThatMayChange) {
  model::CollectionSchema schema = Schema("c");
  schema.fields.push_back(
      {.name = "s", .type = model::DataType::kVarChar, .type_params = {{"max_length", "100"}}});
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 1})
                  .ok());
  service::AlterField alter{
      .database = "default", .collection = "c", .field = "s", .properties = {{"max_length", "50"}}};
  ASSERT_TRUE(coordinator->Execute(alter).ok());
  EXPECT_EQ(Find("c")->schema.FindField("s")->max_length(), 50);
  alter.field = "v";
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "can not modify the maxlength for non-string types");
  alter.properties = {{"nullable", "False"}};
  ExpectError(coordinator->Execute(alter), Code::kInvalidParameter,
              "nullable does not allow update in collection field param");
}

TEST_F(CoordinatorTest, PartitionKeyCollectionsManageTheirPartitionsThemselves) {
  model::CollectionSchema schema = Schema("c");
  schema.fields.push_back({.name = "k", .type = model::DataType::kInt64, .is_partition_key = true});
  ASSERT_TRUE(coordinator
                  ->Execute(service::CreateCollection{
                      .database = "default", .schema = schema, .shards_num = 1})
                  .ok());
  EXPECT_EQ(Find("c")->partitions.size(), 16u);
  EXPECT_EQ(Find("c")->partitions[15].name, "_default_15");
  ExpectError(coordinator->Execute(service::CreatePartition{
                  .database = "default", .collection = "c", .partition = "p"}),
              Code::kInvalidParameter, "disable create partition if partition key mode is used");
}

}  // namespace
}  // namespace elanus::coordinator
