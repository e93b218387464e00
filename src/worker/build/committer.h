// Puts new files into a shard's manifest, by compare-and-swap against every other job, and swaps
// them in. Holds: the checkpoint and the deletes a manifest names agree: every delete at or below
// its checkpoint is in its runs. Threads: the caller's; one object a job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/build/output_writer.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

/// What a job changes. Outputs replace their inputs; `frozen` moves the checkpoint and renews every
/// delete run; `indexes` sets the index references of segments that stay.
struct ManifestChange {
  std::vector<Output> outputs;
  const Frozen* frozen = nullptr;
  std::vector<std::pair<SegmentId, std::vector<format::IndexRef>>> indexes;
};

/// Errors: kCanceled when an input was dropped meanwhile; the stores'. On success the files of
/// `declared` belong to the manifest.
Status CommitChange(Shard& shard, const JobContext& context, ManifestChange change,
                    DeclaredFiles& declared);

}  // namespace elanus::worker
