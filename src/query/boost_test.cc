// Boost functions: which hits they touch, how several combine, and that the order follows.
#include "query/boost.h"

#include <gtest/gtest.h>

#include "segment/growing.h"

namespace elanus::query {
namespace {

model::CollectionSchema Schema() {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100}, .name = "id", .type = model::DataType::kInt64, .is_primary = true});
  schema.fields.push_back({.id = {101}, .name = "n", .type = model::DataType::kInt64});
  return schema;
}

struct Boosted : ::testing::Test {
  model::CollectionSchema schema = Schema();
  segment::GrowingSegment first{SegmentId{1}, PartitionId{1}, schema};
  segment::GrowingSegment second{SegmentId{2}, PartitionId{1}, schema};
  std::vector<segment::SegmentPtr> segments = {
      segment::SegmentPtr(&first, [](const segment::Segment*) {}),
      segment::SegmentPtr(&second, [](const segment::Segment*) {})};
  Cancel cancel;

  void SetUp() override {
    for (int64_t key = 0; key < 200; ++key) {
      model::RowBatch row{.rows = 1};
      row.columns = {model::MakeColumn({100}, model::DataType::kInt64),
                     model::MakeColumn({101}, model::DataType::kInt64)};
      row.columns[0].Append(key);
      row.columns[1].Append(key % 7);
      (key % 2 == 0 ? first : second).Append(row, 10);
    }
  }
  SearchHit Hit(int64_t key, float distance) const {
    return {{static_cast<uint32_t>(key % 2), static_cast<uint32_t>(key / 2)}, distance};
  }
  expr::BoostFunction Function(const std::string& filter, float weight) const {
    return {.filter = *expr::ParseFilter(filter, schema, {}), .weight = weight};
  }
  std::vector<std::pair<int64_t, float>> Apply(const expr::Boost& boost,
                                               std::vector<SearchHit> hits) {
    std::vector<std::vector<SearchHit>> results = {std::move(hits)};
    const Status status =
        ApplyBoost(segments, {.schema = &schema, .at = 20, .cancel = &cancel}, boost, results);
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<std::pair<int64_t, float>> found;
    for (const SearchHit& hit : results[0]) {
      found.emplace_back(std::get<int64_t>(segments[hit.ref.segment]->KeyAt(hit.ref.row)),
                         hit.distance);
    }
    return found;
  }
};

using Found = std::vector<std::pair<int64_t, float>>;

TEST_F(Boosted, OnlyHitsThatTheFilterKeepsChangeAndTheOrderFollows) {
  // Distances of a similarity are its negatives.
  const std::vector<SearchHit> hits = {Hit(1, -1), Hit(150, -0.75F), Hit(151, -0.5F)};
  EXPECT_EQ(Apply({.functions = {Function("id in [150, 151]", 4)}}, hits),
            (Found{{150, -3}, {151, -2}, {1, -1}}));
  EXPECT_EQ(Apply({.functions = {Function("id > 1000", 4)}}, hits),
            (Found{{1, -1}, {150, -0.75F}, {151, -0.5F}}));
  EXPECT_EQ(Apply({.functions = {Function("", 2)}}, hits),
            (Found{{1, -2}, {150, -1.5F}, {151, -1}}));
}

TEST_F(Boosted, SeveralFunctionsAreMultipliedOrAddedBeforeTheScoreIs) {
  const std::vector<SearchHit> hits = {Hit(2, -1), Hit(3, -1), Hit(4, -1)};
  expr::Boost boost{.functions = {Function("id in [2, 4]", 2), Function("id >= 3", 3)}};
  EXPECT_EQ(Apply(boost, hits), (Found{{4, -6}, {3, -3}, {2, -2}}));
  boost.adds_functions = true;
  EXPECT_EQ(Apply(boost, hits), (Found{{4, -5}, {3, -3}, {2, -2}}));
  boost.adds_score = true;
  EXPECT_EQ(Apply(boost, hits), (Found{{4, -6}, {3, -4}, {2, -3}}));
}

TEST_F(Boosted, OfADistanceALargerBoostAddedIsNearer) {
  const std::vector<SearchHit> hits = {Hit(1, 0), Hit(2, 0.5F), Hit(3, 0.75F)};
  EXPECT_EQ(Apply({.functions = {Function("id == 3", 0.5F)}, .adds_score = true}, hits),
            (Found{{1, 0}, {3, 0.25F}, {2, 0.5F}}));
}

TEST_F(Boosted, ARandomScoreDependsOnTheSeedAndTheRowAlone) {
  std::vector<SearchHit> hits;
  for (int64_t key = 0; key < 200; ++key) hits.push_back(Hit(key, -1));
  expr::Boost boost{.functions = {Function("", 2)}};
  boost.functions[0].random = true;
  boost.functions[0].seed = 5;
  const Found once = Apply(boost, hits);
  EXPECT_EQ(once, Apply(boost, hits));
  double sum = 0;
  for (const auto& [key, distance] : once) {
    EXPECT_LE(distance, 0);
    EXPECT_GT(distance, -2);
    sum += distance;
  }
  EXPECT_NEAR(sum / 200, -1, 0.15);
  boost.functions[0].seed = 6;
  EXPECT_NE(once, Apply(boost, hits));
  boost.functions[0].field = FieldId{101};
  std::map<int64_t, float> of_value;
  for (const auto& [key, distance] : Apply(boost, hits)) {
    EXPECT_EQ(of_value.try_emplace(key % 7, distance).first->second, distance) << key;
  }
  EXPECT_EQ(of_value.size(), 7u);
}

}  // namespace
}  // namespace elanus::query
