#include "proxy/output_fields.h"

#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using Names = std::vector<std::string>;
using Ids = std::vector<FieldId>;

const model::CollectionSchema kSchema = SampleCollection().schema;

TEST(OutputFields, ExpandTheStarAndKeepTheOrderAsked) {
  auto plan = PlanOutput(kSchema, {"*"}, ReadKind::kSearch);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->names, (Names{"id", "v", "s", "n", "$meta"}));
  plan = PlanOutput(kSchema, {" n ", "id", "n"}, ReadKind::kSearch);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->names, (Names{"n", "id"}));
  EXPECT_EQ(plan->fields, (Ids{FieldId{103}, FieldId{100}}));
}

TEST(OutputFields, AlwaysHoldTheKeyInAQueryAndOnlyWhenAskedInASearch) {
  EXPECT_TRUE(PlanOutput(kSchema, {}, ReadKind::kSearch)->fields.empty());
  EXPECT_EQ(PlanOutput(kSchema, {}, ReadKind::kQuery)->fields, Ids{FieldId{100}});
  EXPECT_EQ(PlanOutput(kSchema, {"s"}, ReadKind::kQuery)->names, (Names{"s", "id"}));
}

TEST(OutputFields, CutTheDynamicFieldToTheKeysAsked) {
  auto plan = PlanOutput(kSchema, {"color", "$meta[\"size\"]"}, ReadKind::kSearch);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->fields, Ids{FieldId{104}});
  EXPECT_EQ(plan->names, (Names{"color", "$meta[\"size\"]"}));
  model::RowBatch rows{.rows = 2};
  rows.columns.push_back(
      Texts("$meta", {R"({"a":1,"color":"red","size":2.5})", "{}"}, model::DataType::kJson).column);
  rows.columns[0].field = FieldId{104};
  auto columns = OutputColumns(kSchema, *plan, rows);
  ASSERT_EQ(columns.size(), 1u);
  EXPECT_TRUE(columns[0].is_dynamic);
  EXPECT_EQ(columns[0].column.StringAt(0), R"({"color":"red","size":2.5})");
  EXPECT_EQ(columns[0].column.StringAt(1), "{}");
  plan = PlanOutput(kSchema, {"color", "$meta"}, ReadKind::kSearch);
  EXPECT_EQ(OutputColumns(kSchema, *plan, rows)[0].column.StringAt(0),
            R"({"a":1,"color":"red","size":2.5})");
}

TEST(OutputFields, FillColumnsThatNoShardHas) {
  auto plan = PlanOutput(kSchema, {"s", "n"}, ReadKind::kSearch);
  auto columns = OutputColumns(kSchema, *plan, {.rows = 2});
  EXPECT_EQ(columns[0].column.StringAt(1), "none");
  EXPECT_TRUE(columns[1].column.IsNull(0));
  EXPECT_TRUE(columns[1].nullable);
}

TEST(OutputFields, AreRefusedWithMilvusTexts) {
  auto fixed = kSchema;
  fixed.fields.pop_back();
  ExpectError(StatusOf(PlanOutput(fixed, {"nope"}, ReadKind::kQuery)), Code::kInvalidParameter,
              "field nope not exist");
  for (const char* name : {"*%", "**", "@", "%", "-", "json[\"a\"]", "$meta[\"a\"][\"b\"]"}) {
    ExpectError(StatusOf(PlanOutput(kSchema, {name}, ReadKind::kQuery)), Code::kInvalidParameter,
                std::string("parse output field name failed: ") + name);
  }
  ExpectError(StatusOf(PlanOutput(kSchema, {"count(*)"}, ReadKind::kSearch)),
              Code::kInvalidParameter, "aggregates are not supported in search request");
  ExpectError(StatusOf(PlanOutput(fixed, {"count(int64)"}, ReadKind::kQuery)),
              Code::kInvalidParameter, "target field int64 for aggregation:count does not exist");
  ExpectError(StatusOf(PlanOutput(fixed, {"count(**)"}, ReadKind::kQuery)), Code::kInvalidParameter,
              "for aggregation:count does not exist");
  ExpectError(StatusOf(PlanOutput(fixed, {"count"}, ReadKind::kQuery)), Code::kInvalidParameter,
              "field count not exist");
  ExpectError(StatusOf(PlanOutput(kSchema, {"count(*)", "id"}, ReadKind::kQuery)),
              Code::kInvalidParameter, "can only contain aggregation expressions");
  EXPECT_TRUE(PlanOutput(kSchema, {"Count( * )"}, ReadKind::kQuery)->count_only());
}

}  // namespace
}  // namespace elanus::proxy
