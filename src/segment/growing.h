// A segment that takes rows: columns in memory, append-only.
// Holds: rows are written into place, then published by one release store of the row count; nothing
// published moves. Insert timestamps ascend, so a read at T sees a prefix. Deletes go to the
// DeleteLog. Threads: one writer (the shard's apply thread), any number of readers, never blocked.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "model/row_batch.h"
#include "model/schema.h"
#include "segment/delete_log.h"
#include "segment/key_map.h"
#include "segment/segment.h"

namespace elanus::segment {

class GrowingSegment final : public Segment {
 public:
  GrowingSegment(SegmentId id, PartitionId partition, const model::CollectionSchema& schema);
  ~GrowingSegment() override;

  // The writer:
  /// Appends rows that carry every field of the schema. \pre ts >= that of the last append
  void Append(const model::RowBatch& rows, model::Timestamp ts);
  /// Deletes every row of the key inserted before `ts`; returns how many it hit.
  size_t Delete(const model::PrimaryKey& key, model::Timestamp ts);

  /// Bytes of its rows in memory; approximate, for flush and back-pressure.
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  uint64_t graph_bytes() const EXCLUDES(graphs_mutex_);
  /// Those before it were searched while they grew: its rows are wanted in a graph without waiting
  /// for a search to read many of them. Before it is shared.
  void ExpectSearches() { expects_searches_ = true; }
  /// The rows there are now are about to be linked, if that is worth it.
  void OfferRows() { rows_offered_ = RowCount(); }
  /// Rows that a graph lacks and has room for; where there is no graph and one is wanted, since
  /// searches are expected or the rows come slowly, those that came since OfferRows.
  uint64_t RowsOutsideGraphs() const EXCLUDES(graphs_mutex_);
  uint32_t RowCount() const { return published_.load(std::memory_order_acquire); }
  model::Timestamp first_timestamp() const { return first_timestamp_; }
  model::Timestamp last_timestamp() const { return last_timestamp_; }

  bool sealed() const override { return false; }
  const DeleteLog& deletes() const override { return deletes_; }
  uint32_t RowsAt(model::Timestamp t) const override;
  std::vector<Run> Runs(uint32_t rows) const override;
  std::shared_ptr<const Bitset> HiddenAt(model::Timestamp t, uint32_t rows) const override {
    return deletes_.HiddenAt(t, rows);
  }
  std::shared_ptr<Bitset> InsertedBy(model::Timestamp t, uint32_t rows) const override;
  model::PrimaryKey KeyAt(uint32_t row) const override;
  model::Timestamp TimestampAt(uint32_t row) const override;
  std::vector<uint32_t> FindKey(const model::PrimaryKey& key, uint32_t rows) const override;
  std::shared_ptr<const index::GrowingGraph> GraphOn(FieldId field) const override;

  /// Links the rows that are published now into the graph of a dense vector field, as far as it has
  /// room; makes the graph once there are rows enough, and anew when there are enough to teach its
  /// codec well. Any thread; one at a time works, the others wait. Cost: about 100 us a row.
  void GrowGraph(FieldId field, model::Metric metric, const std::stop_token& stop)
      EXCLUDES(graphs_mutex_);

 private:
  struct FieldLayout {
    FieldId id;
    model::DataType type;
    int64_t dim;
    bool nullable;
  };
  class Chunk;
  class ChunkRun;

  /// Of the first `rows` the last ones came so slowly, as a stream does and a bulk load does not,
  /// that to link them on arrival takes a small part of a core.
  bool CameSlowly(uint32_t rows) const;

  Chunk& ChunkOf(uint32_t row) const;
  const Chunk& WriterChunkOf(uint32_t row) const;  // the writer's, without the lock
  Chunk& Tail();

  std::vector<FieldLayout> layout_;
  size_t key_column_ = 0;
  // Chunks are added by the writer and never removed; a reader takes the list under the lock.
  mutable Mutex chunks_mutex_;
  std::vector<std::shared_ptr<Chunk>> chunks_ GUARDED_BY(chunks_mutex_);
  std::vector<Chunk*> writer_chunks_;  // the same, for the writer without a lock
  std::atomic<uint32_t> published_{0};
  std::atomic<uint64_t> bytes_{0};
  bool expects_searches_ = false;
  std::atomic<uint32_t> rows_offered_{0};
  model::Timestamp first_timestamp_ = 0;  // writer's
  model::Timestamp last_timestamp_ = 0;
  KeyMap keys_;
  DeleteLog deletes_;

  Mutex grow_mutex_;  // held by the thread that appends to a graph
  mutable Mutex graphs_mutex_;
  std::map<FieldId, std::shared_ptr<index::GrowingGraph>> graphs_ GUARDED_BY(graphs_mutex_);
};

}  // namespace elanus::segment
