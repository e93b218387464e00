// A segment as a reader sees it.
// Holds: rows [0, RowCount()) never move or change; a reader asks RowsAt(T) once and looks at no
// row beyond. Threads: any number of readers beside the one writer of a growing segment.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/bitset.h"
#include "base/ids.h"
#include "index/vector/growing_graph.h"
#include "index/vector/vector_index.h"
#include "model/hybrid_time.h"
#include "model/primary_key.h"
#include "segment/column_view.h"
#include "segment/delete_log.h"

namespace elanus::segment {

/// Rows [first, first + rows) of a segment, contiguous in memory column by column.
struct Run {
  uint32_t first = 0;
  std::shared_ptr<const RowSource> source;
};

class Segment {
 public:
  virtual ~Segment() = default;

  SegmentId id() const { return id_; }
  PartitionId partition() const { return partition_; }
  virtual bool sealed() const = 0;

  /// Rows to look at for a read at T: none beyond has an insert timestamp <= T.
  virtual uint32_t RowsAt(model::Timestamp t) const = 0;
  /// The rows below `rows`, in order, in as few pieces as they lie in memory.
  virtual std::vector<Run> Runs(uint32_t rows) const = 0;
  /// Bit r = 1: row r is deleted at T or inserted after it. nullptr = none of them hidden.
  virtual std::shared_ptr<const Bitset> HiddenAt(model::Timestamp t, uint32_t rows) const = 0;

  /// Bit r = 1: row r was inserted at T or before. nullptr = none was, which costs no look at rows.
  virtual std::shared_ptr<Bitset> InsertedBy(model::Timestamp t, uint32_t rows) const = 0;

  /// The deletes that hit its rows.
  virtual const DeleteLog& deletes() const = 0;

  virtual model::PrimaryKey KeyAt(uint32_t row) const = 0;
  virtual model::Timestamp TimestampAt(uint32_t row) const = 0;
  /// Insert timestamp order is not needed: rows with this key, in any order, below `rows`.
  virtual std::vector<uint32_t> FindKey(const model::PrimaryKey& key, uint32_t rows) const = 0;
  /// True when rows ascend by key; then the first row with a key >= (or > when `strictly`) the
  /// given one.
  virtual bool OrderedByKey() const { return false; }
  virtual uint32_t LowerBound(const model::PrimaryKey&, bool /*strictly*/) const { return 0; }

  /// The index of a vector field, or nullptr: then a search is brute force over the runs.
  virtual std::shared_ptr<const index::VectorIndex> IndexOn(FieldId) const { return nullptr; }
  /// A graph over the first rows of a growing segment, or nullptr.
  virtual std::shared_ptr<const index::GrowingGraph> GraphOn(FieldId) const { return nullptr; }

  /// A search by a vector has looked at it.
  void NoteSearch() const {
    if (!searched_.load(std::memory_order_relaxed))
      searched_.store(true, std::memory_order_relaxed);
  }
  bool searched() const { return searched_.load(std::memory_order_relaxed); }
  /// A search has read so many rows that an index would have spared it work.
  void NoteScan() const { scanned_.store(true, std::memory_order_relaxed); }
  bool scanned() const { return scanned_.load(std::memory_order_relaxed); }
  /// The same, and forgets it.
  bool TakeScanned() const { return scanned_.exchange(false, std::memory_order_relaxed); }

 protected:
  Segment(SegmentId id, PartitionId partition) : id_(id), partition_(partition) {}

 private:
  const SegmentId id_;
  const PartitionId partition_;
  mutable std::atomic<bool> scanned_{false};
  mutable std::atomic<bool> searched_{false};
};

using SegmentPtr = std::shared_ptr<const Segment>;

}  // namespace elanus::segment
