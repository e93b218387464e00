// What keeps shards in shape, wired together: the flusher, the compactor, the grower of graphs,
// their counts. Called by ShardOwner. Threads: those of the three; every call from any.
#pragma once

#include <functional>
#include <memory>

#include "worker/stream/compactor.h"
#include "worker/stream/flusher.h"
#include "worker/stream/graph_grower.h"
#include "worker/stream/job_tally.h"

namespace elanus::worker {

struct MaintenanceOptions {
  FlushLimits flush;
  MergeLimits merge;
  int64_t settle_ms = 0;                   ///< see CompactorOptions
  uint64_t build_memory_max = UINT64_MAX;  ///< of merges and index builds together
  LoadBudget load;                         ///< of vectors and vector indexes that are loaded
  int64_t retention_ms = 3'600'000;
  int build_threads = 2;
  /// False: no threads; RunOnce does the work, on the caller's. A simulation then repeats exactly.
  bool threads = true;
  std::function<void(JobStep)> at_step;  ///< see JobContext
};

class Maintenance {
 public:
  /// What it asks and tells about the log, on the flush thread.
  struct LogEvents {
    std::function<storage::LogStats()> stats;
    std::function<void()> looked;  ///< after each look at what to flush: it may now be truncated
  };

  Maintenance(const MaintenanceOptions& options, model::HybridClock& clock, const ShardList& shards,
              LogEvents log);
  ~Maintenance() { Stop(); }
  /// Ends the threads; kicks are still taken and do nothing. Idempotent.
  void Stop();

  /// Something may need flushing: rows were applied.
  void KickFlush() { flusher_.Kick(); }
  /// Something may need merging, indexing, loading or releasing.
  void KickBuild() { compactor_.Kick(); }
  /// A search read many rows of a segment that has no index yet.
  void KickGraphs() {
    grower_.Kick();
    compactor_.Kick();
  }
  /// The shard's collection has another description: what it asks for now is wanted at once.
  void Changed(ShardId shard) { compactor_.Settle(shard); }
  /// See Compactor::AwaitLoads.
  void AwaitLoads(int64_t us) { compactor_.AwaitLoads(us); }
  /// Flushes a shard now and waits for it. Errors: the flush's, kTimeout, kCanceled.
  Status Flush(const std::shared_ptr<Shard>& shard, const Cancel& cancel) {
    return flusher_.Flush(shard, cancel);
  }
  /// Asks the merge or build of a shard to end: it is in vain.
  void Cancel(ShardId shard) { compactor_.Cancel(shard); }
  /// See Compactor::Order.
  Result<std::vector<service::CompactionPlan>> Order(const Shard& shard,
                                                     const service::CompactionRequest& request) {
    return compactor_.Order(shard, request);
  }
  std::vector<service::CompactionPlan> Orders(const service::CompactionFilter& filter) const {
    return compactor_.Orders(filter);
  }

  /// One flush of what is due, and one merge or index build a shard, on this thread; true when it
  /// built something: call again. \pre the options ask for no threads
  bool RunOnce();

  JobCounts counts() const { return tally_.counts(); }
  const MemoryBudget& budget() const { return compactor_.budget(); }

 private:
  void Looked();

  const bool threads_;
  const LogEvents log_;
  std::stop_source stop_;
  JobTally tally_;
  Compactor compactor_;
  Flusher flusher_;
  GraphGrower grower_;
};

}  // namespace elanus::worker
