// Merges that a user asks for, as values: what is asked of a shard, and how far it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/codec.h"

namespace elanus::service {

enum class CompactionKind : int32_t { kMix = 0, kClustering = 1 };

/// Sealed segments of one shard are to be merged, whatever the merge policy thinks of them.
struct CompactionRequest {
  int64_t job = 0;  ///< its plans are found by this
  CompactionKind kind = CompactionKind::kMix;
  ShardId shard;
  PartitionId partition;            ///< 0 = every one
  std::vector<SegmentId> segments;  ///< only these; empty = all
  int64_t target_mb = 0;            ///< of an output; 0 = the server's limit

  template <class V>
  void Visit(V& v) {
    v(job);
    v(kind);
    v(shard);
    v(partition);
    v(segments);
    v(target_mb);
  }
};

enum class CompactionState : int32_t { kWaiting = 0, kRunning = 1, kCompleted = 2, kFailed = 3 };

/// One merge of a job.
struct CompactionPlan {
  int64_t id = 0;
  int64_t job = 0;
  CompactionKind kind = CompactionKind::kMix;
  CollectionId collection;
  ShardId shard;
  PartitionId partition;
  CompactionState state = CompactionState::kWaiting;
  std::string failure;             ///< why it failed
  std::vector<SegmentId> sources;  ///< as they were when it was asked for
  SegmentId target;                ///< once completed; 0 when no row was left

  template <class V>
  void Visit(V& v) {
    v(id);
    v(job);
    v(kind);
    v(collection);
    v(shard);
    v(partition);
    v(state);
    v(failure);
    v(sources);
    v(target);
  }
};

/// Which plans to show: those of a job, or of a collection.
struct CompactionFilter {
  int64_t job = 0;          ///< 0 = any
  CollectionId collection;  ///< 0 = any

  template <class V>
  void Visit(V& v) {
    v(job);
    v(collection);
  }
};

/// A list of plans as the answer of a call.
struct CompactionPlans {
  std::vector<CompactionPlan> plans;

  template <class V>
  void Visit(V& v) {
    v(plans);
  }
};

}  // namespace elanus::service
