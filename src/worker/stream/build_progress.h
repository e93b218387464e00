// How far the index builds of a shard's job are. Told by the job, read for descriptions of indexes.
// Holds: nothing is known of segments that no job works on. Threads: any.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"

namespace elanus::worker {

class BuildProgress {
 public:
  /// One job at a time: its segments, for as long as it lives.
  class Job {
   public:
    Job(BuildProgress& progress, std::vector<SegmentId> segments) : progress_(progress) {
      progress_.Begin(std::move(segments));
    }
    ~Job() { progress_.Begin({}); }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

   private:
    BuildProgress& progress_;
  };

  void Tell(IndexId index, double part) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    parts_[index] = std::clamp(part, 0.0, 1.0);
  }

  /// The part of the index that is done on a segment, in [0, 1].
  double Of(SegmentId segment, IndexId index) const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (std::ranges::find(segments_, segment) == segments_.end()) return 0;
    const auto part = parts_.find(index);
    return part == parts_.end() ? 0 : part->second;
  }

 private:
  void Begin(std::vector<SegmentId> segments) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    segments_ = std::move(segments);
    parts_.clear();
  }

  mutable Mutex mutex_;
  std::vector<SegmentId> segments_ GUARDED_BY(mutex_);
  std::map<IndexId, double> parts_ GUARDED_BY(mutex_);
};

}  // namespace elanus::worker
