#include "model/hybrid_time.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

TEST(HybridClock, GrowsWhileTheWallClockStandsStillOrGoesBack) {
  FakeClock wall(1000);
  HybridClock clock(wall);
  const Timestamp first = clock.Next();
  EXPECT_EQ(first, TimestampFromMs(1000));
  EXPECT_EQ(clock.Next(), first + 1);
  wall.AdvanceMs(-500);
  EXPECT_EQ(clock.Next(), first + 2);
  wall.AdvanceMs(1000);
  EXPECT_EQ(TimestampMs(clock.Next()), 1500);
}

TEST(HybridClock, StaysAboveWhatRecoveryFound) {
  FakeClock wall(1000);
  HybridClock clock(wall);
  clock.AdvanceTo(TimestampFromMs(2000) + 5);
  EXPECT_EQ(clock.Next(), TimestampFromMs(2000) + 6);
  clock.AdvanceTo(3);
  EXPECT_EQ(clock.Next(), TimestampFromMs(2000) + 7);
}

class RememberedBound final : public TimestampBound {
 public:
  Timestamp RaiseAbove(Timestamp ts) override {
    ++raised;
    return remembered = ts + TimestampFromMs(100);
  }
  Timestamp remembered = 0;
  int raised = 0;
};

TEST(HybridClock, HandsOutNothingAboveWhatItsBoundRemembers) {
  FakeClock wall(1000);
  HybridClock clock(wall);
  RememberedBound bound;
  clock.SetBound(&bound, 0);
  for (int step = 0; step < 1000; ++step) {
    EXPECT_LT(clock.Next(), bound.remembered);
    wall.AdvanceMs(step % 7);
  }
  EXPECT_LE(bound.raised, 30) << "once in 100 ms";
}

}  // namespace
}  // namespace elanus::model
