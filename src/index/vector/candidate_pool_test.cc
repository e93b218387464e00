// The beam against a sorted list of everything that was offered to it.
#include "index/vector/candidate_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace elanus::index {
namespace {

using Entry = CandidatePool::Entry;

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
constexpr int32_t kMost = std::numeric_limits<int32_t>::max();

/// Distances as data sets have them, and as none should.
std::vector<int32_t> Distances(int shape, size_t count, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  std::vector<int32_t> distances(count);
  for (size_t i = 0; i < count; ++i) {
    const auto any = static_cast<uint32_t>(random());
    switch (shape) {
      case 0: distances[i] = static_cast<int32_t>(-4e5 + 9e4 * normal(random)); break;
      case 1: distances[i] = static_cast<int32_t>(any); break;
      case 2: distances[i] = static_cast<int32_t>(any % 3); break;
      case 3: distances[i] = 7; break;
      // One far nearer than a dense rest; ever nearer; the ends of the range.
      case 4: distances[i] = i == 5 ? -2'000'000'000 : static_cast<int32_t>(any % 5'000); break;
      case 5: distances[i] = static_cast<int32_t>(count - i) * 1'000; break;
      default: distances[i] = any % 2 == 0 ? kLeast : kMost; break;
    }
  }
  return distances;
}
constexpr int kShapes = 7;

TEST(CandidatePool, HoldsTheNearestOfAllThatWereOffered) {
  std::mt19937_64 random(4);
  CandidatePool pool;
  for (int shape = 0; shape < kShapes; ++shape) {
    for (size_t width : {1, 2, 10, 16, 135, 580, 3'000}) {
      const std::vector<int32_t> distances = Distances(shape, 4'000, random);
      pool.Start(width);
      std::vector<Entry> offered;
      for (size_t i = 0; i < distances.size(); ++i) {
        const auto node = static_cast<uint32_t>(i);
        offered.push_back({distances[i], node});
        const int64_t bound = pool.bound();
        EXPECT_EQ(pool.Insert(distances[i], node), distances[i] <= bound);
        if (uint32_t next; random() % 4 == 0) std::ignore = pool.Pop(&next);
      }
      std::sort(offered.begin(), offered.end());
      for (size_t limit : {size_t{0}, size_t{1}, width / 3, width, width + 10}) {
        const auto nearest = pool.Nearest(limit);
        ASSERT_EQ(nearest.size(), std::min({limit, width, offered.size()}));
        // Of those as far as the last one any may have been kept.
        for (size_t i = 0; i < nearest.size(); ++i)
          ASSERT_EQ(nearest[i].distance, offered[i].distance) << shape << " " << width << " " << i;
        EXPECT_TRUE(std::is_sorted(nearest.begin(), nearest.end()));
      }
      EXPECT_EQ(pool.Count([](uint32_t) { return true; }), std::min(width, offered.size()));
    }
  }
}

TEST(CandidatePool, GivesEachNodeOfTheBeamOnceAndTheNearFirst) {
  std::mt19937_64 random(5);
  CandidatePool pool;
  for (int shape = 0; shape < kShapes; ++shape) {
    for (size_t width : {1, 16, 200}) {
      const std::vector<int32_t> distances = Distances(shape, 3'000, random);
      pool.Start(width);
      std::vector<uint32_t> given;
      uint32_t node;
      for (size_t i = 0; i < distances.size(); ++i) {
        pool.Insert(distances[i], static_cast<uint32_t>(i));
        if (i % 8 == 7 && pool.Pop(&node)) given.push_back(node);
      }
      while (pool.Pop(&node)) given.push_back(node);
      const std::set<uint32_t> once(given.begin(), given.end());
      EXPECT_EQ(once.size(), given.size());
      size_t inside = 0;
      for (const Entry& entry : pool.Nearest(width)) inside += once.count(entry.node);
      EXPECT_EQ(inside, std::min(width, distances.size())) << shape << " " << width;
    }
  }
  // All there before the first is taken: buckets are at most a hundredth of what they span here.
  const std::vector<int32_t> distances = Distances(0, 2'000, random);
  pool.Start(500);
  for (size_t i = 0; i < distances.size(); ++i) pool.Insert(distances[i], static_cast<uint32_t>(i));
  const auto [least, most] = std::minmax_element(distances.begin(), distances.end());
  const int32_t step = (*most - *least) / 100;
  int64_t before = kLeast;
  for (uint32_t node; pool.Pop(&node); before = std::max<int64_t>(before, distances[node]))
    EXPECT_GT(distances[node], before - step);
}

TEST(CandidatePool, TakesNoMoreOnceItIsFullOfEqualDistances) {
  CandidatePool pool;
  pool.Start(50);
  size_t taken = 0;
  for (uint32_t node = 0; node < 10'000; ++node) taken += pool.Insert(3, node) ? 1 : 0;
  EXPECT_LE(taken, 200u);
  EXPECT_TRUE(pool.Insert(2, 20'000));
  EXPECT_EQ(pool.Nearest(1)[0].node, 20'000u);
  EXPECT_EQ(pool.Nearest(50).size(), 50u);
}

TEST(CandidatePool, LooksPastNodesThatAreNotVisible) {
  CandidatePool pool;
  pool.Start(100);
  for (uint32_t node = 0; node < 1'000; ++node) pool.Insert(static_cast<int32_t>(node), node);
  const auto visible = [](uint32_t node) { return node % 10 == 3; };
  const auto nearest = pool.Nearest(7, visible);
  ASSERT_EQ(nearest.size(), 7u);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(nearest[i].node, 10 * i + 3);
  EXPECT_EQ(pool.Count(visible), 10u);
}

}  // namespace
}  // namespace elanus::index
