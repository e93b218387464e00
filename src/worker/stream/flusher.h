// Writes growing rows to files: when a shard or all of them hold many, when a shard's oldest gets
// old, when asked.
// Holds: nothing is polled: the thread sleeps until rows were applied, someone asks, or the oldest
// unflushed row comes of age. Called by Maintenance. Threads: one of its own; Kick and Flush
// from any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "storage/log/log.h"
#include "worker/build/policy.h"
#include "worker/build/segment_job.h"
#include "worker/stream/job_tally.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

using ShardList = std::function<std::vector<std::shared_ptr<Shard>>()>;

class Flusher {
 public:
  /// What the flusher asks and tells, on its own thread.
  struct Events {
    std::function<storage::LogStats()> log;
    std::function<void()> looked;   ///< after each round: the log may now be truncated
    std::function<void()> flushed;  ///< there are new segments
  };

  Flusher(const FlushLimits& limits, ShardList shards, JobContext context, JobTally& tally,
          Events events);
  ~Flusher() { Stop(); }

  void Start();
  /// Ends the thread; kicks are still taken and do nothing. Idempotent.
  void Stop() EXCLUDES(mutex_);

  void Kick() EXCLUDES(mutex_);
  /// Flushes a shard now and waits for it; without a thread, on this one. Errors: the flush's,
  /// kTimeout, kCanceled, kNotReady.
  Status Flush(const std::shared_ptr<Shard>& shard, const Cancel& cancel) EXCLUDES(mutex_);
  /// Flushes what is large or old; returns when to look again, in microseconds, or -1 for never.
  int64_t FlushDue() EXCLUDES(mutex_);

 private:
  struct Request {
    std::shared_ptr<Shard> shard;
    bool done = false;
    Status status;
  };

  void Run() EXCLUDES(mutex_);
  void FlushRequested(const std::vector<std::shared_ptr<Request>>& requests) EXCLUDES(mutex_);
  Status FlushOne(Shard& shard);
  /// The shard to flush when all of them together hold too much, or nullptr.
  std::shared_ptr<Shard> LargestUnderPressure() const;
  /// The shard to flush when the log is too long: the one that keeps it from letting its oldest
  /// file go, or nullptr.
  std::shared_ptr<Shard> HolderOfLog() const;

  const FlushLimits limits_;
  const ShardList shards_;
  const JobContext context_;
  JobTally& tally_;
  const Events events_;

  mutable Mutex mutex_;
  CondVar changed_;
  CondVar done_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool kicked_ GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<Request>> requests_ GUARDED_BY(mutex_);
  std::map<ShardId, int64_t> unflushed_since_us_;  // the flushing thread's
  Thread thread_;
};

}  // namespace elanus::worker
