#include "server/timestamp_ceiling.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/codec.h"
#include "base/thread.h"

namespace elanus {
namespace {

using model::HybridClock;
using model::Timestamp;
using model::TimestampFromMs;

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

/// A store whose commits can be held up.
class HeldStore final : public storage::MetaStore {
 public:
  Result<std::optional<storage::MetaEntry>> Get(const std::string& key) override {
    return inner_->Get(key);
  }
  Result<std::vector<storage::MetaEntry>> Range(const std::string& prefix) override {
    return inner_->Range(prefix);
  }
  Result<storage::MetaCommit> Commit(const storage::MetaTxn& txn) override {
    {
      MutexLock lock(mutex_);
      while (held_) changed_.Wait(mutex_);
    }
    return inner_->Commit(txn);
  }
  void Hold(bool held) {
    {
      MutexLock lock(mutex_);
      held_ = held;
    }
    changed_.NotifyAll();
  }

 private:
  const std::unique_ptr<storage::MetaStore> inner_ = storage::NewMemoryMetaStore();
  Mutex mutex_;
  CondVar changed_;
  bool held_ GUARDED_BY(mutex_) = false;
};

Timestamp Stored(storage::MetaStore& store) {
  const auto entry = *store.Get("clock/ceiling");
  return entry ? *DecodeBytes<Timestamp>(entry->value, "ceiling") : 0;
}

TEST(TimestampCeiling, TheFirstCallAfterAnIdleTimeWaitsForNoStore) {
  constexpr int64_t kAheadMs = 400;
  HeldStore store;
  FakeClock wall(1'000'000);
  HybridClock clock(wall);
  auto ceiling = *TimestampCeiling::Open(store, clock, kAheadMs);
  clock.Next();
  const Timestamp first = Stored(store);
  wall.AdvanceMs(300);
  // Nobody uses the clock: the thread stores the next ceiling by itself.
  const int64_t give_up_us = SystemClock().MonotonicUs() + 20'000'000;
  while (Stored(store) == first && SystemClock().MonotonicUs() < give_up_us) {
    std::this_thread::yield();
  }
  ASSERT_GE(Stored(store), TimestampFromMs(wall.WallMs() + kAheadMs));
  store.Hold(true);
  wall.AdvanceMs(300);  // past the first one
  std::promise<Timestamp> answer;
  auto next = answer.get_future();
  const Thread caller("caller", [&] { answer.set_value(clock.Next()); });
  const bool waited = next.wait_for(std::chrono::seconds(20)) != std::future_status::ready;
  store.Hold(false);
  EXPECT_FALSE(waited);
  EXPECT_GE(next.get(), first);
}

TEST(TimestampCeiling, AProcessKilledAgainAndAgainStaysNearTheWallClock) {
  FakeClock wall(1'000'000);
  Timestamp stored = 0;
  Timestamp last = 0;
  for (int kill = 0; kill < 100; ++kill) {
    auto meta = storage::NewMemoryMetaStore();
    if (kill > 0) {
      ASSERT_TRUE(meta->Commit({.puts = {{"clock/ceiling", EncodeBytes(stored)}}}));
    }
    HybridClock clock(wall);
    auto ceiling = TimestampCeiling::Open(*meta, clock);
    ASSERT_TRUE(ceiling.has_value());
    const Timestamp next = clock.Next();
    ASSERT_GT(next, last);
    last = next;
    stored = Stored(*meta);  // what a kill leaves
  }
  EXPECT_LT(model::TimestampMs(last), wall.WallMs() + TimestampCeiling::kAheadMs + 100 * 110);
}

}  // namespace
}  // namespace elanus
