#include "coordinator/properties.h"

#include <gtest/gtest.h>

namespace elanus::coordinator {
namespace {

using model::DataType;

model::CollectionInfo Info() {
  model::CollectionInfo info{.name = "c"};
  info.schema.fields = {
      {.id = FieldId{100}, .name = "id", .type = DataType::kInt64, .is_primary = true},
      {.id = FieldId{101}, .name = "v", .type = DataType::kFloatVector},
      {.id = FieldId{102}, .name = "s", .type = DataType::kVarChar},
      {.id = FieldId{103}, .name = "at", .type = DataType::kTimestamptz}};
  return info;
}

void ExpectError(const Status& status, Code code, const std::string& text) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
}

TEST(Properties, RefusesWhatNoCollectionMayHave) {
  const model::CollectionSchema schema = Info().schema;
  const std::pair<model::KeyValues, std::string> cases[] = {
      {{{"collection.ttl.seconds", "3155760001"}},
       "collection TTL is out of range, expect [-1, 3155760000], got 3155760001"},
      {{{"collection.ttl.seconds", "day"}}, "collection TTL is not a valid positive integer: day"},
      {{{"ttl_field", "at"}, {"collection.ttl.seconds", "5"}},
       "collection TTL and ttl field cannot be set at the same time: invalid parameter"},
      {{{"ttl_field", "none"}}, "ttl field name none not found in schema: invalid parameter"},
      {{{"ttl_field", "id"}}, "ttl field must be timestamptz, field name = id: invalid parameter"},
      {{{"partitionkey.isolation", "true"}},
       "partition key isolation mode is enabled but no partition key field is set"},
      {{{"warmup.vectorField", "Sync"}}, "invalid warmup policy: Sync"},
      {{{"warmup", "sync"}}, "invalid warmup property"},
  };
  for (const auto& [properties, text] : cases) {
    ExpectError(CheckCollectionProperties(schema, properties), Code::kInvalidParameter, text);
  }
  EXPECT_TRUE(CheckCollectionProperties(schema, {{"ttl_field", "at"},
                                                 {"warmup.scalarIndex", "async"},
                                                 {"partitionkey.isolation", "false"},
                                                 {"anything", "else"}})
                  .ok());
}

TEST(Properties, WhatTakesEffectAtLoadChangesOnlyBefore) {
  model::CollectionInfo info = Info();
  info.loaded = true;
  ExpectError(CheckAlterCollection(info, {.properties = {{"mmap.enabled", "true"}}}),
              Code::kCollectionLoaded, "can not alter mmap properties if collection loaded");
  ExpectError(CheckAlterCollection(info, {.delete_keys = {"mmap.enabled"}}),
              Code::kCollectionLoaded, "can not delete mmap properties if collection loaded");
  ExpectError(CheckAlterCollection(info, {.properties = {{"warmup.vectorField", "sync"}}}),
              Code::kCollectionLoaded, "can not alter warmup properties if collection loaded");
  ExpectError(CheckFieldProperty(info, info.schema.fields[1], {"warmup", "sync"}),
              Code::kCollectionLoaded, "can not alter warmup if collection loaded");
  ExpectError(CheckFieldProperty(info, info.schema.fields[1], {"mmap.enabled", "true"}),
              Code::kCollectionLoaded,
              "can not alter collection field properties if collection loaded");
  info.loaded = false;
  EXPECT_TRUE(CheckAlterCollection(info, {.properties = {{"mmap.enabled", "true"}}}).ok());
  EXPECT_TRUE(CheckFieldProperty(info, info.schema.fields[1], {"warmup", "sync"}).ok());
}

TEST(Properties, RowsExpireByAgeOrByFieldNotByBoth) {
  model::CollectionInfo info = Info();
  info.properties = {{"collection.ttl.seconds", "5"}};
  ExpectError(CheckAlterCollection(info, {.properties = {{"ttl_field", "at"}}}),
              Code::kInvalidParameter, "collection TTL is already set, cannot be set ttl field");
  info.properties = {{"ttl_field", "at"}};
  ExpectError(CheckAlterCollection(info, {.properties = {{"collection.ttl.seconds", "5"}}}),
              Code::kInvalidParameter, "ttl field is already set, cannot be set collection TTL");
}

TEST(Properties, IsolationIsChosenBeforeTheVectorIndex) {
  model::CollectionInfo info = Info();
  info.schema.fields[2].is_partition_key = true;
  const service::AlterCollection on{.properties = {{"partitionkey.isolation", "true"}}};
  EXPECT_TRUE(CheckAlterCollection(info, on).ok());
  info.indexes = {{.name = "s", .field = FieldId{102}}};
  EXPECT_TRUE(CheckAlterCollection(info, on).ok());
  info.indexes.push_back({.name = "v", .field = FieldId{101}});
  ExpectError(CheckAlterCollection(info, on), Code::kIndexDuplicate,
              "can not alter partition key isolation mode if the collection already has a vector "
              "index");
  info.properties = {{"partitionkey.isolation", "True"}};
  EXPECT_TRUE(CheckAlterCollection(info, on).ok()) << "it changes nothing";
}

TEST(Properties, OfAFieldOnlySomeChange) {
  const model::CollectionInfo info = Info();
  const model::FieldSchema& vector = info.schema.fields[1];
  const model::FieldSchema& text = info.schema.fields[2];
  EXPECT_TRUE(CheckFieldProperty(info, text, {"max_length", "9"}).ok());
  EXPECT_TRUE(CheckFieldProperty(info, vector, {"warmup.vectorField", "sync"}).ok());
  ExpectError(CheckFieldProperty(info, text, {"max_length", "65536"}), Code::kInvalidParameter,
              "the maximum length specified for the field(s) should be in (0, 65535], but got "
              "65536 instead");
  ExpectError(CheckFieldProperty(info, vector, {"max_length", "9"}), Code::kInvalidParameter,
              "can not modify the maxlength for non-string types");
  ExpectError(CheckFieldProperty(info, text, {"max_capacity", "9"}), Code::kInvalidParameter,
              "can not modify the maxcapacity for non-array types");
  for (const char* key : {"nullable", "element_type", "dim"}) {
    ExpectError(CheckFieldProperty(info, text, {key, "1"}), Code::kInvalidParameter,
                std::string(key) + " does not allow update in collection field param");
  }
  ExpectError(CheckFieldProperty(info, text, {"warmup", "DISABLE"}), Code::kInvalidParameter,
              "invalid warmup policy");
  EXPECT_FALSE(CheckFieldDeleteKey("max_length").ok());
  EXPECT_TRUE(CheckFieldDeleteKey("warmup").ok());
}

TEST(Properties, OfAnIndexOnlyHowItIsHeldChanges) {
  EXPECT_TRUE(CheckIndexProperty({"mmap.enabled", "True"}).ok());
  EXPECT_TRUE(CheckIndexProperty({"warmup", "disable"}).ok());
  ExpectError(CheckIndexProperty({"M", "16"}), Code::kInvalidParameter,
              "M is not a configable index property");
  ExpectError(CheckIndexProperty({"warmup", "bad"}), Code::kInvalidParameter,
              "invalid warmup policy: bad");
  ExpectError(CheckIndexProperty({"mmap.enabled", ""}), Code::kInvalidParameter,
              "invalid mmap.enabled value: , expected: true, false");
  EXPECT_TRUE(CheckIndexKey("mmap.enabled").ok());
  EXPECT_FALSE(CheckIndexKey("index_type").ok());
}

}  // namespace
}  // namespace elanus::coordinator
