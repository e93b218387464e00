#include "rank/fuse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace elanus::rank {
namespace {

using model::Metric;

struct Source {
  Metric metric;
  std::vector<int64_t> counts;
  model::PrimaryKeys keys;
  std::vector<float> scores;

  Source(Metric m, const std::vector<std::pair<int64_t, float>>& hits)
      : metric(m), counts{static_cast<int64_t>(hits.size())} {
    for (const auto& [key, score] : hits) {
      keys.Append(key);
      scores.push_back(score);
    }
  }
};

struct Fused {
  std::vector<int64_t> keys;
  FusedLists lists;
};

Fused FuseAll(const std::vector<Source>& sources, const Fusion& fusion) {
  std::vector<Ranking> rankings;
  for (const Source& s : sources) {
    rankings.push_back({{.counts = s.counts, .keys = &s.keys, .scores = s.scores}, s.metric});
  }
  Fused fused{.lists = Fuse(rankings, fusion)};
  for (SourceRow at : fused.lists.rows) fused.keys.push_back(sources[at.source].keys.ints[at.row]);
  return fused;
}

TEST(Fuse, AddsReciprocalRanksAndBreaksTiesByKey) {
  const auto fused = FuseAll(
      {Source(Metric::kL2, {{5, 0.1F}, {3, 0.2F}}), Source(Metric::kIp, {{3, 9}, {5, 8}, {4, 7}})},
      ReciprocalRank{.k = 60});
  EXPECT_EQ(fused.keys, (std::vector<int64_t>{3, 5, 4}));
  EXPECT_FLOAT_EQ(fused.lists.scores[0], 1.0F / 61 + 1.0F / 62);
  EXPECT_FLOAT_EQ(fused.lists.scores[1], fused.lists.scores[0]);
  EXPECT_FLOAT_EQ(fused.lists.scores[2], 1.0F / 63);
}

TEST(Fuse, SumsPlainDistancesAscending) {
  const auto fused =
      FuseAll({Source(Metric::kL2, {{1, 1}, {2, 3}}), Source(Metric::kL2, {{2, 1}, {1, 2}})},
              WeightedSum{.weights = {0.5F, 1}});
  EXPECT_TRUE(fused.lists.smaller_is_better);
  EXPECT_EQ(fused.keys, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(fused.lists.scores, (std::vector<float>{2.5F, 2.5F}));
}

TEST(Fuse, TurnsDistancesIntoSimilaritiesWhenDirectionsMeet) {
  const auto fused = FuseAll({Source(Metric::kL2, {{1, 2}}), Source(Metric::kIp, {{2, 3}})},
                             WeightedSum{.weights = {1, 1}});
  EXPECT_EQ(fused.keys, (std::vector<int64_t>{2, 1}));
  EXPECT_FLOAT_EQ(fused.lists.scores[0], 3);
  EXPECT_FLOAT_EQ(fused.lists.scores[1], 1 - 2 * std::atan(2.0F) / std::numbers::pi_v<float>);
}

TEST(Fuse, NormalisesEachMetricItsOwnWay) {
  EXPECT_FLOAT_EQ(NormalScore(Metric::kCosine, 0.5F), 0.75F);
  EXPECT_FLOAT_EQ(NormalScore(Metric::kIp, 1), 0.75F);
  EXPECT_FLOAT_EQ(NormalScore(Metric::kL2, 1), 0.5F);
  const auto fused = FuseAll({Source(Metric::kCosine, {{1, 1}}), Source(Metric::kL2, {{1, 0}})},
                             WeightedSum{.weights = {0.3F, 0.7F}, .normalize = true});
  EXPECT_FLOAT_EQ(fused.lists.scores.at(0), 1);
}

TEST(Fuse, KeepsQueriesApart) {
  Source a(Metric::kIp, {{1, 1}, {2, 1}, {3, 1}});
  a.counts = {1, 2};
  Source b(Metric::kIp, {{9, 1}});
  b.counts = {0, 1};
  const auto fused = FuseAll({a, b}, ReciprocalRank{});
  EXPECT_EQ(fused.lists.counts, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(fused.keys, (std::vector<int64_t>{1, 2, 9, 3}));
}

TEST(Fuse, DecaysWhatTheRankingsMakeOfARow) {
  const Source a(Metric::kL2, {{1, 0}, {2, 1}});
  const Source b(Metric::kCosine, {{2, 0.25F}});
  const std::vector<float> factors_a = {0.25F, 0.5F};
  const std::vector<float> factors_b = {0.5F};
  auto fuse = [&](ScoreMode mode) {
    const Ranking rankings[] = {{.lists = {.counts = a.counts, .keys = &a.keys, .scores = a.scores},
                                 .metric = a.metric,
                                 .factors = factors_a},
                                {.lists = {.counts = b.counts, .keys = &b.keys, .scores = b.scores},
                                 .metric = b.metric,
                                 .factors = factors_b}};
    return Fuse(rankings, Decayed{.mode = mode}).scores;
  };
  // Row 1 is worth 1 and decays to a quarter; row 2 is worth 0.5 and 0.25 and decays to a half.
  EXPECT_EQ(fuse(ScoreMode::kMax), (std::vector<float>{0.25F, 0.25F}));
  EXPECT_EQ(fuse(ScoreMode::kSum), (std::vector<float>{0.375F, 0.25F}));
  EXPECT_EQ(fuse(ScoreMode::kAverage), (std::vector<float>{0.25F, 0.1875F}));
}

TEST(Cut, SkipsAndKeepsWithinEachQuery) {
  const FusedLists lists{
      .counts = {3, 1}, .rows = {{0, 0}, {0, 1}, {0, 2}, {0, 3}}, .scores = {4, 3, 2, 9}};
  const FusedLists cut = Cut(lists, {.offset = 1, .limit = 1});
  EXPECT_EQ(cut.counts, (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(cut.scores, (std::vector<float>{3}));
}

TEST(GroupFused, OrdersGroupsByTheirScorerAndCutsThem) {
  model::RowBatch values{.rows = 5,
                         .columns = {model::MakeColumn(FieldId{1}, model::DataType::kInt64)}};
  for (int64_t group : {1, 2, 2, 1, 3}) values.columns[0].Append(group);
  const FusedLists lists{
      .counts = {5}, .rows = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}}, .scores = {10, 8, 7, 2, 1}};
  const model::RowBatch* batches[] = {&values};
  auto rows = [&](GroupScorer scorer, Slice slice) {
    std::vector<uint32_t> out;
    for (SourceRow at :
         GroupFused(lists, {.values = batches, .size = 2, .groups = slice}, scorer).rows) {
      out.push_back(at.row);
    }
    return out;
  };
  EXPECT_EQ(rows(GroupScorer::kMax, {}), (std::vector<uint32_t>{0, 3, 1, 2, 4}));
  EXPECT_EQ(rows(GroupScorer::kSum, {}), (std::vector<uint32_t>{1, 2, 0, 3, 4}));
  EXPECT_EQ(rows(GroupScorer::kAverage, {.offset = 1, .limit = 1}), (std::vector<uint32_t>{0, 3}));
}

TEST(Fuse, ElementsOfOneRowAreHitsOfTheirOwn) {
  const Source a(Metric::kCosine, {{1, .9F}, {2, .8F}, {1, .7F}});
  const Source b(Metric::kCosine, {{2, .9F}, {1, .8F}});
  const std::vector<int64_t> elements_a = {0, 3, 1};
  const std::vector<int64_t> elements_b = {3, 1};
  const std::vector<Ranking> rankings = {
      {{.counts = a.counts, .keys = &a.keys, .scores = a.scores, .elements = elements_a}, a.metric},
      {{.counts = b.counts, .keys = &b.keys, .scores = b.scores, .elements = elements_b},
       b.metric}};
  const FusedLists fused = Fuse(rankings, ReciprocalRank{.k = 60});
  EXPECT_EQ(fused.counts, (std::vector<int64_t>{3}));
  // (2, 3) and (1, 1) are in both, (1, 0) is in one.
  EXPECT_EQ(fused.rows, (std::vector<SourceRow>{{0, 1}, {0, 2}, {0, 0}}));
  EXPECT_FLOAT_EQ(fused.scores[0], 1.0F / 62 + 1.0F / 61);
  EXPECT_FLOAT_EQ(fused.scores[1], 1.0F / 63 + 1.0F / 62);
  EXPECT_FLOAT_EQ(fused.scores[2], 1.0F / 61);
}

}  // namespace
}  // namespace elanus::rank
