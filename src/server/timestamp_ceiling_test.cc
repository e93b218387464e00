#include "server/timestamp_ceiling.h"

#include <gtest/gtest.h>

#include "base/codec.h"

namespace elanus {
namespace {

using model::HybridClock;
using model::Timestamp;

TEST(TimestampCeiling, NothingIsHandedOutTwiceThoughTheWallClockGoesBack) {
  auto meta = storage::NewMemoryMetaStore();
  Timestamp last = 0;
  for (int process = 0; process < 5; ++process) {
    FakeClock wall(1'000'000 - process * 100'000);
    HybridClock clock(wall);
    auto ceiling = TimestampCeiling::Open(*meta, clock);
    ASSERT_TRUE(ceiling.has_value());
    for (int i = 0; i < 50; ++i) {
      const Timestamp next = clock.Next();
      ASSERT_GT(next, last);
      last = next;
      wall.AdvanceMs(500);
    }
  }
}

TEST(TimestampCeiling, AKilledProcessHasStoredMoreThanItHandedOut) {
  auto meta = storage::NewMemoryMetaStore();
  FakeClock wall(1'000'000);
  HybridClock clock(wall);
  auto ceiling = TimestampCeiling::Open(*meta, clock);
  ASSERT_TRUE(ceiling.has_value());
  for (int i = 0; i < 50; ++i) {
    const Timestamp last = clock.Next();
    // What a process that starts now, with a clock far behind, would hand out.
    FakeClock back(0);
    HybridClock other(back);
    const auto entry = *meta->Get("clock/ceiling");
    ASSERT_TRUE(entry.has_value());
    other.AdvanceTo(*DecodeBytes<Timestamp>(entry->value, "ceiling"));
    EXPECT_GT(other.Next(), last);
    wall.AdvanceMs(i * 100);
  }
}

TEST(TimestampCeiling, ACleanStopLeavesTheClockWhereItWas) {
  auto meta = storage::NewMemoryMetaStore();
  FakeClock wall(1'000'000);
  Timestamp last = 0;
  {
    HybridClock clock(wall);
    auto ceiling = TimestampCeiling::Open(*meta, clock);
    last = clock.Next();
  }
  HybridClock clock(wall);
  auto ceiling = TimestampCeiling::Open(*meta, clock);
  EXPECT_EQ(clock.Next(), last + 1);
}

}  // namespace
}  // namespace elanus
