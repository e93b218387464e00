// Merges that users asked for: what waits, runs and has ended. Kept in memory only: after a restart
// an order is unknown, and what it asked for is left to the merge policy.
// Holds: an input that an automatic merge took meanwhile is replaced by that merge's output, so an
// order never names a segment that is gone because of a merge. At most kEndedMax ended ones are
// kept, the oldest go first. Called by Compactor. Threads: any.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "service/compaction.h"

namespace elanus::worker {

class CompactionOrders {
 public:
  static constexpr size_t kEndedMax = 4096;
  static constexpr size_t kMergesMax = 256;

  /// Plans that wait; one that is completed already is only kept. A merge that ended while they
  /// were made counts as one that ended after.
  void Add(const std::vector<service::CompactionPlan>& plans) EXCLUDES(mutex_);

  struct Order {
    int64_t plan = 0;
    std::vector<SegmentId> inputs;  ///< at least one
  };
  /// The shard's oldest plan that waits, which now runs; nothing when there is none.
  std::optional<Order> Begin(ShardId shard) EXCLUDES(mutex_);
  /// How a plan that ran has ended; `output` is 0 when no row was left.
  void End(int64_t plan, const Result<SegmentId>& output) EXCLUDES(mutex_);
  /// An automatic merge made `output` of `inputs`. A plan that is left with that one input has what
  /// it wanted.
  void Replaced(ShardId shard, const std::vector<SegmentId>& inputs, SegmentId output)
      EXCLUDES(mutex_);
  /// No plan of the shard will run any more.
  void Fail(ShardId shard, const Status& why) EXCLUDES(mutex_);

  std::vector<service::CompactionPlan> Find(const service::CompactionFilter& filter) const
      EXCLUDES(mutex_);

 private:
  struct Entry {
    service::CompactionPlan plan;
    std::vector<SegmentId> inputs;  ///< the sources, or what has become of them
  };

  struct Merge {
    ShardId shard;
    std::vector<SegmentId> inputs;
    SegmentId output;
  };

  static void Follow(Entry& entry, const Merge& merge);
  void ForgetOldest() REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::deque<Entry> entries_ GUARDED_BY(mutex_);  ///< oldest first
  std::deque<Merge> merges_ GUARDED_BY(mutex_);   ///< the latest automatic ones, oldest first
};

}  // namespace elanus::worker
