// Grouped, ordered, fused and aggregated reads: what the proxy adds to the shards' answers.
#include <gtest/gtest.h>

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using Ints64 = std::vector<int64_t>;

struct ReadFormsTest : FrontendTest {
  /// Rows 0.., vectors (row, 0), n = row % 3, s = "t" + (9 - row): 12 rows over two shards.
  void SetUp() override {
    FrontendTest::SetUp();
    std::vector<int64_t> keys;
    std::vector<int64_t> numbers;
    std::vector<std::string> texts;
    std::vector<float> vectors;
    for (int64_t i = 0; i < 12; ++i) {
      keys.push_back(i);
      numbers.push_back(i % 3);
      texts.push_back("t" + std::to_string(20 - i));
      vectors.insert(vectors.end(), {static_cast<float>(i), 0});
    }
    ASSERT_TRUE(
        Insert({Ints("id", keys), Vectors("v", vectors), Ints("n", numbers), Texts("s", texts)})
            .has_value());
  }
  Result<service::SearchResult> Search(model::KeyValues params) {
    auto search = SearchFrom({0, 0});
    search.params = std::move(params);
    search.output_fields = {"n"};
    return frontend.Search(call, search);
  }
  service::HybridSearchCall Hybrid(model::KeyValues rank_params) {
    return {.collection = "c",
            .searches = {SearchFrom({0, 0}, "4"), SearchFrom({3, 0}, "4")},
            .output_fields = {"n"},
            .rank_params = std::move(rank_params)};
  }
};

TEST_F(ReadFormsTest, GroupedSearchKeepsGroupsTogetherAndPagesByGroup) {
  auto result = Search({{"topk", "2"}, {"group_by_field", "n"}, {"group_size", "2"}});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints, (Ints64{0, 3, 1, 4}));
  EXPECT_EQ(result->counts, (Ints64{4}));
  ASSERT_EQ(result->group_values.size(), 1U);
  EXPECT_EQ(result->group_values[0].name, "n");
  EXPECT_EQ(result->group_values[0].column.Values<int64_t>()[3], 1);
  EXPECT_EQ(shards.searches[0].group.columns, 1);
  EXPECT_EQ(shards.searches[0].group.size, 2);
  result = Search({{"topk", "2"}, {"offset", "1"}, {"group_by_field", "n"}});
  EXPECT_EQ(result->keys.ints, (Ints64{1, 2}));
  EXPECT_EQ(shards.searches.back().top_k, 3);
}

TEST_F(ReadFormsTest, OrderedSearchSortsTheNearestAndPagesAfterwards) {
  auto result = Search({{"topk", "2"}, {"offset", "1"}, {"order_by_fields", "s"}});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints, (Ints64{1, 0}));  // of 0, 1, 2 by t20, t19, t18
  EXPECT_EQ(result->scores, (std::vector<float>{1, 0}));
  result = Search({{"topk", "3"}, {"order_by_fields", "n:desc,s:asc"}});
  EXPECT_EQ(result->keys.ints, (Ints64{2, 1, 0}));
}

TEST_F(ReadFormsTest, OrderedGroupsGoByTheirBestHit) {
  auto result = Search({{"topk", "2"},
                        {"offset", "1"},
                        {"group_by_field", "n"},
                        {"group_size", "2"},
                        {"order_by_fields", "s:desc"}});
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints, (Ints64{1, 4, 2, 5}));
}

TEST_F(ReadFormsTest, GroupParametersAreRefusedWithMilvusTexts) {
  auto refused = [&](model::KeyValues params, Code code, const std::string& text) {
    params.push_back({"topk", "2"});
    ExpectError(StatusOf(Search(std::move(params))), code, text);
  };
  refused({{"group_by_field", "v"}}, Code::kInvalidParameter,
          "unsupported data type for group by: field v is a FloatVector");
  refused({{"group_by_field", "21"}}, Code::kInvalidParameter, "cannot parse identifier: 21");
  refused({{"group_by_field", "n"}, {"group_size", "11"}}, Code::kInvalidParameter,
          "input group size:11 exceeds configured max group size:10");
  refused({{"group_by_field", "n"}, {"group_size", "0"}}, Code::kInvalidParameter,
          "input group size:0 is negative");
  refused({{"group_by_field", "n"}, {"iterator", "True"}}, Code::kInvalidParameter,
          "Not allowed to do groupBy when doing iteration");
  refused({{"group_by_field", "n"}, {"params", R"({"radius": 3})"}}, Code::kInvalidParameter,
          "Not allowed to do range-search when doing search-group-by");
  refused({{"group_by_fields", "n,s"}, {"order_by_fields", "n"}}, Code::kInvalidParameter,
          "order_by_fields is not supported with multi-field group_by_fields");
  auto info = SampleCollection();
  info.schema.fields.pop_back();
  Use(info);
  refused({{"group_by_field", "21"}}, Code::kFieldNotFound,
          "groupBy field not found in schema: field not found[field=21]");
}

TEST_F(ReadFormsTest, OrderParametersAreRefusedWithMilvusTexts) {
  auto info = SampleCollection();
  info.schema.fields[4] = Field(104, "j", model::DataType::kJson);
  Use(info);
  auto refused = [&](const std::string& order, const std::string& text) {
    ExpectError(StatusOf(Search({{"topk", "2"}, {"order_by_fields", order}})),
                Code::kInvalidParameter, text);
  };
  refused("x:asc", "order_by field 'x' does not exist in collection schema");
  refused("j[x:asc", "order_by field 'j[x:asc' does not exist in collection schema");
  refused("v",
          "order_by field 'v' has unsortable type FloatVector; supported types: bool, "
          "int8/16/32/64, float, double, string, varchar; for JSON fields use path syntax "
          "like field[\"key\"]");
  refused("j", "has unsortable type JSON");
  refused("n:up", "invalid order direction 'up' for field 'n', expected 'asc' or 'desc'");
  refused("n:asc:x", "invalid null ordering 'x', must be 'nulls_first' or 'nulls_last'");
  EXPECT_TRUE(Search({{"topk", "2"}, {"order_by_fields", ""}}).has_value());
}

TEST_F(ReadFormsTest, HybridSearchFusesRanksAndPages) {
  // 0 1 2 3 and 3 2 4 1: 3 and 1 and 2 are in both.
  auto result = frontend.HybridSearch(call, Hybrid({{"limit", "3"}, {"strategy", "rrf"}}));
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints, (Ints64{3, 2, 1}));
  EXPECT_FLOAT_EQ(result->scores[0], 1.0F / 64 + 1.0F / 61);
  ASSERT_EQ(result->columns.size(), 1U);
  EXPECT_EQ(result->columns[0].column.Values<int64_t>()[1], 2);
  result = frontend.HybridSearch(call, Hybrid({{"limit", "2"}, {"offset", "1"}}));
  EXPECT_EQ(result->keys.ints, (Ints64{2, 1}));
}

TEST_F(ReadFormsTest, HybridSearchWeighsScores) {
  auto result = frontend.HybridSearch(
      call, Hybrid({{"limit", "2"},
                    {"strategy", "weighted"},
                    {"params", R"({"weights": [0.5, 0.25], "norm_score": false})"}}));
  ASSERT_TRUE(result.has_value()) << result.error().message();
  // Sums of plain distances: what is in one list only has the smaller sum.
  EXPECT_EQ(result->keys.ints, (Ints64{0, 4}));
  EXPECT_EQ(result->scores, (std::vector<float>{0, 0.25}));
}

TEST_F(ReadFormsTest, HybridSearchGroups) {
  auto result = frontend.HybridSearch(
      call, Hybrid({{"limit", "2"}, {"group_by_field", "n"}, {"group_size", "1"}}));
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints.size(), 2U);
  EXPECT_NE(result->group_values.at(0).column.Values<int64_t>()[0],
            result->group_values[0].column.Values<int64_t>()[1]);
}

TEST_F(ReadFormsTest, HybridParametersAreRefusedWithMilvusTexts) {
  auto refused = [&](const service::HybridSearchCall& search, const std::string& text) {
    ExpectError(StatusOf(frontend.HybridSearch(call, search)), Code::kInvalidParameter, text);
  };
  refused(Hybrid({}), "limit not found in rank_params");
  refused(Hybrid({{"limit", "16385"}}),
          "invalid max query result window, (offset+limit) should be in range [1, 16384], but got "
          "16385");
  refused(Hybrid({{"limit", "1"}, {"strategy", "x"}}), "unsupported rank type x");
  refused(Hybrid({{"limit", "1"}, {"params", R"({"k": 0})"}}),
          "The rank params k should be in range (0, 16384)");
  auto weighted = [&](const std::string& weights) {
    return Hybrid(
        {{"limit", "1"}, {"strategy", "weighted"}, {"params", "{\"weights\": " + weights + "}"}});
  };
  refused(weighted("[0.1, 2]"), "rank param weight should be in range [0, 1]");
  refused(weighted("[0.1]"),
          "the length of weights param mismatch with ann search requests: invalid "
          "parameter[expected=2][actual=1]");
  auto search = Hybrid({{"limit", "1"}});
  search.searches[1].nq = 2;
  refused(search, "sub search request nq should be the same");
  search.searches.clear();
  refused(search,
          "nq [0] is invalid, nq (number of search vector per search request) should be in "
          "range [1, 16384], but got 0");
  search.searches.assign(1'025, SearchFrom({0, 0}));
  refused(search, "maximum of ann search requests is 1024");
}

service::FunctionScore DecayOf(const std::string& field, model::KeyValues more = {}) {
  model::KeyValues params = {
      {"reranker", "decay"}, {"function", "linear"}, {"origin", "2"}, {"scale", "4"}};
  params.insert(params.end(), more.begin(), more.end());
  return {.functions = {{.name = "f", .input_fields = {field}, .params = params}}};
}

TEST_F(ReadFormsTest, DecayGivesHitsNewScoresBeforeThePageIsCut) {
  auto search = SearchFrom({0, 0}, "2");
  search.params.push_back({"offset", "1"});
  search.function_score = DecayOf("n");
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  // 0, 1, 2 with n as their keys: similarities 1, 1/2, 1 - 2 atan(4) / pi times 3/4, 7/8, 1.
  EXPECT_EQ(result->keys.ints, (Ints64{1, 2}));
  EXPECT_FLOAT_EQ(result->scores[0], 0.5F * 0.875F);
  EXPECT_EQ(shards.searches[0].top_k, 3);
}

TEST_F(ReadFormsTest, DecayWorksOverGroupsAndHybridSearches) {
  auto search = SearchFrom({0, 0}, "2");
  search.params.push_back({"group_by_field", "n"});
  search.function_score = DecayOf("n");
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints.size(), 2U);
  auto hybrid = Hybrid({{"limit", "3"}});
  hybrid.function_score = DecayOf("n", {{"score_mode", "sum"}});
  result = frontend.HybridSearch(call, hybrid);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints.size(), 3U);
}

TEST_F(ReadFormsTest, FunctionScoresAreRefusedWithMilvusTexts) {
  auto refused = [&](const service::FunctionScore& score, const std::string& text) {
    auto search = SearchFrom({0, 0});
    search.function_score = score;
    ExpectError(StatusOf(frontend.Search(call, search)), Code::kInvalidParameter, text);
  };
  auto with = [&](const std::string& key, const std::string& value) {
    auto score = DecayOf("n");
    std::erase_if(score.functions[0].params, [&](const auto& pair) { return pair.first == key; });
    if (!value.empty()) score.functions[0].params.emplace_back(key, value);
    return score;
  };
  refused(with("reranker", "1"), "unsupported reranker 1");
  refused(with("reranker", ""), "reranker name not specified");
  refused(with("function", "x"),
          R"(decay: invalid function "x", must be one of [gauss, exp, linear])");
  refused(with("function", ""), "decay function not specified");
  refused(with("origin", ""), "decay origin not specified");
  refused(with("origin", "[1]"), "decay param origin: [1] is not a number");
  refused(with("scale", ""), "decay scale not specified");
  refused(with("scale", "-1.0"), "decay: scale must be > 0, got -1.0");
  refused(with("offset", "-1.0"), "decay: offset must be >= 0, got -1.0");
  refused(with("decay", "1"), "Decay function param: decay must 0 < decay < 1, but got 1");
  refused(DecayOf("s"), "decay input field s must be numeric, got VarChar");
  refused(DecayOf("v"), "unsupported field type: FloatVector");
  refused(DecayOf("nope"), "input field nope not found in collection schema");
  auto two = DecayOf("n");
  two.functions[0].input_fields.push_back("id");
  refused(two, "decay reranker requires exactly 1 input field, got 2");
}

TEST_F(ReadFormsTest, OrderedQueryPagesInItsOrder) {
  service::QueryCall query{
      .collection = "c",
      .output_fields = {"s"},
      .params = {{"limit", "3"}, {"offset", "1"}, {"order_by_fields", "n:desc,s"}}};
  auto result = frontend.Query(call, query);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  const auto& keys = result->columns[1].column;
  ASSERT_EQ(result->columns[1].name, "id");
  // n = 2: rows 8 5 2 11 by s (t12 t15 t18 t9).
  EXPECT_EQ(Ints64(keys.Values<int64_t>().begin(), keys.Values<int64_t>().end()),
            (Ints64{5, 2, 11}));
  EXPECT_EQ(shards.queries[0].limit, 4);
}

TEST_F(ReadFormsTest, QueryOrdersAndGroupsAreRefusedWithMilvusTexts) {
  auto refused = [&](std::vector<std::string> fields, model::KeyValues params,
                     const std::string& text) {
    service::QueryCall query{
        .collection = "c", .output_fields = std::move(fields), .params = std::move(params)};
    ExpectError(StatusOf(frontend.Query(call, query)), Code::kInvalidParameter, text);
  };
  refused({"id"}, {{"order_by_fields", "n"}}, "ORDER BY requires explicit limit");
  refused({"id"}, {{"limit", "1"}, {"order_by_fields", ":asc"}},
          "order_by field '' does not exist in collection schema");
  refused({"id"}, {{"limit", "1"}, {"order_by_fields", "v"}},
          "order_by field 'v' has type FloatVector which is not sortable");
  refused({"id"}, {{"limit", "1"}, {"order_by_fields", "n:up"}},
          "invalid order direction 'up' for field 'n', must be 'asc' or 'desc'");
  refused({"id"}, {{"limit", "1"}, {"iterator", "True"}, {"order_by_fields", "n"}},
          "ORDER BY with iterator is not supported");
  refused({"count(*)"}, {{"limit", "1"}, {"order_by_fields", "n"}},
          "ORDER BY can only reference GROUP BY columns");
  refused({"sum(s)"}, {}, "aggregation operator sum does not support data type VarChar");
  refused({"sum(*)"}, {}, "sum(*) is not supported, only count(*) is allowed");
  refused({"n", "count(*)"}, {},
          "output field 'n' is not allowed: when using aggregation functions");
  refused({"s", "count(*)"}, {{"group_by_fields", "n"}},
          "output field 's' is not allowed: when using GROUP BY, output_fields can only contain "
          "group_by fields (n) or aggregation expressions");
  refused({"count(*)"}, {{"group_by_fields", "v"}},
          "group by field v has unsupported data type FloatVector");
  refused({"count(*)"}, {{"group_by_fields", "nope"}}, "field nope not exist");
}

}  // namespace
}  // namespace elanus::proxy
