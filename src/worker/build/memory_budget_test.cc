#include "worker/build/memory_budget.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "base/thread.h"

namespace elanus::worker {
namespace {

/// Takes bytes on a thread of its own and keeps them until told.
class Taker {
 public:
  Taker(MemoryBudget& budget, uint64_t bytes)
      : thread_("taker", [this, &budget, bytes] {
          MemoryBudget::Lease lease = budget.Take(bytes, stop_.get_token());
          took_.set_value(static_cast<bool>(lease));
          end_.get_future().wait();
        }) {}
  ~Taker() { GiveBack(); }

  bool WaitTook() { return took_.get_future().get(); }
  void Stop() { stop_.request_stop(); }
  void GiveBack() {
    if (!std::exchange(ended_, true)) end_.set_value();
    thread_.Join();
  }

 private:
  std::stop_source stop_;
  std::promise<bool> took_;
  std::promise<void> end_;
  bool ended_ = false;
  Thread thread_;
};

void WaitForWaiters(const MemoryBudget& budget, uint64_t count) {
  while (budget.jobs_waiting() != count) std::this_thread::yield();
}

TEST(MemoryBudget, GivesWhatFitsAndTakesItBack) {
  MemoryBudget budget(100);
  {
    const auto a = budget.Take(60, {});
    const auto b = budget.Take(40, {});
    EXPECT_TRUE(a && b);
    EXPECT_EQ(budget.bytes_taken(), 100u);
  }
  EXPECT_EQ(budget.bytes_taken(), 0u);
}

TEST(MemoryBudget, AJobThatDoesNotFitWaits) {
  MemoryBudget budget(100);
  std::optional<MemoryBudget::Lease> first(budget.Take(60, {}));
  Taker second(budget, 50);
  WaitForWaiters(budget, 1);
  EXPECT_EQ(budget.bytes_taken(), 60u);
  first.reset();
  EXPECT_TRUE(second.WaitTook());
  EXPECT_EQ(budget.bytes_taken(), 50u);
}

TEST(MemoryBudget, AJobLargerThanAllOfItGoesAlone) {
  MemoryBudget budget(100);
  std::optional<MemoryBudget::Lease> small(budget.Take(1, {}));
  Taker large(budget, 1000);
  WaitForWaiters(budget, 1);
  EXPECT_EQ(budget.bytes_taken(), 1u);
  small.reset();
  EXPECT_TRUE(large.WaitTook());
  Taker next(budget, 1);
  WaitForWaiters(budget, 1);
  EXPECT_EQ(budget.bytes_taken(), 1000u);
  large.GiveBack();
  EXPECT_TRUE(next.WaitTook());
}

TEST(MemoryBudget, ASmallJobDoesNotOvertakeALargeOne) {
  MemoryBudget budget(100);
  std::optional<MemoryBudget::Lease> first(budget.Take(60, {}));
  Taker large(budget, 90);
  WaitForWaiters(budget, 1);
  Taker small(budget, 20);
  WaitForWaiters(budget, 2);
  EXPECT_EQ(budget.bytes_taken(), 60u);
  first.reset();
  EXPECT_TRUE(large.WaitTook());
  large.GiveBack();
  EXPECT_TRUE(small.WaitTook());
}

TEST(MemoryBudget, AStoppedJobLeavesTheQueueToTheNext) {
  MemoryBudget budget(100);
  const auto first = budget.Take(60, {});
  Taker large(budget, 90);
  WaitForWaiters(budget, 1);
  Taker small(budget, 20);
  WaitForWaiters(budget, 2);
  large.Stop();
  EXPECT_FALSE(large.WaitTook());
  EXPECT_TRUE(small.WaitTook());
  EXPECT_EQ(budget.bytes_taken(), 80u);
}

}  // namespace
}  // namespace elanus::worker
