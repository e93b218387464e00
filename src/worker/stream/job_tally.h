// What maintenance has done and is doing, counted, and its failures, logged once. Called by Flusher
// and Compactor; read for /metrics. Threads: any.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

struct JobCounts {
  uint64_t flushes = 0;
  uint64_t merges = 0;
  uint64_t index_builds = 0;
  uint64_t failures = 0;
  uint64_t flushes_running = 0;
  uint64_t merges_running = 0;
  uint64_t index_builds_running = 0;
  friend bool operator==(const JobCounts&, const JobCounts&) = default;
};

class JobTally {
 public:
  enum class Kind { kFlush, kMerge, kIndexBuild, kLoad };

  void Began(Kind kind) EXCLUDES(mutex_);
  /// Counts the end of a job; logs a failure, as an error unless the shard was dropped meanwhile.
  /// A canceled job is neither.
  void Ended(Kind kind, const Shard& shard, const Status& status) EXCLUDES(mutex_);
  JobCounts counts() const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  JobCounts counts_ GUARDED_BY(mutex_);
};

}  // namespace elanus::worker
