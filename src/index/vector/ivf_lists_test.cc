// Lists come nearest first, however many are asked for at a time, each once.
#include "index/vector/ivf_lists.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

constexpr size_t kLists = 700, kDim = 24;

class IvfListsTest : public ::testing::TestWithParam<Metric> {
 protected:
  double Distance(const float* query, uint32_t list) const {
    return testing::ExactDistanceOf(GetParam(), query, centroids_.Row(list), kDim);
  }

  const testing::Data centroids_ = testing::Clustered(kLists, kDim, 1);
  const testing::Data queries_ = testing::Clustered(20, kDim, 1, kLists);
  const IvfLists lists_{GetParam(), kDim, centroids_.values};
};

TEST_P(IvfListsTest, ComeNearestFirstStepByStep) {
  ListScratch steps, once;
  for (size_t q = 0; q < 20; ++q) {
    const float* query = queries_.Row(q);
    lists_.Rank(query, steps);
    size_t had = 0;
    for (const size_t wanted : {size_t{1}, size_t{7}, size_t{7}, size_t{60}, size_t{300}, kLists}) {
      lists_.Extend(query, wanted, steps);
      ASSERT_EQ(steps.lists.size(), wanted);
      for (size_t i = had + 1; i < wanted; ++i)
        EXPECT_LE(steps.lists[i - 1].distance, steps.lists[i].distance) << wanted;
      had = wanted;
    }
    std::vector<uint8_t> met(kLists, 0);
    for (const NearList& list : steps.lists) ++met[list.list];
    EXPECT_EQ(std::ranges::count(met, 1), kLists);
    // Codes err: a list may come one step late, not more than a few.
    std::vector<uint32_t> truth(kLists);
    for (uint32_t i = 0; i < kLists; ++i) truth[i] = i;
    std::ranges::sort(truth, {}, [&](uint32_t list) { return Distance(query, list); });
    for (const size_t wanted : {7, 60, 300}) {
      size_t among = 0;
      for (size_t i = 0; i < wanted; ++i) {
        const auto end = truth.begin() + static_cast<ptrdiff_t>(wanted);
        among += std::find(truth.begin(), end, steps.lists[i].list) != end ? 1 : 0;
      }
      EXPECT_GE(among, wanted - wanted / 20) << "of the nearest " << wanted;
      lists_.Nearest(query, wanted, once);
      ASSERT_EQ(once.lists.size(), wanted);
      EXPECT_EQ(once.lists[0].list, truth[0]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, IvfListsTest, ::testing::Values(Metric::kL2, Metric::kIp));

}  // namespace
}  // namespace elanus::index
