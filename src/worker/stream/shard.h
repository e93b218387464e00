// The segments of one shard in memory.
// Holds: a record is applied once, in the order of the log; a reader takes its timestamp first,
// then a view, and the view holds every row at or below that timestamp. What is committed
// (manifest) and what is served change together. Threads: Apply by the partition's apply thread;
// views by any; Freeze, Replace and Adopt by maintenance. `state_mutex_` is held for swaps and for
// applying one record, never across I/O.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "format/log_record.h"
#include "model/collection.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"
#include "service/coordinator.h"
#include "service/shard.h"
#include "worker/stream/build_progress.h"
#include "worker/stream/shard_files.h"

namespace elanus::worker {

using SealedPtr = std::shared_ptr<segment::SealedSegment>;
using GrowingPtr = std::shared_ptr<segment::GrowingSegment>;

/// What a flush writes: growing segments that take no more rows, complete up to `checkpoint`.
struct Frozen {
  std::vector<GrowingPtr> segments;
  uint64_t checkpoint = 0;
  model::Timestamp checkpoint_timestamp = 0;
  bool dirty_deletes = false;  ///< sealed segments have deletes that no delete run has
};

/// An output of flush or merge that takes the place of its inputs.
struct Replacement {
  std::vector<SegmentId> inputs;
  /// Deletes of each input that the output has already, and where its rows went.
  std::vector<size_t> deletes_seen;
  std::vector<std::vector<uint32_t>> row_maps;
  SealedPtr output;  ///< nullptr: every row was dropped for good
};

class Shard {
 public:
  Shard(ShardId id, service::CollectionPtr collection, ShardFiles files);

  ShardId id() const { return id_; }
  ShardFiles& files() { return files_; }
  BuildProgress& build_progress() { return build_progress_; }

  // Recovery, before the shard is shared:
  void Adopt(CommittedManifest committed, std::vector<SealedPtr> sealed);
  /// Parks the shard: every later call answers this error.
  void Park(Status fault);
  /// Parks it for good: its collection is gone.
  void Drop();
  Status fault() const EXCLUDES(info_mutex_);
  bool dropped() const EXCLUDES(info_mutex_);

  // The apply thread:
  void Apply(format::LogRecord& record, uint64_t seq) EXCLUDES(state_mutex_);

  // The catalog:
  service::CollectionPtr collection() const EXCLUDES(info_mutex_);
  /// True when a load begins: a partition that was there is now to be in memory.
  bool SetCollection(service::CollectionPtr collection) EXCLUDES(info_mutex_, state_mutex_);

  // Loads: one ends when all that was there has been brought in; one that fails goes on.
  uint64_t loads_begun() const EXCLUDES(info_mutex_);
  /// How an attempt came out that started when so many had begun.
  void EndLoads(uint64_t begun, Status outcome) EXCLUDES(info_mutex_);

  // Readers:
  std::vector<segment::SegmentPtr> View() const EXCLUDES(state_mutex_);

  // Maintenance:
  /// Growing segments stop taking rows; the frozen ones are served until Replace.
  Frozen Freeze() EXCLUDES(state_mutex_);
  /// Growing ones that an earlier Freeze left behind (a flush that failed) are frozen still and
  /// come again.
  CommittedManifest committed() const EXCLUDES(state_mutex_);
  std::vector<SealedPtr> sealed() const EXCLUDES(state_mutex_);
  std::vector<GrowingPtr> growing() const EXCLUDES(state_mutex_);
  /// False when an input is no longer served (partition dropped, truncated): the output is void.
  bool HasInputs(const std::vector<SegmentId>& inputs) const EXCLUDES(state_mutex_);
  /// Number of deletes each segment has now; of all inputs at one moment.
  std::vector<size_t> DeleteCounts(const std::vector<segment::SegmentPtr>& inputs) const
      EXCLUDES(state_mutex_);
  /// Carries deletes that hit the inputs since `deletes_seen` onto the outputs.
  void Carry(std::vector<Replacement>& replacements) EXCLUDES(state_mutex_);
  /// Carries the last deletes and swaps outputs in together with the manifest that names them.
  void Replace(std::vector<Replacement>& replacements, CommittedManifest committed)
      EXCLUDES(state_mutex_);
  /// Clears the mark of what a committed flush made durable.
  void Flushed(const Frozen& frozen) EXCLUDES(state_mutex_);

  /// The smallest seq that is not in committed files; 0 = everything is.
  uint64_t first_unflushed_seq() const EXCLUDES(state_mutex_);
  uint64_t unflushed_bytes() const EXCLUDES(state_mutex_);
  /// Bytes of all rows taken since the process began; only grows.
  uint64_t bytes_taken() const EXCLUDES(state_mutex_);
  service::ShardStats Stats() const EXCLUDES(info_mutex_, state_mutex_);

 private:
  service::SegmentStats SealedStats(const model::CollectionInfo& collection,
                                    const segment::SealedSegment& segment,
                                    const format::SegmentRef& ref) const;
  void ApplyWrite(format::LogRecord& record) REQUIRES(state_mutex_);
  void ApplyDeletes(const format::LogRecord& record) REQUIRES(state_mutex_);
  void CarryLocked(std::vector<Replacement>& replacements) REQUIRES(state_mutex_);
  bool HasInputsLocked(const std::vector<SegmentId>& inputs) const REQUIRES(state_mutex_);
  segment::SegmentPtr FindLocked(SegmentId id) const REQUIRES(state_mutex_);
  void RemoveRows(std::optional<PartitionId> partition) REQUIRES(state_mutex_);
  SegmentId NextSegmentId(model::Timestamp ts) REQUIRES(state_mutex_);

  const ShardId id_;
  ShardFiles files_;
  BuildProgress build_progress_;

  mutable Mutex info_mutex_;
  service::CollectionPtr collection_ GUARDED_BY(info_mutex_);
  Status fault_ GUARDED_BY(info_mutex_);
  bool dropped_ GUARDED_BY(info_mutex_) = false;
  uint64_t loads_begun_ GUARDED_BY(info_mutex_) = 0;
  uint64_t loads_ended_ GUARDED_BY(info_mutex_) = 0;
  Status load_fault_ GUARDED_BY(info_mutex_);

  mutable Mutex state_mutex_;
  model::CollectionSchema schema_ GUARDED_BY(state_mutex_);  // of new growing segments
  std::map<PartitionId, GrowingPtr> growing_ GUARDED_BY(state_mutex_);
  std::vector<GrowingPtr> frozen_ GUARDED_BY(state_mutex_);
  /// Partitions whose last frozen segment was searched while it grew.
  std::set<PartitionId> searched_ GUARDED_BY(state_mutex_);
  std::vector<SealedPtr> sealed_ GUARDED_BY(state_mutex_);
  CommittedManifest committed_ GUARDED_BY(state_mutex_);
  uint64_t applied_seq_ GUARDED_BY(state_mutex_) = 0;
  model::Timestamp applied_timestamp_ GUARDED_BY(state_mutex_) = 0;
  uint64_t first_unflushed_seq_ GUARDED_BY(state_mutex_) = 0;  // since the last freeze
  uint64_t first_freezing_seq_ GUARDED_BY(state_mutex_) = 0;   // frozen, not committed yet
  uint64_t bytes_taken_ GUARDED_BY(state_mutex_) = 0;
  bool dirty_deletes_ GUARDED_BY(state_mutex_) = false;
};

}  // namespace elanus::worker
