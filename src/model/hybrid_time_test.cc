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

}  // namespace
}  // namespace elanus::model
