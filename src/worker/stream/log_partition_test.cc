#include "worker/stream/log_partition.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "storage/log/log.h"

namespace elanus::worker {
namespace {

/// A log whose records become durable when the test says so.
class HeldLog final : public storage::Log {
 public:
  Result<uint64_t> Append(ShardId, std::string, storage::AppendDone done) override {
    std::lock_guard lock(mutex_);
    if (!broken_.ok()) return Error(broken_);
    dones_.push_back(std::move(done));
    return ++appended_;
  }
  Result<std::unique_ptr<storage::LogCursor>> Read(uint64_t) override {
    return Error(Code::kUnimplemented, "no cursor");
  }
  Status Truncate(uint64_t) override { return Status::Ok(); }
  storage::LogStats Stats() const override {
    std::lock_guard lock(mutex_);
    storage::LogStats stats;
    stats.broken = broken_;
    return stats;
  }
  Status Close() override { return Status::Ok(); }

  /// Answers the oldest record.
  void Answer(Status status = {}) {
    storage::AppendDone done;
    {
      std::lock_guard lock(mutex_);
      if (!status.ok()) broken_ = status;
      done = std::move(dones_.front());
      dones_.erase(dones_.begin());
    }
    done(std::move(status));
  }
  uint64_t appended() const {
    std::lock_guard lock(mutex_);
    return appended_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<storage::AppendDone> dones_;
  uint64_t appended_ = 0;
  Status broken_;
};

using Answers = std::vector<std::future<Result<model::Timestamp>>>;

class LogPartitionTest : public testing::Test {
 protected:
  /// A partition that lets one record on its way at a time.
  std::unique_ptr<LogPartition> Open(LogPartitionOptions options = {}) {
    options.bytes_in_flight_max = 1;
    return std::make_unique<LogPartition>(
        log_, clock_,
        [this](ShardId, format::LogRecord& record, uint64_t) {
          applied_.push_back(record.partition.value);
        },
        options);
  }

  /// Appends `count` records of partitions 1, 2, ...
  Answers Append(LogPartition& partition, int64_t count, Status check = {}) {
    Answers answers;
    for (int64_t i = 1; i <= count; ++i) {
      auto promise = std::make_shared<std::promise<Result<model::Timestamp>>>();
      answers.push_back(promise->get_future());
      partition.Append(
          {1}, {.kind = format::LogRecord::Kind::kDropPartition, .partition = {i}},
          [check] { return check; },
          [promise](Result<model::Timestamp> result) { promise->set_value(std::move(result)); });
    }
    return answers;
  }

  FakeClock wall_;
  model::HybridClock clock_{wall_};
  HeldLog log_;
  std::vector<int64_t> applied_;  // on the apply thread; read when it has answered all
};

TEST_F(LogPartitionTest, RecordsAboveTheBoundWaitTheirTurnAndKeepTheirOrder) {
  const auto partition = Open();
  Answers answers = Append(*partition, 3);
  EXPECT_EQ(log_.appended(), 1u);
  EXPECT_EQ(partition->writers_waiting(), 2u);
  model::Timestamp last = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    log_.Answer();
    const Result<model::Timestamp> answer = answers[i].get();
    ASSERT_TRUE(answer.has_value()) << answer.error().message();
    EXPECT_GT(*answer, last);
    EXPECT_EQ(log_.appended(), std::min<size_t>(i + 2, answers.size()));
    last = *answer;
  }
  EXPECT_EQ(applied_, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(partition->writers_waiting(), 0u);
}

TEST_F(LogPartitionTest, ARecordIsRefusedOnceItHasWaitedItsTime) {
  const auto partition = Open({.wait_ms = 1});
  Answers answers = Append(*partition, 3);
  for (const size_t late : {size_t{1}, size_t{2}}) {
    const Result<model::Timestamp> answer = answers[late].get();
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code(), Code::kQueueFull);
    EXPECT_TRUE(answer.error().message().ends_with(
        "wait for the log: too many concurrent requests, queue is full"))
        << answer.error().message();
  }
  EXPECT_EQ(log_.appended(), 1u);
  log_.Answer();
  EXPECT_TRUE(answers[0].get().has_value());
}

TEST_F(LogPartitionTest, TooManyWaitingBytesAreRefusedAtOnce) {
  const auto partition = Open({.bytes_waiting_max = 1, .wait_ms = 600'000});
  Answers answers = Append(*partition, 2);
  EXPECT_EQ(answers[1].get().error().code(), Code::kQueueFull);
  log_.Answer();
  EXPECT_TRUE(answers[0].get().has_value());
}

TEST_F(LogPartitionTest, WhatWaitsIsCheckedWhenItGoesIntoTheLog) {
  const auto partition = Open();
  Answers first = Append(*partition, 1);
  Answers second = Append(*partition, 1, {Code::kPartitionNotFound, "gone meanwhile"});
  log_.Answer();
  EXPECT_TRUE(first[0].get().has_value());
  EXPECT_EQ(second[0].get().error().message(), "gone meanwhile");
  EXPECT_EQ(log_.appended(), 1u);
}

TEST_F(LogPartitionTest, WhatWaitsForALogThatBreaksIsToldWhy) {
  std::vector<std::string> told;
  const auto partition = Open(
      {.wait_ms = 600'000, .broken = [&](const Status& why) { told.push_back(why.message()); }});
  Answers answers = Append(*partition, 3);
  log_.Answer({Code::kIoFailed, "no disk"});
  for (auto& answer : answers) EXPECT_EQ(answer.get().error().message(), "no disk");
  EXPECT_EQ(told, std::vector<std::string>{"no disk"});
}

TEST_F(LogPartitionTest, StoppingRefusesWhatWaitsAndDrainsWhatTheLogTook) {
  auto partition = Open({.wait_ms = 600'000});
  Answers first = Append(*partition, 1);
  Status waiting;
  partition->Append(
      {1}, {.kind = format::LogRecord::Kind::kTruncate}, [] { return Status::Ok(); },
      [&](Result<model::Timestamp> result) {
        waiting = StatusOf(result);
        log_.Answer();
      });
  partition.reset();
  EXPECT_EQ(waiting.code(), Code::kNotReady);
  EXPECT_TRUE(first[0].get().has_value());
  EXPECT_EQ(log_.appended(), 1u);
}

}  // namespace
}  // namespace elanus::worker
