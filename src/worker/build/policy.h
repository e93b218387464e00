// When to flush, what to merge, what to index: pure decisions over numbers, so that they can be
// tried out without a server.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/ids.h"

namespace elanus::worker {

struct FlushLimits {
  uint64_t growing_bytes = 128 << 20;  ///< of one shard
  int64_t age_ms = 600'000;            ///< of its oldest row that is not in a file
  uint64_t all_bytes = UINT64_MAX;     ///< of all shards together: above it the largest goes
  uint64_t log_files = 3;  ///< above it whoever holds the log's oldest record goes, however small
};

struct MergeLimits {
  uint64_t segment_bytes_max = 1ull << 30;  ///< of an output
  size_t segments_max = 4;                  ///< of one partition, small ones; more are merged
  double deleted_part = 0.2;                ///< a segment with more deleted rows is rewritten
};

/// A sealed segment, as far as the policy looks.
struct SegmentFigures {
  SegmentId id;
  PartitionId partition;
  uint64_t bytes = 0;
  uint64_t rows = 0;
  uint64_t list_vectors = 0;  ///< in the lists of vectors of its rows, of the field that has most
  uint64_t deleted_rows = 0;  ///< those whose history is over
  bool indexed = true;        ///< false: a vector index that the collection asks for is missing
  bool by_graph = false;      ///< then: searches go by the graph its rows had while they arrived
  bool extends = false;       ///< a merge goes on with its index: rows of others are inserted
  bool outdated = false;  ///< else: a scalar one is, or it has one that nobody asks for any more
};

/// How much a step works on.
struct StepSize {
  uint64_t rows = 0;
  uint64_t list_vectors = 0;
  bool merged = false;  ///< false: only indexed where they are
};

/// What a step asks for: bytes of memory at its peak.
using StepMemory = std::function<uint64_t(const StepSize& size)>;

/// How rows come.
enum class Inflow : uint8_t {
  kSettled,   ///< few
  kPouring,   ///< many, and nobody searches them: what is indexed now is merged, and indexed again
  kSearched,  ///< many, and each segment more costs the searches beside them
};

struct BuildLimits {
  MergeLimits merge;
  uint64_t memory_max = UINT64_MAX;
  StepMemory memory;  ///< empty: nothing
};

/// One thing to do now: merge the inputs into one segment with its indexes, or (one input, not
/// `merge`) give it the index files it lacks.
struct BuildStep {
  std::vector<SegmentId> inputs;  ///< all of one partition
  bool merge = false;
  size_t unindexed = 0;  ///< inputs that are searched row by row, or by a graph of their own, till
                         ///< this is done
  uint64_t memory = 0;   ///< bytes at its peak
  friend bool operator==(const BuildStep&, const BuildStep&) = default;
};

/// The next step for the segments of a shard, or nothing.
/// Segments without index are merged with each other, and with every smaller one, before they are
/// indexed: a bulk load is indexed once. Indexed ones are merged again once the smaller ones
/// together are as large as the next, or a third of it when its index can be gone on with (sizes
/// then grow geometrically: each row is rewritten O(log n) times), or when there are more than
/// segments_max. A merge that asks for more than memory_max takes fewer inputs, at least two. While
/// rows pour in only what is half the largest size is indexed; while they are searched, what has no
/// graph.
std::optional<BuildStep> NextBuildStep(const std::vector<SegmentFigures>& segments,
                                       const BuildLimits& limits, Inflow inflow);

/// All segments, put together to as few outputs as fit, partition by partition: a merge that was
/// asked for. A segment that goes with no other stays a group of its own.
std::vector<BuildStep> PlanWholeMerge(const std::vector<SegmentFigures>& segments,
                                      const BuildLimits& limits);

}  // namespace elanus::worker
