#include "proxy/search_params.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include <fmt/format.h>
#include "proxy/fixture.h"
#include "proxy/query_params.h"

namespace elanus::proxy {
namespace {

using model::KeyValues;

model::CollectionInfo WithIndex(const std::string& type, const std::string& metric) {
  auto info = SampleCollection();
  info.indexes[0].params = {{"index_type", type}, {"metric_type", metric}};
  return info;
}

Result<SearchPlan> Plan(const model::CollectionInfo& info, KeyValues params, int64_t nq = 1) {
  service::SearchCall search{.collection = "c", .params = std::move(params), .nq = nq};
  return PlanSearch(info, search);
}

TEST(SearchParams, ReadWhatPymilvusSends) {
  const auto info = WithIndex("HNSW", "L2");
  auto plan = Plan(info, {{"topk", "10"},
                          {"round_decimal", "2"},
                          {"ignore_growing", "False"},
                          {"offset", "5"},
                          {"metric_type", "L2"},
                          {"params", R"({"ef": 64, "metric_type": "L2", "radius": 10})"}});
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_EQ(plan->limit, 10);
  EXPECT_EQ(plan->offset, 5);
  EXPECT_EQ(plan->params.ef, 64);
  EXPECT_EQ(plan->params.radius, 10.0);
  EXPECT_EQ(plan->round_decimal, 2);
  EXPECT_EQ(plan->field->name, "v");
  EXPECT_EQ(plan->metric, model::Metric::kL2);
}

TEST(SearchParams, LetRangesGroupsAndIteratorsTakeLessEffortThanHits) {
  for (const auto& [type, key] :
       {std::pair("HNSW", "ef"), std::pair("DISKANN", "search_list"),
        std::pair("SCANN", "reorder_k"), std::pair("ANNOY", "search_k")}) {
    const auto info = WithIndex(type, "L2");
    const std::string bare = fmt::format(R"({{"{}": 5}})", key);
    const std::string ranged = fmt::format(R"({{"{}": 5, "radius": 3}})", key);
    EXPECT_FALSE(Plan(info, {{"topk", "10"}, {"params", bare}})) << type;
    EXPECT_TRUE(Plan(info, {{"topk", "10"}, {"params", ranged}})) << type;
    EXPECT_TRUE(Plan(info, {{"topk", "10"}, {key, "5"}, {"radius", "3"}})) << type;
    EXPECT_TRUE(Plan(info, {{"topk", "10"}, {"group_by_field", "s"}, {"params", bare}})) << type;
    EXPECT_TRUE(Plan(info, {{"topk", "10"}, {"iterator", "True"}, {"params", bare}})) << type;
    EXPECT_TRUE(Plan(info, {{"topk", "10"}, {"hints", "iterative_filter"}, {"params", bare}}))
        << type;
  }
}

TEST(SearchParams, TakeTextsForNumbersAndFindThemOutsideParams) {
  const auto info = WithIndex("HNSW", "L2");
  EXPECT_EQ(Plan(info, {{"topk", "10"}, {"params", R"({"ef": "32"})"}})->params.ef, 32);
  EXPECT_EQ(Plan(info, {{"topk", "10"}, {"ef", "32"}})->params.ef, 32);
}

struct Case {
  KeyValues params;
  std::string text;
  std::string index = "HNSW";
  std::string metric = "L2";
};

const Case kCases[] = {
    {{}, "topk is required"},
    {{{"topk", "x"}}, "topk [x] is invalid"},
    {{{"topk", "0"}}, "topk [0] is invalid, it should be in range [1, 16384], but got 0"},
    {{{"topk", "16385"}},
     "topk [16385] is invalid, it should be in range [1, 16384], but got 16385"},
    {{{"topk", "9999999999999999999"}}, "topk [9999999999999999999] is invalid"},
    {{{"topk", "1"}, {"offset", "-1"}},
     "offset [-1] is invalid, it should be in range [1, 16384], but got -1"},
    {{{"topk", "10"}, {"offset", "16380"}}, "offset+topk [16390] is invalid"},
    {{{"topk", "10"}, {"metric_type", "IP"}},
     "metric type not match: invalid parameter[expected=L2][actual=IP]"},
    {{{"topk", "10"}, {"anns_field", "nope"}},
     "failed to create query plan: failed to get field schema by name: fieldName(nope) not found: "
     "invalid parameter"},
    {{{"topk", "10"}, {"anns_field", "s"}}, "field (s) to search is not of vector data type"},
    {{{"topk", "10"}, {"params", R"({"ef": 1})"}}, "ef(1) should be larger than k(10)"},
    {{{"topk", "10"}, {"params", R"({"ef": -1})"}},
     "param 'ef' (-1) should be in range [1, 2147483647]"},
    {{{"topk", "10"}, {"params", R"({"ef": 32.0})"}},
     "Type conflict in json: param 'ef' (32.0) should be integer"},
    {{{"topk", "10"}, {"params", R"({"ef": true})"}},
     "Type conflict in json: param 'ef' (true) should be integer"},
    {{{"topk", "10"}, {"params", R"({"ef": null})"}},
     "Type conflict in json: param 'ef' (null) should be integer"},
    {{{"topk", "10"}, {"params", R"({"ef": [32]})"}}, "param 'ef' ([32]) should be integer"},
    {{{"topk", "10"}, {"params", R"({"nprobe": 65537})"}},
     "Out of range in json: param 'nprobe' (65537) should be in range [1, 65536]",
     "IVF_FLAT"},
    {{{"topk", "10"}, {"params", R"({"search_list": 9})"}},
     "search_list_size(9) should be larger than k(10)",
     "DISKANN"},
    {{{"topk", "10"}, {"params", R"({"search_list_size": 9})"}},
     "search_list_size(9) should be larger than k(10)",
     "DISKANN"},
    {{{"topk", "10"}, {"params", R"({"search_list": "String"})"}},
     "Type conflict in json: param 'search_list' (String) should be integer",
     "DISKANN"},
    {{{"topk", "10"}, {"params", "[1]"}}, "search params in wrong format: [1]"},
    {{{"topk", "10"}, {"params", "{"}}, "search params in wrong format: {"},
    {{{"topk", "10"}, {"round_decimal", "7"}},
     "round_decimal [7] is invalid, should be -1 or an integer in range [0, 6]"},
    {{{"topk", "10"}, {"ignore_growing", "1.2"}}, "parse ignore growing field failed"},
    {{{"topk", "10"}, {"params", R"({"radius": 1, "range_filter": 2})"}},
     "metric type (L2), range_filter(2) must be less than radius(1)"},
    {{{"topk", "10"}, {"params", R"({"radius": 2, "range_filter": 1})"}},
     "metric type (IP), range_filter(1) must be greater than radius(2)",
     "HNSW",
     "IP"},
    {{{"topk", "10"}, {"params", R"({"range_filter": 1})"}},
     "range_filter requires radius to be set"},
    {{{"topk", "10"}, {"params", R"({"radius": "x"})"}}, "type must be number"},
    {{{"topk", "10"}, {"hints", "fast"}}, "hints: fast not supported"},
    {{{"topk", "10"}, {"collection_id", "8"}},
     "Input collection id is not consistent to collectionID in the context"},
    {{{"topk", "10"}, {"iterator", "True"}, {"group_by_field", "n"}},
     "Not allowed to do groupBy when doing iteration"},
    {{{"search_iter_v2", "True"}}, "both iterator and search_iter_v2 must be set in the SDK"},
    {{{"iterator", "True"}, {"search_iter_v2", "True"}}, "batch size is required"},
    {{{"iterator", "True"}, {"search_iter_v2", "True"}, {"search_iter_batch_size", "0"}},
     "batch size [0] is invalid"},
    {{{"iterator", "True"},
      {"search_iter_v2", "True"},
      {"search_iter_batch_size", "5"},
      {"offset", "1"}},
     "Setting an offset is not permitted when using a search iterator v2"},
    {{{"iterator", "True"},
      {"search_iter_v2", "True"},
      {"search_iter_batch_size", "5"},
      {"search_iter_id", "no"}},
     "invalid token format"},
};

TEST(SearchParams, AreRefusedWithMilvusTexts) {
  for (const Case& c : kCases) {
    auto plan = Plan(WithIndex(c.index, c.metric), c.params);
    ASSERT_FALSE(plan.has_value()) << c.text;
    ExpectError(plan.error(), Code::kInvalidParameter, c.text);
  }
  const auto info = WithIndex("HNSW", "L2");
  ExpectError(StatusOf(Plan(info, {{"topk", "1"}}, 16385)), Code::kInvalidParameter,
              "nq [16385] is invalid, nq (number of search vector per search request) should be in "
              "range [1, 16384], but got 16385");
}

TEST(SearchParams, MissTheRadiusBeforeTheMetric) {
  ExpectError(
      StatusOf(Plan(WithIndex("HNSW", "COSINE"),
                    {{"topk", "1"}, {"metric_type", "IP"}, {"params", R"({"range_filter": 1})"}})),
      Code::kInvalidParameter, "range_filter requires radius to be set");
}

TEST(SearchParams, NeedAFieldNameWhenThereAreSeveral) {
  auto info = WithIndex("HNSW", "L2");
  info.schema.fields.push_back(Field(110, "w", model::DataType::kFloatVector, {{"dim", "2"}}));
  ExpectError(StatusOf(Plan(info, {{"topk", "1"}})), Code::kInvalidParameter,
              "multiple anns_fields exist, please specify a anns_field in search_params");
  const service::SearchCall by_ids{.collection = "c",
                                   .params = {{"topk", "1"}},
                                   .nq = 1,
                                   .ids = model::PrimaryKeys{.ints = {1}}};
  ExpectError(StatusOf(PlanSearch(info, by_ids)), Code::kInvalidParameter,
              "multiple vector fields exist, please specify anns_field in search_params");
  EXPECT_EQ(Plan(info, {{"topk", "1"}, {"anns_field", "w"}})->field->name, "w");
}

TEST(SearchParams, ClampTheWindowOfTheFirstIterators) {
  const auto info = WithIndex("HNSW", "L2");
  auto plan = Plan(info, {{"topk", "20000"}, {"iterator", "True"}});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->limit, 16384);
}

TEST(SearchParams, CheckTheQueryVectors) {
  const auto info = SampleCollection();
  service::SearchCall search{.nq = 2, .vectors = std::string(16, '\0')};
  EXPECT_TRUE(TakeQueryVectors(info.schema.fields[1], search).has_value());
  search.vectors.resize(24);
  ExpectError(StatusOf(TakeQueryVectors(info.schema.fields[1], search)), Code::kInvalidParameter,
              "vector dimension mismatch, expected vector size(byte) 8, actual 12.");
  search.vector_type = model::DataType::kBinaryVector;
  ExpectError(StatusOf(TakeQueryVectors(info.schema.fields[1], search)), Code::kInvalidParameter,
              "vector type must be the same");
  const float bad[] = {1, std::numeric_limits<float>::quiet_NaN(), 0, 0};
  search = {.nq = 2, .vectors = std::string(reinterpret_cast<const char*>(bad), sizeof(bad))};
  ExpectError(StatusOf(TakeQueryVectors(info.schema.fields[1], search)), Code::kInvalidParameter,
              "value 'NaN' is not a number or infinity");
}

TEST(QueryParams, AreRefusedWithMilvusTexts) {
  const auto info = SampleCollection();
  const std::pair<KeyValues, std::string> cases[] = {
      {{{"limit", "0"}},
       "invalid max query result window, limit [0] is invalid, should be greater than 0: invalid "
       "parameter"},
      {{{"limit", "-1"}}, "limit [-1] is invalid, should be greater than 0"},
      {{{"limit", "1"}, {"offset", "-1"}},
       "invalid max query result window, offset [-1] is invalid, should be gte than 0"},
      {{{"limit", "67900"}},
       "invalid max query result window, (offset+limit) should be in range [1, 16384], but got "
       "67900"},
      {{{"limit", "10"}, {"offset", "16380"}},
       "(offset+limit) should be in range [1, 16384], but got 16390"},
      {{{"limit", "9223372036854775807"}, {"offset", "9223372036854775807"}}, "(offset+limit)"},
      {{{"limit", "1.2"}}, "limit [1.2] is invalid"},
      {{{"limit", "1"}, {"offset", "x"}}, "offset [x] is invalid"},
      {{{"ignore_growing", "string"}}, "parse ignore growing field failed"},
      {{{"iterator", "True"}, {"query_iter_last_pk", "7"}},
       "incomplete query iterator cursor params"},
      {{{"iterator", "True"}, {"query_iter_last_element_offset", "7"}},
       "incomplete query iterator cursor params"},
      {{{"query_iter_last_pk", "7"}, {"query_iter_last_element_offset", "1"}},
       "query iterator cursor params are only allowed with iterator"},
  };
  for (const auto& [params, text] : cases) {
    service::QueryCall query{.params = params};
    ExpectError(StatusOf(PlanQuery(info, query)), Code::kInvalidParameter, text);
  }
  service::QueryCall query{.params = {{"offset", "x"}}};
  EXPECT_TRUE(PlanQuery(info, query).has_value()) << "an offset without a limit is not looked at";
}

}  // namespace
}  // namespace elanus::proxy
