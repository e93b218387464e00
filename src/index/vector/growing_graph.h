// A graph over rows that still arrive, so that a search of them does not read them all.
// Holds: rows below rows() are linked; what comes later is the caller's to scan. Rows are inserted
// by one thread at a time and never leave; readers are not blocked. Memory is reserved for rows_max
// rows and touched as they come. Threads: Append by one, everything else by any.
#pragma once

#include <atomic>
#include <optional>
#include <stop_token>

#include "base/cancel.h"
#include "index/vector/graph_inserter.h"
#include "index/vector/hidden_bits.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

class GrowingGraph {
 public:
  /// A search of fewer rows of so many bytes is about as fast without a graph, and exact.
  static uint32_t RowsMin(size_t row_bytes);
  /// Rows that teach the codec as much as more of them would.
  static constexpr size_t kSampleEnough = 2048;

  /// \param sample  the first rows: the codec learns from them
  GrowingGraph(Metric metric, const VectorView& sample);

  Metric metric() const { return codes_.codec().metric(); }
  size_t rows_sampled() const { return rows_sampled_; }
  /// Rows that a search finds.
  uint32_t rows() const { return rows_.load(std::memory_order_acquire); }
  /// Rows that there is room for.
  uint32_t rows_max() const { return static_cast<uint32_t>(lists_.rows()); }
  /// Bytes of memory that its rows take.
  uint64_t bytes() const { return uint64_t{rows()} * row_bytes_; }

  /// Links the rows that follow, as far as there is room. Cost: about 100 us a row.
  void Append(const VectorView& vectors, const std::stop_token& stop);

  /// Rows near the query, by code, nearest first: more than top_k, for an exact measure to choose
  /// from.
  /// \param limit   rows at and past it are not looked at; at most rows()
  /// \param hidden  by row
  /// Returns nothing when so few rows are visible that reading those is better.
  /// Errors: those of `cancel`.
  Result<std::optional<std::vector<uint32_t>>> Search(const float* query,
                                                      const SearchParams& params, uint32_t limit,
                                                      const HiddenBits& hidden,
                                                      const Cancel& cancel) const;

  /// An index file over the same rows in another order, some of them gone.
  /// \param vectors  the rows in the new order
  /// \param new_row  of each row below rows(); kNoNode: gone
  /// Returns nothing unless every row of `vectors` is one of these and few are gone.
  std::optional<IndexFile> Reordered(const VectorView& vectors,
                                     std::span<const uint32_t> new_row) const;

 private:
  GrowingGraph(Sq8 codec, const VectorView& sample);

  const size_t row_bytes_;
  const size_t rows_sampled_;
  const uint32_t rows_min_;
  CodeTable codes_;
  // Lists change under readers, as GrowingLinks allows; `const` here means "the same graph".
  mutable GraphLists lists_;
  GraphInserter inserter_;
  GraphInserter::Worker worker_;  // the appending thread's
  std::atomic<uint32_t> rows_{0};
};

/// Exact distances of some rows, into `top`.
/// \param rows  by chunk; `top` gets them by segment
void MeasureRows(Metric metric, const void* query, const VectorChunk& chunk,
                 std::span<const uint32_t> rows, TopK& top);

}  // namespace elanus::index
