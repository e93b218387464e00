// Deletes that hit the rows of one segment, in order of time, and the hidden bitset they make at a
// timestamp. Holds: a row occurs once, with its oldest delete; timestamps ascend. The bitset of the
// latest read is kept and extended, so a read between deletes costs no more than taking a pointer.
// Threads: one writer (the shard's apply thread), many readers.
#pragma once

#include <memory>
#include <vector>

#include "base/bitset.h"
#include "base/mutex.h"
#include "format/manifest.h"
#include "model/hybrid_time.h"

namespace elanus::segment {

class DeleteLog {
 public:
  /// Adds a delete. False, and nothing changes, when the row is deleted already.
  bool Add(uint32_t row, model::Timestamp ts) EXCLUDES(mutex_);

  /// Starts from a delete run (any order); called before the segment is shared.
  void Load(std::vector<format::RowDelete> deletes) EXCLUDES(mutex_);

  /// Bits of rows below `rows` that are deleted at T; nullptr when there are none.
  std::shared_ptr<const Bitset> HiddenAt(model::Timestamp t, uint32_t rows) const EXCLUDES(mutex_);

  bool IsDeleted(uint32_t row) const EXCLUDES(mutex_);
  size_t count() const EXCLUDES(mutex_);
  /// Deletes from the n-th on, in order of time: what a merge carries over at its commit.
  std::vector<format::RowDelete> Since(size_t n) const EXCLUDES(mutex_);
  /// Deletes with a timestamp <= t, sorted by row.
  std::vector<format::RowDelete> UpTo(model::Timestamp t) const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::vector<format::RowDelete> deletes_ GUARDED_BY(mutex_);  // ascending timestamp
  Bitset deleted_ GUARDED_BY(mutex_);                          // grown on demand
  mutable size_t cached_count_ GUARDED_BY(mutex_) = 0;
  mutable std::shared_ptr<const Bitset> cached_ GUARDED_BY(mutex_);
};

}  // namespace elanus::segment
