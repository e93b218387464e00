// When to flush, what to merge: pure decisions over numbers, so that they can be tried out without
// a server.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"

namespace elanus::worker {

struct FlushLimits {
  uint64_t growing_bytes = 128 << 20;  ///< of one shard
  int64_t age_ms = 600'000;            ///< of its oldest row that is not in a file
};

struct MergeLimits {
  uint64_t segment_bytes_max = 1ull << 30;  ///< of an output
  size_t segments_max = 4;                  ///< of one partition, small ones; more are merged
  double deleted_part = 0.2;                ///< a segment with more deleted rows is rewritten
};

/// A sealed segment, as far as the policy looks.
struct MergeCandidate {
  SegmentId id;
  PartitionId partition;
  uint64_t bytes = 0;
  uint64_t rows = 0;
  uint64_t deleted_rows = 0;  ///< those whose history is over
};

/// Segments to merge into one now, all of one partition, or nothing. A run of the smallest segments
/// is taken once it is as large as the next larger one (sizes then grow geometrically: each row is
/// rewritten O(log n) times), or when there are more than segments_max of them.
std::vector<SegmentId> PickMerge(const std::vector<MergeCandidate>& segments,
                                 const MergeLimits& limits);

}  // namespace elanus::worker
