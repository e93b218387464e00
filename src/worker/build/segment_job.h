// The work of maintenance on one shard: write growing segments out, merge sealed ones, build
// indexes; then commit. Holds: an output is published with the deletes that arrived meanwhile, in
// the commit itself; a job that fails leaves nothing behind but an error, and the shard as it was.
// Threads: jobs of one shard may run at the same time; their commits race by compare-and-swap and
// the loser tries again on the newer manifest.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "base/status.h"
#include "base/thread.h"
#include "model/hybrid_time.h"
#include "worker/build/load_budget.h"
#include "worker/build/policy.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

/// How far a job has come. What a writer or a crash does between two steps must not matter: the
/// simulation stops a job at each of them and writes, deletes or pulls the plug.
enum class JobStep {
  kInputsTaken,     ///< their rows are chosen, the deletes they have are counted
  kFileWritten,     ///< the segment file is durable, no manifest names it
  kIndexWritten,    ///< so is an index file
  kDeletesCarried,  ///< the output has the deletes that its inputs got meanwhile
  kRunsWritten,     ///< delete runs are durable; the manifest comes next
  kCommitted,       ///< the head names the output, readers still have the inputs
  kSwapped,         ///< readers have the output; replaced files are still there
};

struct JobContext {
  model::HybridClock* clock = nullptr;
  int64_t retention_ms = 3'600'000;  ///< history kept: reads at T go back this far
  int build_threads = 1;
  LoadBudget load;
  std::stop_token stop;
  /// Of the heavy parts: below kNormal they run on a thread of their own while the job's waits, so
  /// that a thread that does not get to run never holds a lock of the shard.
  ThreadPriority priority = ThreadPriority::kNormal;
  std::function<void(JobStep)> at_step;  ///< called on the job's thread under no lock; may be empty

  /// History before this need not be kept.
  model::Timestamp Horizon() const {
    const model::Timestamp now = clock->Next();
    const model::Timestamp kept = model::TimestampFromMs(retention_ms);
    return now > kept ? now - kept : 0;
  }

  void Reached(JobStep step) const {
    if (at_step) at_step(step);
  }

  /// Runs a heavy part at the job's priority and returns what it returns.
  template <class Work>
  auto Heavily(Work work) const -> decltype(work()) {
    if (priority == ThreadPriority::kNormal) return work();
    std::optional<decltype(work())> result;
    Thread("build", [&] { result.emplace(work()); }, priority).Join();
    return std::move(*result);
  }
};

/// Writes everything applied so far into files. Cost: the rows' bytes written once.
Status FlushShard(Shard& shard, const JobContext& context);

/// Merges the given sealed segments into one, with its indexes, or drops them when no row is left:
/// then the answer is 0, else the output.
Result<SegmentId> MergeSegments(Shard& shard, const std::vector<SegmentId>& inputs,
                                const JobContext& context);

/// Builds the index files that the collection asks for and the segment lacks; removes those it no
/// longer asks for.
Status BuildMissingIndexes(Shard& shard, SegmentId segment, const JobContext& context);

/// The sealed segments as the policy sees them. \param horizon  history before this is over
std::vector<SegmentFigures> Figures(const Shard& shard, model::Timestamp horizon);

/// What a merge or an index build of so many rows of the collection takes at its peak: the rows'
/// order, vectors made resident, index files on their way.
uint64_t EstimateStepBytes(const model::CollectionInfo& collection, const StepSize& size);

/// Opens what a manifest names: files mapped and checked, vectors and indexes resident when the
/// collection is loaded.
Result<std::vector<SealedPtr>> OpenSegments(ShardFiles& files, const format::Manifest& manifest);

/// Brings vectors and indexes into memory, or lets go of them, as the collection's load state says.
Status ApplyLoadState(Shard& shard, const LoadBudget& budget = LoadBudget());

}  // namespace elanus::worker
