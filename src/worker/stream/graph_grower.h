// Links rows that still arrive into graphs, so that searches need not read them all.
// Holds: a graph begins when a search did read many, or at once where the rows before were searched
// while they arrived, or come slowly; a bulk load that nobody searches costs nothing here. From
// then on it follows the rows. Called by Maintenance. Threads: one of its own; Kick from any.
#pragma once

#include <stop_token>

#include "base/mutex.h"
#include "base/thread.h"
#include "worker/stream/flusher.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

class GraphGrower {
 public:
  explicit GraphGrower(ShardList shards) : shards_(std::move(shards)) {}
  ~GraphGrower() { Stop(); }

  void Start();
  /// Idempotent.
  void Stop() EXCLUDES(mutex_);

  /// A search read many rows of a growing segment.
  void Kick() EXCLUDES(mutex_);
  /// Rows came: kicks when they left a graph behind.
  void KickIfBehind() EXCLUDES(mutex_);
  /// Links the rows of all segments that were searched so, or have a graph that is behind.
  void GrowWanted(const std::stop_token& stop);

 private:
  void Run() EXCLUDES(mutex_);

  const ShardList shards_;
  std::stop_source stop_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  bool kicked_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

/// Links all rows of a growing segment into the graphs of the fields that have an index wanted.
void GrowGraphs(const model::CollectionInfo& collection, segment::GrowingSegment& segment,
                const std::stop_token& stop);

}  // namespace elanus::worker
