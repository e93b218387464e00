// search_aggregation and boost functions through the proxy.
#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using service::Bucket;
using service::BucketValue;

struct AggregationTest : FrontendTest {
  /// Rows 0..11, vectors (row, 0), n = row % 3 (null for 9, 10, 11), s = "a" or "b" by row / 6:
  /// over two shards.
  void SetUp() override {
    FrontendTest::SetUp();
    std::vector<int64_t> keys;
    std::vector<float> vectors;
    std::vector<std::string> texts;
    auto numbers = Ints("n", {});
    for (int64_t i = 0; i < 12; ++i) {
      keys.push_back(i);
      vectors.insert(vectors.end(), {static_cast<float>(i), 0});
      texts.push_back(i < 6 ? "a" : "b");
      i < 9 ? numbers.column.Append(i % 3) : numbers.column.AppendNull();
    }
    numbers.valid_given = true;
    ASSERT_TRUE(
        Insert({Ints("id", keys), Vectors("v", vectors), Texts("s", texts), numbers}).has_value());
  }
  Result<service::SearchResult> Search(service::SearchAggregation aggregation,
                                       model::KeyValues params = {}) {
    auto search = SearchFrom({0, 0}, "2");
    search.params.insert(search.params.end(), params.begin(), params.end());
    search.output_fields = {"n"};
    search.aggregation = std::move(aggregation);
    return frontend.Search(call, search);
  }
  void ExpectRefused(service::AggregationLevel level, const std::string& text) {
    ExpectError(StatusOf(Search({.levels = {std::move(level)}})), Code::kInvalidParameter, text);
  }
};

std::vector<BucketValue> Keys(const std::vector<Bucket>& buckets) {
  std::vector<BucketValue> keys;
  for (const Bucket& bucket : buckets) keys.push_back(bucket.key.front().value);
  return keys;
}
std::vector<int64_t> HitsOf(const Bucket& bucket) {
  std::vector<int64_t> hits;
  for (const auto& hit : bucket.hits) hits.push_back(std::get<int64_t>(hit.key));
  return hits;
}

TEST_F(AggregationTest, BucketsComeByTheirBestHitAndCountWhatWasFoundForThem) {
  auto result = Search({.levels = {{.fields = {"n"}, .size = 9, .top_hits = {{.size = 2}}}}});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->counts, std::vector<int64_t>{0});
  EXPECT_EQ(result->bucket_counts, std::vector<int64_t>{4});
  ASSERT_EQ(result->buckets.size(), 4u);
  EXPECT_EQ(Keys(result->buckets),
            (std::vector<BucketValue>{int64_t{0}, int64_t{1}, int64_t{2}, BucketValue()}));
  EXPECT_EQ(result->buckets[1].count, 2);
  EXPECT_EQ(HitsOf(result->buckets[1]), (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(result->buckets[3].hits[0].fields[0].value, BucketValue());
  EXPECT_EQ(result->buckets[0].key[0].name, "n");
  EXPECT_EQ(shards.searches[0].group.size, 2);
  EXPECT_EQ(shards.searches[0].top_k, 9);
}

TEST_F(AggregationTest, MetricsSkipNullsAndReadScoresAndOrderTheBuckets) {
  auto result = Search({.levels = {{.fields = {"s"},
                                    .size = 2,
                                    .metrics = {{"rows", "count", "*"},
                                                {"numbers", "count", "n"},
                                                {"sum", "SUM", "n"},
                                                {"avg", "avg", "_score"},
                                                {"least", "min", "s"},
                                                {"most", "max", "_score"}},
                                    .order = {{"sum", "asc"}},
                                    .top_hits = {{.size = 9}}}}});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_EQ(result->buckets.size(), 2u);
  const Bucket& b = result->buckets[0];  // 6..11: n 0, 1, 2 and three nulls
  EXPECT_EQ(b.key[0].value, BucketValue(std::string("b")));
  EXPECT_EQ(b.metrics[0].second, BucketValue(int64_t{6}));
  EXPECT_EQ(b.metrics[1].second, BucketValue(int64_t{3}));
  EXPECT_EQ(b.metrics[2].second, BucketValue(int64_t{3}));
  EXPECT_EQ(b.metrics[3].second, BucketValue((36.0 + 49 + 64 + 81 + 100 + 121) / 6));
  EXPECT_EQ(b.metrics[4].second, BucketValue(std::string("b")));
  EXPECT_EQ(b.metrics[5].second, BucketValue(121.0));
  EXPECT_EQ(result->buckets[1].metrics[2].second, BucketValue(int64_t{6}));
}

TEST_F(AggregationTest, LevelsNestAndHitsSortByFieldsWithTheirNulls) {
  auto result = Search({.levels = {{.fields = {"s"},
                                    .size = 1,
                                    .search_size = 2,
                                    .order = {{"_key", "desc"}},
                                    .top_hits = {{.size = 6, .sort = {{"n", "desc", true}}}}},
                                   {.fields = {"n"}, .size = 4, .order = {{"_key", "asc"}}}}});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_EQ(result->buckets.size(), 1u);
  EXPECT_EQ(HitsOf(result->buckets[0]), (std::vector<int64_t>{9, 10, 11, 8, 7, 6}));
  EXPECT_EQ(Keys(result->buckets[0].buckets),
            (std::vector<BucketValue>{BucketValue(), int64_t{0}, int64_t{1}, int64_t{2}}));
  EXPECT_TRUE(result->buckets[0].buckets[0].hits.empty());
}

TEST_F(AggregationTest, WhatMakesNoBucketsIsRefusedWithMilvusTexts) {
  ExpectRefused({.fields = {}}, "group_by level has no fields");
  ExpectRefused({.fields = {"n"}, .size = -1}, "search_aggregation size must be non-negative");
  ExpectRefused({.fields = {"n"}, .size = 3, .search_size = 2},
                "search_size must be greater than or equal to size");
  ExpectRefused({.fields = {"n", "n"}}, "duplicated group_by field \"n\" in one level");
  ExpectRefused({.fields = {"v"}}, "unsupported data type for group by: field v is a FloatVector");
  ExpectRefused({.fields = {"x"}}, "JSON / dynamic fields are not yet supported");
  ExpectRefused({.fields = {"n"}, .metrics = {{"m", "median", "n"}}},
                "invalid metric \"m\": unsupported metric op \"median\"");
  ExpectRefused({.fields = {"n"}, .metrics = {{"m", "sum", "*"}}},
                "field_name '*' only supports count op");
  ExpectRefused({.fields = {"n"}, .metrics = {{"m", "sum", "s"}}},
                "aggregation operator sum does not support data type VarChar");
  ExpectRefused({.fields = {"n"}, .order = {{"m", "asc"}}}, "order key \"m\" is not found");
  ExpectRefused({.fields = {"n"}, .top_hits = {{.size = 1, .sort = {{"$meta['a']", "asc"}}}}},
                "top_hits.sort JSON path is not yet supported");
  ExpectRefused({.fields = {"n"}, .size = 10001},
                "number of search_aggregation result entries is too large");
  const service::AggregationLevel level{.fields = {"n"}};
  ExpectError(StatusOf(Search({.levels = {level, level, level, level, level}})),
              Code::kInvalidParameter, "search_aggregation nesting exceeds max 4 levels");
  ExpectError(StatusOf(Search({.levels = {level}}, {{"group_by_field", "n"}})),
              Code::kInvalidParameter,
              "group_by_field and search_aggregation cannot be used simultaneously");
  ExpectError(StatusOf(Search({.levels = {level}}, {{"offset", "1"}})), Code::kInvalidParameter,
              "offset is not supported with search_aggregation");
  auto info = SampleCollection();
  info.schema.fields.pop_back();
  Use(info);
  ExpectRefused({.fields = {"x"}}, "invalid group_by field \"x\": field x not found in schema");
}

struct BoostTest : FrontendTest {
  void SetUp() override {
    FrontendTest::SetUp();
    InsertLine(4);
  }
  Result<service::SearchResult> Search(model::KeyValues function, model::KeyValues score = {},
                                       model::KeyValues params = {}) {
    auto search = SearchFrom({0, 0});
    search.params.insert(search.params.end(), params.begin(), params.end());
    search.function_score = {.functions = {{.params = std::move(function)}},
                             .params = std::move(score)};
    return frontend.Search(call, search);
  }
  void ExpectRefused(model::KeyValues function, const std::string& text,
                     model::KeyValues score = {}, model::KeyValues params = {}) {
    ExpectError(StatusOf(Search(std::move(function), std::move(score), std::move(params))),
                Code::kInvalidParameter, "failed to create query plan: " + text);
  }
};

TEST_F(BoostTest, BoostsTravelToTheShards) {
  ASSERT_TRUE(Search({{"reranker", "boost"},
                      {"weight", "1.5"},
                      {"filter", "n > 1"},
                      {"random_score", R"({"seed": 7, "field": "id"})"}},
                     {{"boost_mode", "Sum"}, {"function_mode", "multiply"}})
                  .has_value());
  const auto& boost = shards.searches[0].boost;
  ASSERT_TRUE(boost.has_value());
  EXPECT_TRUE(boost->adds_score);
  EXPECT_FALSE(boost->adds_functions);
  ASSERT_EQ(boost->functions.size(), 1u);
  EXPECT_EQ(boost->functions[0].weight, 1.5F);
  EXPECT_EQ(boost->functions[0].seed, 7);
  EXPECT_EQ(boost->functions[0].field, FieldId{100});
  EXPECT_NE(boost->functions[0].filter.root, nullptr);
}

TEST_F(BoostTest, ABoostComesBeforeAnotherReranker) {
  auto search = SearchFrom({0, 0});
  search.function_score = {
      .functions = {
          {.params = {{"reranker", "boost"}, {"weight", "2"}}},
          {.input_fields = {"n"},
           .params = {
               {"reranker", "decay"}, {"function", "gauss"}, {"origin", "1"}, {"scale", "1"}}}}};
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_TRUE(shards.searches[0].boost.has_value());
  EXPECT_EQ(shards.searches[0].values.size(), 1u) << "the decay's input";
}

TEST_F(BoostTest, WrongBoostsAreRefusedWithMilvusTexts) {
  ExpectRefused({{"reranker", "boost"}}, "must set weight params for weight scorer");
  ExpectRefused({{"reranker", "boost"}, {"weight", "x"}},
                "parse function scorer weight params failed with error");
  ExpectRefused({{"reranker", "boost"}, {"weight", "1"}, {"filter", "n @@ 1"}},
                "parse expr failed with error");
  ExpectRefused({{"reranker", "boost"}, {"weight", "1"}}, "unknown boost mode: avg",
                {{"boost_mode", "avg"}});
  ExpectRefused({{"reranker", "boost"}, {"weight", "1"}}, "unknown function mode: avg",
                {{"function_mode", "avg"}});
  ExpectRefused({{"reranker", "boost"}, {"weight", "1"}, {"random_score", R"({"field": "s"})"}},
                "only support int64 field as random seed, but got VarChar");
  ExpectRefused({{"reranker", "boost"}, {"weight", "1"}, {"random_score", R"({"seed": "s"})"}},
                "random seed must be number");
  ExpectRefused({{"reranker", "boost"}, {"weight", "1"}},
                "don't support use segment scorer with group_by or search_iterator", {},
                {{"group_by_field", "n"}});
}

}  // namespace
}  // namespace elanus::proxy
