#include "model/schema.h"

#include <gtest/gtest.h>

#include "base/codec.h"
#include "model/collection.h"

namespace elanus::model {
namespace {

CollectionSchema Example() {
  CollectionSchema schema{.name = "words", .enable_dynamic_field = true};
  schema.fields.push_back(
      {.id = {100}, .name = "id", .type = DataType::kInt64, .is_primary = true});
  schema.fields.push_back({.id = {101},
                           .name = "vector",
                           .type = DataType::kFloatVector,
                           .default_value = Scalar(int64_t{3}),
                           .type_params = {{"dim", "8"}, {"dim", "9"}}});
  schema.fields.push_back(
      {.id = {102}, .name = "$meta", .type = DataType::kJson, .is_dynamic = true});
  return schema;
}

TEST(Schema, FindsFieldsByNameIdAndRole) {
  CollectionSchema schema = Example();
  EXPECT_EQ(schema.FindField("vector")->dim(), 8);
  EXPECT_EQ(schema.FindField(FieldId{101})->name, "vector");
  EXPECT_EQ(schema.primary()->name, "id");
  EXPECT_EQ(schema.dynamic()->name, "$meta");
  EXPECT_EQ(schema.FindField("nothing"), nullptr);
}

TEST(Schema, HasAByteForm) {
  CollectionInfo info{.id = {7}, .name = "words", .schema = Example(), .shards = {{1}, {2}}};
  auto decoded = DecodeBytes<CollectionInfo>(EncodeBytes(info), "collection");
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->schema, info.schema);
  EXPECT_EQ(decoded->shards, info.shards);
}

}  // namespace
}  // namespace elanus::model
