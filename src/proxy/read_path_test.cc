#include <gtest/gtest.h>

#include <set>

#include "proxy/fixture.h"
#include "proxy/read_scope.h"

namespace elanus::proxy {
namespace {

TEST_F(FrontendTest, SearchMergesTheShardsNearestFirst) {
  InsertLine(20);
  auto result = frontend.Search(call, SearchFrom({7, 0, 0, 0}));
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->counts, (std::vector<int64_t>{3, 3}));
  EXPECT_EQ(result->keys.ints, (std::vector<int64_t>{7, 6, 8, 0, 1, 2}));
  EXPECT_EQ(result->scores, (std::vector<float>{0, 1, 1, 0, 1, 4}));
  EXPECT_TRUE(result->columns.empty());
  EXPECT_GT(result->session_ts, 0u);
  ASSERT_EQ(shards.searches.size(), 2u);
  EXPECT_EQ(shards.searches[0].top_k, 3);
  EXPECT_EQ(shards.searches[0].metric, model::Metric::kL2);
}

TEST_F(FrontendTest, SearchSkipsTheOffsetAndRoundsScores) {
  InsertLine(20);
  auto search = SearchFrom({7.126f, 0}, "2");
  search.params.push_back({"offset", "1"});
  search.params.push_back({"round_decimal", "2"});
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->keys.ints, (std::vector<int64_t>{8, 6}));
  EXPECT_EQ(result->scores, (std::vector<float>{0.76f, 1.27f}));
  EXPECT_EQ(shards.searches[0].top_k, 3);
}

TEST_F(FrontendTest, SearchReturnsTheFieldsAsked) {
  InsertLine(5);
  auto search = SearchFrom({2, 0}, "2");
  search.output_fields = {"s", "id"};
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->columns.size(), 2u);
  EXPECT_EQ(result->columns[0].name, "s");
  EXPECT_EQ(result->columns[0].column.rows, 2u);
  EXPECT_EQ(result->columns[1].column.Values<int64_t>()[0], result->keys.ints[0]);
  EXPECT_EQ(result->output_fields, (std::vector<std::string>{"s", "id"}));
}

TEST_F(FrontendTest, SearchOfNothingStillAnswersEveryQueryAndColumn) {
  auto search = SearchFrom({2, 0, 3, 0}, "2");
  search.output_fields = {"v"};
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->counts, (std::vector<int64_t>{0, 0}));
  ASSERT_EQ(result->columns.size(), 1u);
  EXPECT_EQ(result->columns[0].column.type, model::DataType::kFloatVector);
  EXPECT_EQ(result->columns[0].column.dim, 2);
}

TEST_F(FrontendTest, SearchNeedsTheCollectionAndItsPartitionsLoaded) {
  auto info = SampleCollection();
  info.partitions[1].loaded = false;
  Use(info);
  auto search = SearchFrom({1, 0});
  EXPECT_TRUE(frontend.Search(call, search).has_value());
  EXPECT_EQ(shards.searches.back().partitions, std::vector<PartitionId>{PartitionId{11}});
  search.partitions = {"p"};
  ExpectError(StatusOf(frontend.Search(call, search)), Code::kPartitionNotLoaded,
              "failed to search: partition not loaded");
  search.partitions = {"q"};
  ExpectError(StatusOf(frontend.Search(call, search)), Code::kPartitionNotFound,
              "partition name q not found");
  info.loaded = false;
  Use(info);
  ExpectError(StatusOf(frontend.Search(call, SearchFrom({1, 0}))), Code::kCollectionNotLoaded,
              "failed to search: collection not loaded");
  service::SearchCall missing{.collection = "nope", .nq = 1};
  ExpectError(StatusOf(frontend.Search(call, missing)), Code::kCollectionNotFound,
              "collection not found[database=default][collection=nope]");
  // A search does not judge names: what does not exist is not found.
  missing.collection = "1x";
  ExpectError(StatusOf(frontend.Search(call, missing)), Code::kCollectionNotFound,
              "collection not found[database=default][collection=1x]");
}

TEST_F(FrontendTest, SearchRefusesAFilterThatDoesNotParse) {
  auto search = SearchFrom({1, 0});
  search.filter = "id >< 3";
  ExpectError(StatusOf(frontend.Search(call, search)), Code::kInvalidParameter,
              "failed to create query plan: cannot parse expression: id >< 3");
}

TEST_F(FrontendTest, SearchByKeysUsesTheirVectors) {
  InsertLine(10);
  auto search = SearchFrom({0, 0}, "1");
  search.vectors.clear();
  search.ids = model::PrimaryKeys{.ints = {8, 3}};
  search.nq = 2;
  auto result = frontend.Search(call, search);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(result->keys.ints, (std::vector<int64_t>{8, 3}));
  search.ids = model::PrimaryKeys{.ints = {70, 3, 12}};
  search.nq = 3;
  ExpectError(StatusOf(frontend.Search(call, search)), Code::kInvalidParameter,
              "some of the provided primary key IDs do not exist: missing IDs = [12 70]");
  search.ids = model::PrimaryKeys{.ints = {3, 3}};
  search.nq = 2;
  ExpectError(StatusOf(frontend.Search(call, search)), Code::kInvalidParameter,
              "duplicate IDs found in search request");
  search.ids = model::PrimaryKeys{.is_string = true, .strings = {"a"}};
  search.nq = 1;
  ExpectError(StatusOf(frontend.Search(call, search)), Code::kInvalidParameter,
              "primary key is int64, but IDs type mismatch");
}

/// Walks as pymilvus does; returns all keys in order of their pages.
std::vector<int64_t> Walk(FrontendTest& test, service::SearchCall search,
                          const std::string& batch) {
  const model::KeyValues first = {{"topk", batch},
                                  {"iterator", "True"},
                                  {"search_iter_v2", "True"},
                                  {"search_iter_batch_size", batch}};
  std::vector<int64_t> keys;
  search.params = first;
  for (int page = 0; page < 100; ++page) {
    auto result = test.frontend.Search(test.call, search);
    EXPECT_TRUE(result.has_value()) << result.error().message();
    if (!result.has_value() || result->keys.empty()) break;
    keys.insert(keys.end(), result->keys.ints.begin(), result->keys.ints.end());
    search.params = first;
    search.params.push_back({"search_iter_id", result->iterator_token});
    search.params.push_back(
        {"search_iter_last_bound", std::to_string(result->iterator_last_bound)});
    search.consistency.guarantee = result->session_ts;
  }
  return keys;
}

/// 20 rows of each distance.
bool InsertTies(FrontendTest& test, int64_t rows) {
  std::vector<int64_t> ids;
  std::vector<float> vectors;
  for (int64_t i = 0; i < rows; ++i) {
    ids.push_back(i);
    vectors.insert(vectors.end(), {static_cast<float>(i / 20), 0});
  }
  return test.Insert({Ints("id", ids), Vectors("v", vectors)}).has_value();
}

TEST_F(FrontendTest, SearchIteratorReturnsEveryRowOnceInspiteOfTies) {
  ASSERT_TRUE(InsertTies(*this, 200));
  for (const char* metric : {"L2", "IP"}) {
    auto info = SampleCollection();
    info.indexes[0].params = {{"index_type", "FLAT"}, {"metric_type", metric}};
    Use(info);
    for (const char* batch : {"1", "7", "20", "33"}) {
      const auto keys = Walk(*this, SearchFrom({1, 0}), batch);
      EXPECT_EQ(keys.size(), 200u) << metric << batch;
      EXPECT_EQ(std::set<int64_t>(keys.begin(), keys.end()).size(), 200u) << metric << batch;
    }
  }
}

TEST_F(FrontendTest, SearchIteratorPagesEndBetweenScoresAndKeepToTheirSize) {
  ASSERT_TRUE(InsertTies(*this, 100));
  const auto page = [&](const char* batch) {
    auto search = SearchFrom({0, 0});
    search.params = {{"topk", batch},
                     {"iterator", "True"},
                     {"search_iter_v2", "True"},
                     {"search_iter_batch_size", batch}};
    auto found = frontend.Search(call, search);
    EXPECT_TRUE(found.has_value());
    return found.has_value() ? found->keys.size() : 0;
  };
  EXPECT_EQ(page("20"), 20u);
  EXPECT_EQ(page("39"), 20u);
  EXPECT_EQ(page("40"), 40u);
  EXPECT_EQ(page("59"), 40u);
  EXPECT_EQ(page("19"), 20u);  // nothing but ties: no shorter page goes on after it
  EXPECT_EQ(page("1000"), 100u);
}

TEST_F(FrontendTest, SearchIteratorDoesNotSeeRowsWrittenAfterItsFirstPage) {
  InsertLine(10);
  auto search = SearchFrom({0, 0});
  search.params = {{"topk", "4"},
                   {"iterator", "True"},
                   {"search_iter_v2", "True"},
                   {"search_iter_batch_size", "4"}};
  auto first = frontend.Search(call, search);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->iterator_token.size(), 36u);
  EXPECT_TRUE(first->iterator_v2);
  ASSERT_TRUE(Insert({Ints("id", {100}), Vectors("v", {4, 0})}));
  search.params.push_back({"search_iter_id", first->iterator_token});
  search.params.push_back({"search_iter_last_bound", std::to_string(first->iterator_last_bound)});
  search.consistency.guarantee = first->session_ts;
  auto second = frontend.Search(call, search);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->keys.ints, (std::vector<int64_t>{4, 5, 6, 7}));
  EXPECT_EQ(second->iterator_token, first->iterator_token);
}

TEST_F(FrontendTest, QueryMergesByKeyAndCutsThePage) {
  InsertLine(20);
  service::QueryCall query{.collection = "c",
                           .filter = "n is null",
                           .output_fields = {"v"},
                           .params = {{"limit", "5"}, {"offset", "3"}}};
  auto result = frontend.Query(call, query);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_EQ(result->columns.size(), 2u);
  EXPECT_EQ(result->columns[1].name, "id");
  auto ids = result->columns[1].column.Values<int64_t>();
  EXPECT_EQ(std::vector<int64_t>(ids.begin(), ids.end()), (std::vector<int64_t>{3, 4, 5, 6, 7}));
  EXPECT_EQ(shards.queries[0].limit, 8);
  EXPECT_GT(result->session_ts, 0u);
}

TEST_F(FrontendTest, QueryByKeysAsksOnlyTheirShards) {
  InsertLine(20);
  service::QueryCall query{.collection = "c", .filter = "id in [5]"};
  auto result = frontend.Query(call, query);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_EQ(shards.queries.size(), 1u);
  EXPECT_EQ(shards.queries[0].keys->ints, std::vector<int64_t>{5});
  EXPECT_EQ(result->columns[0].column.Values<int64_t>()[0], 5);
}

TEST_F(FrontendTest, QueryCounts) {
  InsertLine(20);
  service::QueryCall query{.collection = "c", .output_fields = {"count(*)"}};
  auto result = frontend.Query(call, query);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  ASSERT_EQ(result->columns.size(), 1u);
  EXPECT_EQ(result->columns[0].name, "count(*)");
  EXPECT_EQ(result->columns[0].column.Values<int64_t>()[0], 20);
  query.params = {{"limit", "5"}};
  ExpectError(StatusOf(frontend.Query(call, query)), Code::kInvalidParameter,
              "count entities with pagination is not allowed");
}

TEST_F(FrontendTest, QueriesAreRefusedWithMilvusTexts) {
  service::QueryCall query{.collection = "c"};
  ExpectError(StatusOf(frontend.Query(call, query)), Code::kInvalidParameter,
              "empty expression should be used with limit: invalid parameter");
  query.filter = "int64 inn [1, 2]";
  ExpectError(StatusOf(frontend.Query(call, query)), Code::kInvalidParameter,
              "failed to create query plan: cannot parse expression: int64 inn [1, 2]");
  query.filter = "id > 0";
  query.partitions = {"q"};
  ExpectError(StatusOf(frontend.Query(call, query)), Code::kPartitionNotFound,
              "partition name q not found");
  auto info = SampleCollection();
  info.loaded = false;
  Use(info);
  query.partitions.clear();
  ExpectError(StatusOf(frontend.Query(call, query)), Code::kCollectionNotLoaded,
              "failed to query: collection not loaded");
}

TEST_F(FrontendTest, FlushNamesTheSealedSegments) {
  auto result = frontend.Flush(call, {"c"});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->segments.at("c"), (std::vector<SegmentId>{SegmentId{210}, SegmentId{220}}));
  EXPECT_GT(result->flushed_to, 0u);
  EXPECT_FALSE(frontend.Flush(call, {"nope"}).has_value());
}

TEST(ReadPoint, FollowsTheLevelAndWhatOldClientsSend) {
  using model::ConsistencyLevel;
  auto info = SampleCollection();
  const model::Timestamp now = model::TimestampFromMs(1'700'000'000'000);
  const model::Timestamp bounded = now - model::TimestampFromMs(5'000);
  auto guarantee = [&](ConsistencyLevel level, model::Timestamp ts) {
    return ReadPointOf(info, {.use_default = false, .level = level, .guarantee = ts}, false, now)
        .guarantee;
  };
  EXPECT_EQ(guarantee(ConsistencyLevel::kStrong, 0), now);
  EXPECT_EQ(guarantee(ConsistencyLevel::kStrong, 2), bounded);
  EXPECT_EQ(guarantee(ConsistencyLevel::kStrong, 999), 999u);
  EXPECT_EQ(guarantee(ConsistencyLevel::kBounded, 2), bounded);
  EXPECT_EQ(guarantee(ConsistencyLevel::kEventually, 1), info.updated);
  EXPECT_EQ(guarantee(ConsistencyLevel::kSession, 500), 500u);
  EXPECT_EQ(guarantee(ConsistencyLevel::kSession, 1), info.updated);
  EXPECT_EQ(guarantee(ConsistencyLevel::kCustomized, 777), 777u);
  EXPECT_EQ(ReadPointOf(info, {}, false, now).guarantee, now) << "the collection's own level";
  auto page = ReadPointOf(info, {.guarantee = 888}, true, now);
  EXPECT_EQ(page.exactly, model::Timestamp{888});
  EXPECT_FALSE(ReadPointOf(info, {.guarantee = 0}, true, now).exactly.has_value());
  EXPECT_FALSE(ReadPointOf(info, {.guarantee = 1}, true, now).exactly.has_value());
}

TEST_F(FrontendTest, TravelsBackAsFarAsHistoryIsKept) {
  const auto info = SampleCollection();
  const Backends backends{coordinator, shards, clock, 60'000};
  const model::Timestamp now = clock.Next();
  const auto at = [&](model::Timestamp travel) {
    return ReadPointNow(backends, info, {.travel = travel}, false);
  };
  EXPECT_FALSE(at(0)->exactly.has_value());
  const model::Timestamp minute = model::TimestampFromMs(60'000);
  EXPECT_EQ(at(now - minute / 2)->exactly, now - minute / 2);
  EXPECT_EQ(at(now - minute / 2)->guarantee, now - minute / 2);
  ExpectError(StatusOf(at(now - 2 * minute)), Code::kInvalidParameter,
              "only support to travel back to 60s so far, but got 120s");
}

}  // namespace
}  // namespace elanus::proxy
