#include "base/crew.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "base/busy_reader.h"

namespace elanus {
namespace {

TEST(Crew, RunsEachPieceOnce) {
  for (size_t cores : {1, 2, 4}) {
    Crew crew(cores);
    const Crew::Turn turn(crew);
    for (size_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(count);
      const Status status = crew.ForEach(count, [&](size_t i) {
        ++runs[i];
        return Status::Ok();
      });
      EXPECT_TRUE(status.ok());
      for (const auto& n : runs) EXPECT_EQ(n.load(), 1);
    }
  }
}

TEST(Crew, HelpersRunBesideTheCaller) {
  Crew crew(2);
  const Crew::Turn turn(crew);
  std::atomic<int> met{0};
  const Status status = crew.ForEach(2, [&](size_t) {
    ++met;
    while (met.load() < 2) std::this_thread::yield();  // one thread alone would never end
    return Status::Ok();
  });
  EXPECT_TRUE(status.ok());
}

TEST(Crew, NobodyHelpsWhileAllCoresAreTaken) {
  Crew crew(2);
  const Crew::Turn mine(crew);
  const BusyReader other(crew);
  const auto caller = std::this_thread::get_id();
  const Status status = crew.ForEach(100, [&](size_t) {
    return std::this_thread::get_id() == caller ? Status::Ok()
                                                : Status(Code::kUnexpected, "a helper came");
  });
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST(Crew, AReaderWithinAReadIsCountedOnce) {
  Crew crew(2);
  const Crew::Turn turn(crew);
  const Crew::Turn within(crew);
  std::atomic<int> met{0};
  const auto meet = [&](size_t) {
    ++met;
    while (met.load() < 2) std::this_thread::yield();  // one thread alone would never end
    return Status::Ok();
  };
  EXPECT_TRUE(crew.ForEach(2, meet).ok());
}

TEST(Crew, PiecesAreSplitInTurn) {
  Crew crew(3);
  std::atomic<int> runs{0};
  std::atomic<int> outer{0};
  const Status status = [&] {
    const Crew::Turn turn(crew);
    return crew.ForEach(3, [&](size_t) {
      const Crew::Turn within(crew);
      ++outer;
      while (outer.load() < 3) std::this_thread::yield();  // caller and both helpers are here
      return crew.ForEach(50, [&](size_t) {
        ++runs;
        return Status::Ok();
      });
    });
  }();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(runs.load(), 150);
  // Soon all are counted as idle again: a helper ends a moment after its last piece.
  const Crew::Turn turn(crew);
  std::atomic<int> met{0};
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (met.load() < 3 && std::chrono::steady_clock::now() < until) {
    met = 0;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    EXPECT_TRUE(crew.ForEach(3,
                             [&](size_t) {
                               ++met;
                               while (met.load() < 3 && std::chrono::steady_clock::now() < give_up)
                                 std::this_thread::yield();
                               // Alone it comes here before the others begin.
                               if (met.load() < 3) met = -3;
                               return Status::Ok();
                             })
                    .ok());
  }
  EXPECT_EQ(met.load(), 3);
}

TEST(Crew, AnErrorEndsTheWork) {
  for (size_t cores : {1, 3}) {
    Crew crew(cores);
    const Crew::Turn turn(crew);
    std::atomic<size_t> runs{0};
    const Status status = crew.ForEach(1000, [&](size_t i) {
      ++runs;
      return i == 10 ? Status(Code::kCanceled, "enough") : Status::Ok();
    });
    EXPECT_EQ(status.code(), Code::kCanceled);
    EXPECT_EQ(status.message(), "enough");
    EXPECT_GT(runs.load(), 10u);
    if (cores == 1) {
      EXPECT_EQ(runs.load(), 11u);
    }
  }
}

TEST(Crew, AnExceptionIsAnErrorOnceAllPiecesEnded) {
  Crew crew(2);
  const Crew::Turn turn(crew);
  std::atomic<int> begun{0};
  std::atomic<int> running{0};
  const Status status = crew.ForEach(2, [&](size_t i) {
    ++running;
    ++begun;
    while (begun.load() < 2) std::this_thread::yield();
    if (i == 0) {
      --running;
      throw std::bad_alloc();
    }
    std::this_thread::yield();
    --running;
    return Status::Ok();
  });
  EXPECT_EQ(status.code(), Code::kUnexpected);
  EXPECT_EQ(running.load(), 0);
}

TEST(Crew, HelpsManyCallersAtOnce) {
  Crew crew(4);
  std::vector<std::thread> callers;
  std::atomic<size_t> sum{0};
  for (int c = 0; c < 3; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const Crew::Turn turn(crew);
        const Status status = crew.ForEach(10, [&](size_t i) {
          sum += i;
          return Status::Ok();
        });
        EXPECT_TRUE(status.ok());
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum.load(), 3u * 200 * 45);
}

}  // namespace
}  // namespace elanus
