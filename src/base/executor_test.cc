#include "base/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <semaphore>

namespace elanus {
namespace {

TEST(Executor, RunsEverythingItAcceptedBeforeItGoes) {
  std::atomic<int> ran = 0;
  {
    Executor executor({.name = "t", .threads = 2, .queue_max = 1000});
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(executor.TrySubmit([&] { ++ran; }));
  }
  EXPECT_EQ(ran, 1000);
}

TEST(Executor, RefusesATaskWhenItsQueueIsFull) {
  std::binary_semaphore started{0};
  std::binary_semaphore go{0};
  Executor executor({.name = "t", .threads = 1, .queue_max = 1});
  ASSERT_TRUE(executor.TrySubmit([&] {
    started.release();
    go.acquire();
  }));
  started.acquire();
  EXPECT_TRUE(executor.TrySubmit([] {}));
  EXPECT_FALSE(executor.TrySubmit([] {}));
  EXPECT_EQ(executor.Waiting(), 1u);
  go.release();
}

TEST(Executor, NamesItsThreads) {
  char name[16] = {};
  {
    Executor executor({.name = "flush", .priority = ThreadPriority::kLow});
    ASSERT_TRUE(
        executor.TrySubmit([&] { pthread_getname_np(pthread_self(), name, sizeof(name)); }));
  }
  EXPECT_STREQ(name, "flush-0");
}

}  // namespace
}  // namespace elanus
