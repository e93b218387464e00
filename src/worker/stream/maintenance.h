// The threads that keep shards in shape: one flushes, one merges, builds indexes and loads (low
// priority). Holds: nothing is polled; a thread sleeps until it is told of work or the oldest
// unflushed row comes of age. Called by ShardOwner. Threads: two of its own, Kick and Flush from
// any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"
#include "worker/build/policy.h"
#include "worker/build/segment_job.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

struct MaintenanceOptions {
  FlushLimits flush;
  MergeLimits merge;
  int64_t retention_ms = 3'600'000;
  int build_threads = 2;
  /// False: no threads; RunOnce does the work, on the caller's. A simulation then repeats exactly.
  bool threads = true;
  std::function<void(JobStep)> at_step;  ///< see JobContext
};

class Maintenance {
 public:
  using ShardList = std::function<std::vector<std::shared_ptr<Shard>>()>;

  /// \param flushed  called after each flush, on the flush thread: the log may now be truncated
  Maintenance(const MaintenanceOptions& options, model::HybridClock& clock, ShardList shards,
              std::function<void()> flushed);
  ~Maintenance();
  /// Ends the threads; kicks are still taken and do nothing. Idempotent.
  void Stop() EXCLUDES(mutex_);

  /// Something may need flushing: rows were applied.
  void KickFlush() EXCLUDES(mutex_);
  /// Something may need merging, indexing, loading or releasing.
  void KickBuild() EXCLUDES(mutex_);
  /// Flushes a shard now and waits for it. Errors: the flush's, kTimeout, kCanceled.
  Status Flush(const std::shared_ptr<Shard>& shard, const Cancel& cancel) EXCLUDES(mutex_);

  /// One flush of what is due, and one merge or index build a shard, on this thread; true when it
  /// built something: call again. \pre the options ask for no threads
  bool RunOnce() EXCLUDES(mutex_);

  struct Counters {
    uint64_t flushes = 0;
    uint64_t merges = 0;
    uint64_t index_builds = 0;
    uint64_t failures = 0;
  };
  Counters counters() const EXCLUDES(mutex_);

 private:
  struct Request {
    std::shared_ptr<Shard> shard;
    bool done = false;
    Status status;
  };

  void RunFlush() EXCLUDES(mutex_);
  void RunBuild() EXCLUDES(mutex_);
  void FlushRequested(std::vector<std::shared_ptr<Request>>& requests);
  /// Flushes what is large or old; returns when to look again, in microseconds, or -1 for never.
  int64_t FlushDue();
  bool BuildOne(const std::shared_ptr<Shard>& shard);
  bool Merge(const std::shared_ptr<Shard>& shard);
  JobContext Context() const;
  Status FlushCounted(Shard& shard) EXCLUDES(mutex_);
  void Report(const Shard& shard, std::string_view job, const Status& status) EXCLUDES(mutex_);

  const MaintenanceOptions options_;
  model::HybridClock& clock_;
  const ShardList shards_;
  const std::function<void()> flushed_;
  std::stop_source stop_;

  mutable Mutex mutex_;
  CondVar flush_changed_;
  CondVar build_changed_;
  CondVar request_done_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool flush_kicked_ GUARDED_BY(mutex_) = false;
  bool build_kicked_ GUARDED_BY(mutex_) = true;
  std::vector<std::shared_ptr<Request>> requests_ GUARDED_BY(mutex_);
  Counters counters_ GUARDED_BY(mutex_);
  std::map<ShardId, int64_t> unflushed_since_us_;  // the flush thread's
  Thread flush_thread_;
  Thread build_thread_;
};

}  // namespace elanus::worker
