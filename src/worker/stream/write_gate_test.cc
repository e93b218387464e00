#include "worker/stream/write_gate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace elanus::worker {
namespace {

class WriteGateTest : public testing::Test {
 protected:
  /// A writer of 10 bytes; what became of it goes to `told_`.
  void Enter(const std::string& name, uint64_t bytes = 10) {
    gate_.Enter(bytes, [this, name, bytes](Status status) {
      if (status.ok()) unflushed_ += bytes;
      told_.push_back(name + (status.ok() ? "" : " " + std::to_string(CodeOf(status))));
    });
  }
  static int CodeOf(const Status& status) { return static_cast<int>(status.code()); }
  static std::string Refused(const std::string& name) {
    return name + " " + std::to_string(static_cast<int>(Code::kQuotaExceeded));
  }

  FakeClock clock_;
  uint64_t unflushed_ = 0;
  std::vector<std::string> told_;
  WriteGate gate_{
      {.unflushed_bytes_max = 100, .wait_ms = 1000, .waiting_bytes_max = 30, .clock = &clock_},
      [this] { return unflushed_; }};
};

using Told = std::vector<std::string>;

TEST_F(WriteGateTest, LetsWritersPassWhileThereIsRoom) {
  Enter("a");
  Enter("b", 1000);  // one may go over
  EXPECT_EQ(told_, (Told{"a", "b"}));
}

TEST_F(WriteGateTest, AWriterWaitsForAFlush) {
  unflushed_ = 101;
  Enter("a");
  clock_.AdvanceMs(999);
  gate_.Look();
  EXPECT_EQ(told_, Told{});
  EXPECT_EQ(gate_.writers_waiting(), 1u);
  unflushed_ = 0;
  gate_.Look();
  EXPECT_EQ(told_, Told{"a"});
}

TEST_F(WriteGateTest, AWriterIsRefusedOnceItHasWaitedItsTime) {
  unflushed_ = 101;
  Enter("a");
  clock_.AdvanceMs(500);
  Enter("b");
  clock_.AdvanceMs(500);
  gate_.Look();
  EXPECT_EQ(told_, Told{Refused("a")});
  clock_.AdvanceMs(500);
  gate_.Look();
  EXPECT_EQ(told_, (Told{Refused("a"), Refused("b")}));
}

TEST_F(WriteGateTest, WritersPassInTheOrderTheyCame) {
  unflushed_ = 101;
  Enter("a");
  unflushed_ = 95;
  Enter("b");  // there is room again, but a comes first
  EXPECT_EQ(told_, Told{});
  gate_.Look();
  EXPECT_EQ(told_, (Told{"a"})) << "a took the room";
  unflushed_ = 0;
  gate_.Look();
  EXPECT_EQ(told_, (Told{"a", "b"}));
}

TEST_F(WriteGateTest, TooManyWaitingBytesAreRefusedAtOnce) {
  unflushed_ = 101;
  Enter("a", 20);
  Enter("b", 20);
  EXPECT_EQ(told_, Told{Refused("b")});
}

TEST_F(WriteGateTest, TellsWhoWaitsWhenItCloses) {
  unflushed_ = 101;
  Enter("a");
  gate_.Close();
  Enter("b");
  const std::string code = " " + std::to_string(static_cast<int>(Code::kNotReady));
  EXPECT_EQ(told_, (Told{"a" + code, "b" + code}));
}

TEST_F(WriteGateTest, AWriterThatEntersFromAnothersGoKeepsTheOrder) {
  unflushed_ = 101;
  gate_.Enter(1, [&](Status) {
    told_.push_back("a");
    Enter("c");
  });
  Enter("b");
  unflushed_ = 0;
  gate_.Look();
  EXPECT_EQ(told_, (Told{"a", "b", "c"}));
}

}  // namespace
}  // namespace elanus::worker
