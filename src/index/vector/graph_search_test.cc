// The beam search over a graph whose answers are plain to see: numbers on a line, each linked to
// its neighbours and to some far away.
#include "index/vector/graph_search.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

namespace elanus::index {
namespace {

constexpr uint32_t kNodes = 5'000;
constexpr std::array<uint32_t, 9> kSteps = {1, 2, 3, 4, 11, 29, 71, 173, 419};  // to either side

struct LineLinks {
  size_t degree() const { return 2 * kSteps.size(); }
  size_t Read(uint32_t node, uint32_t* out) const {
    size_t count = 0;
    for (uint32_t step : kSteps) {
      if (node >= step) out[count++] = node - step;
      if (node + step < kNodes) out[count++] = node + step;
    }
    return count;
  }
  void Prefetch(uint32_t) const {}
};

struct FromPlace {
  int32_t place;
  void operator()(const uint32_t* nodes, size_t count, int32_t* out) const {
    for (size_t i = 0; i < count; ++i) out[i] = std::abs(static_cast<int32_t>(nodes[i]) - place);
  }
  void Prefetch(uint32_t) const {}
};

class GraphSearchTest : public ::testing::Test {
 protected:
  // Searches from `entry` for the nodes next to `place`; returns the hops it took.
  template <class Counts = AllCount>
  uint64_t Search(uint32_t entry, uint32_t place, const Counts& counts = {}) {
    const FromPlace distance{static_cast<int32_t>(place)};
    s_.Reserve(LineLinks().degree());
    s_.visited.Start(kNodes);
    s_.visited.Insert(entry);
    int32_t first;
    distance(&entry, 1, &first);
    s_.pool.Insert(first, entry);
    const uint64_t before = s_.hops;
    ExpandBeam(LineLinks(), distance, s_, [] { return true; }, counts);
    return s_.hops - before;
  }

  void ExpectFound(size_t count, uint32_t place) {
    const auto found = s_.pool.Nearest(count);
    ASSERT_EQ(found.size(), count);
    for (size_t i = 0; i < count; ++i)
      EXPECT_EQ(found[i].distance, static_cast<int32_t>((i + 1) / 2)) << "around " << place;
  }

  GraphScratch s_;
};

TEST_F(GraphSearchTest, EndsWhenNothingNearTurnsUpForLong) {
  StartBeam(1'000, 10, s_);
  EXPECT_LT(Search(2'500, 2'500), 800u);
  ExpectFound(10, 2'500);
  // Nobody asked for an end before the beam is used up.
  s_.patience.Off();
  s_.pool.Start(1'000);
  EXPECT_GE(Search(2'500, 2'500), 1'000u);
  ExpectFound(1'000, 2'500);
}

TEST_F(GraphSearchTest, GoesOnWhileEachHopComesNearer) {
  StartBeam(24, 10, s_);
  s_.patience.Start(24, 1);
  EXPECT_GE(Search(0, 4'900), 4'900 / kSteps.back());
  ExpectFound(10, 4'900);
}

TEST_F(GraphSearchTest, WatchesAsManyAsAreWanted) {
  StartBeam(600, 10, s_);
  const uint64_t few = Search(2'500, 2'500);
  StartBeam(600, 60, s_);
  const uint64_t more = Search(2'500, 2'500);
  EXPECT_GT(more, few);
  ExpectFound(60, 2'500);
  // One of three counts: the nearest of these are watched, which lie three times as far.
  StartBeam(600, 10, s_);
  const auto third = [](uint32_t node) { return node % 3 == 0; };
  EXPECT_GT(Search(2'500, 2'500, third), few);
  const auto found = s_.pool.Nearest(10, third);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_LE(found[i].distance, static_cast<int32_t>(3 * (i + 1) / 2 + 2));
  StartBeam(600, Patience::kWatchedMax + 1, s_);
  EXPECT_GE(Search(2'500, 2'500), 600u);
}

TEST_F(GraphSearchTest, EndsNoSearchBeforeItsBeamIsFull) {
  s_.pool.Start(2'000);
  s_.patience.Start(1, 0);
  Search(2'500, 2'500);
  EXPECT_EQ(s_.pool.Nearest(2'000).size(), 2'000u);
}

TEST(Patience, CountsHopsSinceTheNearestChanged) {
  Patience patience;
  for (int hop = 0; hop < 1'000; ++hop) patience.EndHop();
  EXPECT_FALSE(patience.Ended());  // not started: no end

  patience.Start(2, 3);
  for (int32_t distance : {50, 40, 60, 40}) patience.Offer(distance);  // 40, 40 are nearest
  for (int hop = 0; hop < 3; ++hop) patience.EndHop();
  EXPECT_FALSE(patience.Ended());
  patience.Offer(40);  // as far as the farthest of them changes nothing
  patience.EndHop();
  EXPECT_TRUE(patience.Ended());
  patience.Offer(-5);
  EXPECT_FALSE(patience.Ended());
  // The later the change, the longer the wait: 3 and three tenths of 4 hops.
  for (int hop = 0; hop < 4; ++hop) patience.EndHop();
  EXPECT_FALSE(patience.Ended());
  patience.EndHop();
  EXPECT_TRUE(patience.Ended());
  patience.Off();
  EXPECT_FALSE(patience.Ended());
}

}  // namespace
}  // namespace elanus::index
