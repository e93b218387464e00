#include "rank/group.h"

#include <gtest/gtest.h>

namespace elanus::rank {
namespace {

struct Source {
  std::vector<int64_t> counts;
  model::PrimaryKeys keys;
  std::vector<float> scores;
  model::RowBatch values;

  /// One query's hits: (key, score, group); a group below 0 is null.
  explicit Source(const std::vector<std::tuple<int64_t, float, int>>& hits)
      : counts{static_cast<int64_t>(hits.size())} {
    model::Column column = model::MakeColumn(FieldId{1}, model::DataType::kVarChar);
    for (const auto& [key, score, group] : hits) {
      keys.Append(key);
      scores.push_back(score);
      if (group < 0) {
        column.AppendNull();
      } else {
        column.AppendValue(std::to_string(group));
      }
    }
    values = {.rows = hits.size(), .columns = {std::move(column)}};
  }
};

std::vector<std::vector<int64_t>> Merged(const std::vector<Source>& sources, int64_t size,
                                         Slice slice) {
  std::vector<ScoredLists> lists;
  std::vector<const model::RowBatch*> values;
  for (const Source& source : sources) {
    lists.push_back({.counts = source.counts, .keys = &source.keys, .scores = source.scores});
    values.push_back(&source.values);
  }
  const auto queries =
      MergeGrouped(lists, model::Metric::kL2, {.values = values, .size = size, .groups = slice});
  std::vector<std::vector<int64_t>> groups;
  for (const auto& group : queries.at(0)) {
    auto& keys = groups.emplace_back();
    for (SourceRow at : group) keys.push_back(sources[at.source].keys.ints[at.row]);
  }
  return groups;
}

using Keys = std::vector<std::vector<int64_t>>;

TEST(MergeGrouped, OrdersGroupsByTheirBestHitAcrossSources) {
  const std::vector<Source> sources = {Source({{1, 0.5, 7}, {2, 0.9, 8}}),
                                       Source({{3, 0.1, 8}, {4, 0.2, 7}, {5, 0.3, 9}})};
  EXPECT_EQ(Merged(sources, 1, {.limit = 10}), (Keys{{3}, {4}, {5}}));
  EXPECT_EQ(Merged(sources, 2, {.limit = 10}), (Keys{{3, 2}, {4, 1}, {5}}));
}

TEST(MergeGrouped, SkipsWholeGroups) {
  const std::vector<Source> sources = {Source({{1, 1, 0}, {2, 2, 0}, {3, 3, 1}, {4, 4, 2}})};
  EXPECT_EQ(Merged(sources, 2, {.offset = 1, .limit = 1}), (Keys{{3}}));
  EXPECT_EQ(Merged(sources, 2, {.offset = 3, .limit = 1}), Keys{});
}

TEST(MergeGrouped, MakesNullOneGroupThatIsNotTheEmptyText) {
  const std::vector<Source> sources = {Source({{1, 1, -1}, {2, 2, -1}, {3, 3, 0}})};
  EXPECT_EQ(Merged(sources, 5, {.limit = 5}), (Keys{{1, 2}, {3}}));
}

TEST(GroupKeyOf, TellsColumnsApartWhateverTheirBytes) {
  auto batch = [](std::string a, std::string b) {
    model::RowBatch values{.rows = 1};
    for (const std::string& text : {a, b}) {
      values.columns.push_back(model::MakeColumn(FieldId{1}, model::DataType::kVarChar));
      values.columns.back().AppendValue(text);
    }
    return values;
  };
  std::string x;
  std::string y;
  GroupKeyOf(batch("ab", "c"), 2, 0, x);
  GroupKeyOf(batch("a", "bc"), 2, 0, y);
  EXPECT_NE(x, y);
  GroupKeyOf(batch("a", "z"), 1, 0, x);
  GroupKeyOf(batch("a", "y"), 1, 0, y);
  EXPECT_EQ(x, y);
}

TEST(GroupFill, IsFullOnlyWhenEveryGroupIs) {
  GroupFill fill(2, 2);
  fill.Push("a", 0);
  fill.Push("b", 1);
  EXPECT_TRUE(fill.begun());
  fill.Push("c", 2);
  fill.Push("a", 3);
  EXPECT_FALSE(fill.full());
  fill.Push("a", 4);
  fill.Push("b", 5);
  EXPECT_TRUE(fill.full());
  EXPECT_EQ(fill.groups(), (std::vector<std::vector<uint32_t>>{{0, 3}, {1, 5}}));
}

TEST(GroupFill, FillsOnlyTheGroupsItWasGiven) {
  GroupFill fill(9, 1);
  const std::vector<std::string> keys = {"b", "z"};
  fill.Only(keys);
  fill.Push("a", 0);
  fill.Push("b", 1);
  fill.Push("b", 2);
  EXPECT_FALSE(fill.full());
  EXPECT_EQ(fill.groups(), (std::vector<std::vector<uint32_t>>{{1}, {}}));
}

}  // namespace
}  // namespace elanus::rank
