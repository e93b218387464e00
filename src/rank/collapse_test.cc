#include "rank/collapse.h"

#include <gtest/gtest.h>

namespace elanus::rank {
namespace {

using By = Collapse::By;

/// Keys of one query's hits by place.
std::vector<int64_t> Order(const Collapse& collapse,
                           model::Metric metric = model::Metric::kCosine) {
  const std::vector<int64_t> keys = {1, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1};
  std::vector<float> scores = {.99F, .95F, .9F, .9F, .8F, .8F, .8F, .8F, .1F, .1F, .1F};
  if (metric == model::Metric::kL2) {
    for (float& score : scores) score = 1 - score;
  }
  const model::PrimaryKeys held{.ints = keys};
  const std::vector<int64_t> counts = {11};
  const auto lists =
      CollapseElements({.counts = counts, .keys = &held, .scores = scores}, metric, collapse);
  std::vector<int64_t> order;
  for (const SourceRow& row : lists.rows) order.push_back(keys[row.row]);
  EXPECT_EQ(lists.counts, (std::vector<int64_t>{4}));
  return order;
}

TEST(Collapse, ARowScoresWhatItsElementsTogetherDo) {
  EXPECT_EQ(Order({By::kNearest}), (std::vector<int64_t>{1, 4, 3, 2}));
  EXPECT_EQ(Order({By::kSum}), (std::vector<int64_t>{2, 3, 1, 4}));
  EXPECT_EQ(Order({By::kAverage}), (std::vector<int64_t>{4, 3, 2, 1}));
  EXPECT_EQ(Order({By::kSum, 2}), (std::vector<int64_t>{3, 2, 1, 4}));
  EXPECT_EQ(Order({By::kAverage, 2}), (std::vector<int64_t>{4, 3, 2, 1}));
  EXPECT_EQ(Order({By::kSum, 10}), (std::vector<int64_t>{2, 3, 1, 4}));
}

TEST(Collapse, OfDistancesTheSmallestIsNearest) {
  EXPECT_EQ(Order({By::kNearest}, model::Metric::kL2), (std::vector<int64_t>{1, 4, 3, 2}));
  EXPECT_EQ(Order({By::kAverage}, model::Metric::kL2), (std::vector<int64_t>{4, 3, 2, 1}));
}

TEST(Collapse, QueriesStayApartAndTiesGoByKey) {
  const model::PrimaryKeys keys{.ints = {7, 5, 5, 7}};
  const std::vector<float> scores = {.5F, .5F, .4F, .3F};
  const std::vector<int64_t> counts = {2, 0, 2};
  const auto lists =
      CollapseElements({.counts = counts, .keys = &keys, .scores = scores}, model::Metric::kIp, {});
  EXPECT_EQ(lists.counts, (std::vector<int64_t>{2, 0, 2}));
  EXPECT_EQ(lists.rows, (std::vector<SourceRow>{{0, 1}, {0, 0}, {0, 2}, {0, 3}}));
}

}  // namespace
}  // namespace elanus::rank
