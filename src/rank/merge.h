// Merges what several shards or segments answered, by reference: the result names rows of the
// sources, keys and fields are then gathered once, for the winners only.
// Holds: pure functions, results depend on the sources' contents and order alone. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/hybrid_time.h"
#include "model/metric.h"
#include "model/primary_key.h"
#include "model/row_batch.h"

namespace elanus::rank {

/// A row of one of the sources: of its keys, scores, and row batch alike.
struct SourceRow {
  uint32_t source = 0;
  uint32_t row = 0;
  friend bool operator==(const SourceRow&, const SourceRow&) = default;
};

/// The part of a merged list that is wanted. A negative limit means all.
struct Slice {
  int64_t offset = 0;
  int64_t limit = -1;
};

/// Rows [first, last) of `size` that a slice keeps; an offset beyond the end keeps none.
struct Bounds {
  size_t first = 0;
  size_t last = 0;
};
Bounds BoundsOf(Slice slice, size_t size);

/// One source's answer to nq queries: its lists one after another.
struct ScoredLists {
  std::span<const int64_t> counts;  ///< nq: length of each list
  const model::PrimaryKeys* keys = nullptr;
  std::span<const float> scores;
  /// When not empty: which element of the key's list each hit is; hits of one key then differ by
  /// it.
  std::span<const int64_t> elements;
};

struct MergedLists {
  std::vector<int64_t> counts;  ///< nq
  std::vector<SourceRow> rows;
};

/// Merges the lists of each query: nearest first, equal scores by ascending key; of a key's hits
/// the nearest stays. The sources' lists may be in any order; counts must agree with keys and
/// scores, and all sources have the same nq and kind of key.
/// Cost: n log n of the hits a query; one allocation of scratch in all.
MergedLists MergeScored(std::span<const ScoredLists> sources, model::Metric metric, Slice slice);

/// One source's rows in ascending key order.
struct KeyedRows {
  const model::PrimaryKeys* keys = nullptr;
  std::span<const model::Timestamp> timestamps;
};

/// Merges rows by ascending key; of equal keys the newest stays, of equally new ones the first
/// source's. Cost: n log s.
std::vector<SourceRow> MergeByKey(std::span<const KeyedRows> sources, Slice slice);

/// The keys of the rows, in their order.
model::PrimaryKeys TakeKeys(std::span<const model::PrimaryKeys* const> sources,
                            std::span<const SourceRow> rows);

/// The values of the rows, in their order. All batches have the same columns in the same order;
/// without sources the result is empty.
model::RowBatch TakeRows(std::span<const model::RowBatch* const> sources,
                         std::span<const SourceRow> rows);

}  // namespace elanus::rank
