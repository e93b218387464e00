// Merges and indexes sealed segments as build/policy.h says or as a user asks, and keeps what is
// loaded in memory.
// Holds: at most one merge or build of a shard at a time, so that a step's inputs are there when it
// begins; memory comes out of one budget; what computes runs below the priority of reads and
// writes. Loading does not wait for builds. Called by Maintenance. Threads: kJobThreads that each
// carry one job, one that loads; Kick, Settle and Cancel from any.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"
#include "worker/build/memory_budget.h"
#include "worker/build/policy.h"
#include "worker/build/segment_job.h"
#include "worker/stream/compaction_orders.h"
#include "worker/stream/flusher.h"
#include "worker/stream/job_tally.h"

namespace elanus::worker {

struct CompactorOptions {
  MergeLimits merge;
  uint64_t memory_max = UINT64_MAX;
  /// A shard that took many rows within this time is being loaded: its segments are not indexed yet
  /// (see NextBuildStep), but at the latest after kSettleRoundsMax times this. 0: no such wait.
  int64_t settle_ms = 0;
  uint64_t settle_bytes = 2 << 20;  ///< many rows
};

class Compactor {
 public:
  static constexpr int kJobThreads = 2;
  static constexpr int64_t kSettleRoundsMax = 30;

  Compactor(const CompactorOptions& options, ShardList shards, JobContext context, JobTally& tally);
  ~Compactor() { Stop(); }

  void Start();
  /// Asks running jobs to end and joins the threads. Idempotent.
  void Stop() EXCLUDES(mutex_);

  /// Something may need merging, indexing, loading or releasing.
  void Kick() EXCLUDES(mutex_);
  /// Someone waits for the shard's indexes: it counts as settled.
  void Settle(ShardId shard) EXCLUDES(mutex_);
  /// The shard goes: asks its job to end and does not wait for it; its orders have failed.
  void Cancel(ShardId shard) EXCLUDES(mutex_);

  /// Orders the merge of the shard's sealed segments and returns the plans before they begin. A
  /// lone segment without rows to drop is as a merge would leave it: its plan has ended. Errors:
  /// Milvus' text for a target below the limit of segments.
  Result<std::vector<service::CompactionPlan>> Order(const Shard& shard,
                                                     const service::CompactionRequest& request)
      EXCLUDES(mutex_);
  std::vector<service::CompactionPlan> Orders(const service::CompactionFilter& filter) const {
    return orders_.Find(filter);
  }

  /// Waits until what is loaded by now has its vectors and indexes, or so long.
  void AwaitLoads(int64_t us) EXCLUDES(mutex_);

  /// Loads, then does one merge or build for each shard, on this thread; true when there was one.
  bool RunOnce() EXCLUDES(mutex_);

  const MemoryBudget& budget() const { return budget_; }

 private:
  struct Settling {
    uint64_t bytes_taken = 0;
    int64_t quiet_since_us = 0;
    int64_t loading_since_us = 0;
  };

  void RunJobs() EXCLUDES(mutex_);
  void RunLoads() EXCLUDES(mutex_);
  void Load(Shard& shard);
  /// One step of the shard unless another thread has it; true when there was one. `wait_us` becomes
  /// less when the shard is to be looked at again without a kick.
  bool WorkOn(Shard& shard, ThreadPriority priority, int64_t& wait_us) EXCLUDES(mutex_);
  bool Step(Shard& shard, JobContext context, bool settled);
  void CarryOut(Shard& shard, const CompactionOrders::Order& order, JobContext context);
  /// How long until the shard counts as settled, in microseconds; 0 = it does.
  int64_t SettlesIn(const Shard& shard) EXCLUDES(mutex_);
  BuildLimits Limits(const Shard& shard) const;

  const CompactorOptions options_;
  const ShardList shards_;
  const JobContext context_;
  JobTally& tally_;
  MemoryBudget budget_;
  CompactionOrders orders_;

  mutable Mutex mutex_;
  CondVar changed_;
  bool started_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  uint64_t kicks_ GUARDED_BY(mutex_) = 1;
  uint64_t loaded_kicks_ GUARDED_BY(mutex_) = 0;  // up to this one all is loaded
  CondVar loaded_;
  std::map<ShardId, std::stop_source> running_ GUARDED_BY(mutex_);
  std::map<ShardId, Settling> settling_ GUARDED_BY(mutex_);
  std::vector<Thread> threads_;
};

}  // namespace elanus::worker
