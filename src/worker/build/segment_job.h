// The work of maintenance on one shard: write growing segments out, merge sealed ones, build
// indexes; then commit. Holds: an output is published with the deletes that arrived meanwhile, in
// the commit itself; a job that fails leaves nothing behind but an error, and the shard as it was.
// Threads: jobs of one shard may run at the same time; their commits race by compare-and-swap and
// the loser tries again on the newer manifest.
#pragma once

#include <atomic>
#include <stop_token>

#include "base/status.h"
#include "model/hybrid_time.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

struct JobContext {
  model::HybridClock* clock = nullptr;
  int64_t retention_ms = 3'600'000;  ///< history kept: reads at T go back this far
  int build_threads = 1;
  std::stop_token stop;
};

/// Writes everything applied so far into files. Cost: the rows' bytes written once.
Status FlushShard(Shard& shard, const JobContext& context);

/// Merges the given sealed segments into one, with its indexes, or drops them when no row is left.
Status MergeSegments(Shard& shard, const std::vector<SegmentId>& inputs, const JobContext& context);

/// Builds the index files that the collection asks for and a segment lacks; removes those it no
/// longer asks for. True when it changed something (call again: one segment a call).
Result<bool> BuildMissingIndex(Shard& shard, const JobContext& context);

/// Opens what a manifest names: files mapped and checked, vectors and indexes resident when the
/// collection is loaded.
Result<std::vector<SealedPtr>> OpenSegments(ShardFiles& files, const format::Manifest& manifest);

/// Brings vectors and indexes into memory, or lets go of them, as the collection's load state says.
Status ApplyLoadState(Shard& shard);

}  // namespace elanus::worker
