// One log partition: every write of its shards passes here, in one order.
// Holds: timestamps ascend in the order of the log; a record is applied after it is durable, in
// that order, and acknowledged after it is applied. ReadTimestamp() is at least the timestamp of
// every acknowledged write, and nothing at or below it is applied later. Bytes between Append and
// apply are bounded: records above the bound wait their turn, at last are refused.
// Threads: Append and reads from any; `apply` runs on the partition's own thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/thread.h"
#include "format/log_record.h"
#include "model/hybrid_time.h"
#include "storage/log/log.h"

namespace elanus::worker {

struct LogPartitionOptions {
  /// Of records on their way through the log; one may always go, however large.
  uint64_t bytes_in_flight_max = 64 << 20;
  uint64_t bytes_waiting_max = 512 << 20;  ///< of records that wait for room; more are refused
  int64_t wait_ms = 10'000;                ///< of a record for room, at most
  const Clock* clock = &SystemClock();     ///< of that wait
  /// Called once, when the log has failed for good; may be empty.
  std::function<void(const Status&)> broken;
};

class LogPartition {
 public:
  /// Called once, on the apply thread: the record's timestamp, or why it did not happen.
  using Applied = std::move_only_function<void(Result<model::Timestamp>)>;
  using Apply = std::function<void(ShardId, format::LogRecord&, uint64_t seq)>;

  LogPartition(storage::Log& log, model::HybridClock& clock, Apply apply,
               LogPartitionOptions options = {});
  /// Refuses what waits, drains what the log took. \pre no Append any more
  ~LogPartition();

  /// Never blocks. `check` runs under the partition's lock just before the record is stamped, so
  /// that what it sees (a partition that exists) holds in the log's order; an error from it is the
  /// result. kQueueFull: the record waited for room in vain, or too many wait already.
  void Append(ShardId shard, format::LogRecord record, std::function<Status()> check,
              Applied applied) EXCLUDES(mutex_);

  /// The applied watermark; see above. Cost: a lock.
  model::Timestamp ReadTimestamp() EXCLUDES(mutex_);
  /// Waits until the watermark is >= t. Errors: kTimeout, kCanceled.
  Result<model::Timestamp> WaitApplied(model::Timestamp t, const Cancel& cancel) EXCLUDES(mutex_);

  /// The seq below which every record has been applied or failed.
  uint64_t applied_seq() const EXCLUDES(mutex_);
  void SetRecovered(uint64_t seq) EXCLUDES(mutex_);
  uint64_t bytes_in_flight() const EXCLUDES(mutex_);
  uint64_t writers_waiting() const EXCLUDES(mutex_);

 private:
  /// Not in the log yet.
  struct Entry {
    ShardId shard;
    format::LogRecord record;
    std::string payload;
    std::function<Status()> check;
    Applied applied;
    int64_t until_us = 0;  ///< when it is refused, should it wait
  };
  struct InFlight {
    model::Timestamp timestamp = 0;
    uint64_t seq = 0;
    ShardId shard;
    format::LogRecord record;
    uint64_t bytes = 0;
    Applied applied;
    Status durable;
  };

  struct Refused {
    Applied applied;
    Status why;
  };

  void Run() EXCLUDES(mutex_);
  void WaitForWork() REQUIRES(mutex_);
  bool HasRoom(const Entry& entry) const REQUIRES(mutex_);
  std::optional<Refused> Queue(Entry entry) REQUIRES(mutex_);
  std::optional<Refused> AppendToLog(Entry entry) REQUIRES(mutex_);
  std::vector<Refused> Admit() REQUIRES(mutex_);
  void Tell(std::vector<Refused> refused) EXCLUDES(mutex_);
  void OnDurable(Status status) EXCLUDES(mutex_);
  void TellIfBroken() EXCLUDES(mutex_);
  model::Timestamp ReadTimestampLocked() REQUIRES(mutex_);

  storage::Log& log_;
  model::HybridClock& clock_;
  const Apply apply_;
  const LogPartitionOptions options_;
  std::atomic<bool> told_broken_ = false;

  mutable Mutex mutex_;
  CondVar changed_;
  // In the order of the log; the first `durable_` are durable or failed and wait for the apply
  // thread.
  std::deque<InFlight> in_flight_ GUARDED_BY(mutex_);
  size_t durable_ GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  // In the order they came; not empty only while something is in flight.
  std::deque<Entry> waiting_ GUARDED_BY(mutex_);
  uint64_t bytes_waiting_ GUARDED_BY(mutex_) = 0;
  uint64_t applied_seq_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace elanus::worker
