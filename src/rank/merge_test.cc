#include "rank/merge.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include "rank/score.h"

namespace elanus::rank {
namespace {

using model::Metric;
using model::PrimaryKey;
using model::PrimaryKeys;

struct Answer {
  std::vector<int64_t> counts;
  PrimaryKeys keys;
  std::vector<float> scores;
};

PrimaryKey MakeKey(bool strings, int64_t n) {
  return strings ? PrimaryKey("k" + std::to_string(n)) : PrimaryKey(n);
}

// Few keys and few scores, so that repeats and ties are everywhere.
Answer RandomAnswer(std::mt19937& random, size_t nq, bool strings) {
  Answer answer;
  answer.keys.is_string = strings;
  for (size_t q = 0; q < nq; ++q) {
    answer.counts.push_back(random() % 12);
    for (int64_t i = 0; i < answer.counts.back(); ++i) {
      answer.keys.Append(MakeKey(strings, random() % 30));
      answer.scores.push_back(static_cast<float>(random() % 8) / 4);
    }
  }
  return answer;
}

struct Expected {
  float score;
  PrimaryKey key;
};

// Everything sorted, the first of each key kept, then sliced.
std::vector<Expected> SortEverything(const std::vector<Answer>& answers, size_t query,
                                     Metric metric, Slice slice) {
  std::vector<Expected> all;
  for (const Answer& answer : answers) {
    size_t start = 0;
    for (size_t q = 0; q < query; ++q) start += static_cast<size_t>(answer.counts[q]);
    for (size_t i = 0; i < static_cast<size_t>(answer.counts[query]); ++i) {
      all.push_back({answer.scores[start + i], answer.keys.At(start + i)});
    }
  }
  std::ranges::sort(all, [&](const Expected& a, const Expected& b) {
    if (a.score != b.score) return metric == Metric::kL2 ? a.score < b.score : a.score > b.score;
    return a.key < b.key;
  });
  std::set<PrimaryKey> seen;
  std::vector<Expected> unique;
  for (const Expected& e : all) {
    if (seen.insert(e.key).second) unique.push_back(e);
  }
  std::vector<Expected> sliced;
  for (size_t i = 0; i < unique.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (at >= slice.offset && (slice.limit < 0 || at < slice.offset + slice.limit)) {
      sliced.push_back(unique[i]);
    }
  }
  return sliced;
}

TEST(MergeScored, EqualsSortingEverything) {
  std::mt19937 random(5);
  for (int round = 0; round < 600; ++round) {
    const bool strings = round % 2 == 0;
    const Metric metric = static_cast<Metric>(random() % 3);
    const size_t nq = 1 + random() % 4;
    const Slice slice{static_cast<int64_t>(random() % 4), static_cast<int64_t>(random() % 12) - 1};
    std::vector<Answer> answers;
    for (size_t s = 0; s < 1 + random() % 4; ++s) {
      answers.push_back(RandomAnswer(random, nq, strings));
    }
    std::vector<ScoredLists> lists;
    std::vector<const PrimaryKeys*> key_sources;
    for (const Answer& answer : answers) {
      lists.push_back({answer.counts, &answer.keys, answer.scores});
      key_sources.push_back(&answer.keys);
    }
    const MergedLists merged = MergeScored(lists, metric, slice);
    const PrimaryKeys keys = TakeKeys(key_sources, merged.rows);
    ASSERT_EQ(merged.counts.size(), nq);
    size_t at = 0;
    for (size_t q = 0; q < nq; ++q) {
      const std::vector<Expected> expected = SortEverything(answers, q, metric, slice);
      ASSERT_EQ(merged.counts[q], static_cast<int64_t>(expected.size()));
      for (const Expected& e : expected) {
        const SourceRow row = merged.rows[at];
        EXPECT_EQ(answers[row.source].scores[row.row], e.score);
        EXPECT_EQ(keys.At(at), e.key);
        ++at;
      }
    }
    EXPECT_EQ(at, merged.rows.size());
  }
}

TEST(MergeScored, GivesEmptyListsWithoutHits) {
  EXPECT_TRUE(MergeScored({}, Metric::kL2, {0, 10}).counts.empty());
  const PrimaryKeys none;
  const std::vector<int64_t> counts = {0, 0};
  const std::vector<ScoredLists> lists = {{counts, &none, {}}};
  const MergedLists merged = MergeScored(lists, Metric::kIp, {0, 10});
  EXPECT_EQ(merged.counts, counts);
  EXPECT_TRUE(merged.rows.empty());
}

TEST(MergeScored, PutsAScoreThatIsNoNumberLast) {
  PrimaryKeys keys;
  for (int64_t k : {1, 2, 3}) keys.Append(k);
  const std::vector<float> scores = {std::nanf(""), 0.5F, 0.9F};
  const std::vector<int64_t> counts = {3};
  const std::vector<ScoredLists> lists = {{counts, &keys, scores}};
  for (Metric metric : {Metric::kL2, Metric::kIp}) {
    EXPECT_EQ(MergeScored(lists, metric, {0, 3}).rows.back().row, 0u);
  }
}

TEST(MergeByKey, EqualsSortingEverything) {
  std::mt19937 random(6);
  for (int round = 0; round < 600; ++round) {
    const bool strings = round % 2 == 0;
    const Slice slice{static_cast<int64_t>(random() % 5), static_cast<int64_t>(random() % 20) - 1};
    std::vector<PrimaryKeys> keys;
    std::vector<std::vector<model::Timestamp>> times;
    std::map<PrimaryKey, std::pair<model::Timestamp, SourceRow>> newest;
    for (uint32_t s = 0; s < 1 + random() % 5; ++s) {
      std::vector<PrimaryKey> drawn;
      for (size_t i = random() % 15; i > 0; --i) drawn.push_back(MakeKey(strings, random() % 25));
      std::ranges::sort(drawn);
      keys.push_back({.is_string = strings});
      times.emplace_back();
      for (const PrimaryKey& key : drawn) {
        const SourceRow at{s, static_cast<uint32_t>(times.back().size())};
        keys.back().Append(key);
        times.back().push_back(random() % 3);
        auto [found, added] = newest.try_emplace(key, times.back().back(), at);
        if (!added && times.back().back() > found->second.first) {
          found->second = {times.back().back(), at};
        }
      }
    }
    std::vector<KeyedRows> sources;
    for (size_t s = 0; s < keys.size(); ++s) sources.push_back({&keys[s], times[s]});
    std::vector<SourceRow> expected;
    int64_t at = 0;
    for (const auto& [key, entry] : newest) {
      if (at >= slice.offset && (slice.limit < 0 || at < slice.offset + slice.limit)) {
        expected.push_back(entry.second);
      }
      ++at;
    }
    ASSERT_EQ(MergeByKey(sources, slice), expected) << "round " << round;
  }
}

TEST(TakeRows, GathersColumnsWithNullsAndStrings) {
  auto batch = [](std::vector<int64_t> numbers, std::vector<std::string> texts, bool with_null) {
    model::RowBatch rows{.rows = numbers.size() + (with_null ? 1 : 0)};
    rows.columns.push_back(model::MakeColumn(FieldId{100}, model::DataType::kInt64));
    rows.columns.push_back(model::MakeColumn(FieldId{101}, model::DataType::kVarChar));
    for (size_t i = 0; i < numbers.size(); ++i) {
      rows.columns[0].Append(numbers[i]);
      rows.columns[1].AppendValue(texts[i]);
    }
    if (with_null) {
      rows.columns[0].Append(int64_t{-1});
      rows.columns[1].AppendNull();
    }
    return rows;
  };
  const model::RowBatch a = batch({1, 2}, {"one", "two"}, false);
  const model::RowBatch b = batch({3}, {"three"}, true);
  const std::vector<const model::RowBatch*> sources = {&a, &b};
  const std::vector<SourceRow> wanted = {{1, 1}, {0, 1}, {1, 0}, {0, 1}};
  const model::RowBatch taken = TakeRows(sources, wanted);
  ASSERT_TRUE(taken.Validate().ok());
  EXPECT_EQ(taken.rows, 4u);
  EXPECT_EQ(taken.columns[0].Values<int64_t>()[0], -1);
  EXPECT_EQ(taken.columns[0].Values<int64_t>()[2], 3);
  EXPECT_TRUE(taken.columns[1].IsNull(0));
  EXPECT_EQ(taken.columns[1].StringAt(1), "two");
  EXPECT_EQ(taken.columns[1].StringAt(2), "three");
  EXPECT_TRUE(TakeRows({}, {}).columns.empty());
}

TEST(Score, SurvivesTheWayToADistanceAndBack) {
  for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    for (float score : {0.0F, 0.25F, -3.5F, 1e30F}) {
      EXPECT_EQ(ScoreOf(metric, DistanceOf(metric, score)), score);
    }
  }
  EXPECT_LT(DistanceOf(Metric::kIp, 2), DistanceOf(Metric::kIp, 1));
  EXPECT_LT(DistanceOf(Metric::kL2, 1), DistanceOf(Metric::kL2, 2));
}

TEST(Score, RoundsHalvesAwayFromZero) {
  std::vector<float> scores = {0.125F, -0.125F, 1.2345678F, 7};
  RoundScores(scores, 2);
  EXPECT_FLOAT_EQ(scores[0], 0.13F);
  EXPECT_FLOAT_EQ(scores[1], -0.13F);
  EXPECT_FLOAT_EQ(scores[2], 1.23F);
  RoundScores(scores, 0);
  EXPECT_FLOAT_EQ(scores[2], 1);
  std::vector<float> untouched = {0.123456789F};
  RoundScores(untouched, -1);
  EXPECT_EQ(untouched[0], 0.123456789F);
}

}  // namespace
}  // namespace elanus::rank
