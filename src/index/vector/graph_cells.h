// The rows of a graph once more, in cells around centres: for searches under a filter. Where many
// rows are hidden a walk over links meets mostly those; the nearest cells name the visible rows
// near a query for a bit each. Holds: each row is in one cell, rows ascending in each. Called by
// FinishHnsw, by the reader of its file, and by the graph's search. Threads: immutable; an Order
// belongs to one search.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "index/vector/code_clusters.h"
#include "index/vector/code_scan.h"
#include "index/vector/patience.h"
#include "index/vector/row_lists.h"
#include "index/vector/sq8.h"

namespace elanus::index {

struct BuildParams;
struct BuildControl;
struct SelfSample;

/// How many cells a graph of so many rows has; 0: none, a pass over all codes is as quick.
size_t CellsOf(size_t rows);
/// Bytes they take, and memory their build takes beside that.
uint64_t CellBytes(size_t rows, size_t dim);
uint64_t CellBuildBytes(size_t rows, size_t dim);

/// The cells of rows by their int8 codes. \pre CellsOf(rows) != 0
/// Errors: kCanceled. Cost: about rows * cells * dim / 64 instructions.
Result<CodeClusters> ClusterGraph(const Sq8& codec, const CodeView& codes, size_t rows,
                                  const BuildParams& params, const BuildControl& control);

/// Adds what GraphCells::Read wants to `writer`, which has norms and mean already, and the number
/// of cells to `header`.
Status AddCells(const VectorView& vectors, CodeClusters made, const SelfSample& sample,
                IndexFileWriter& writer, IndexHeader& header);

class GraphCells {
 public:
  GraphCells() = default;
  GraphCells(GraphCells&&) = default;
  GraphCells& operator=(GraphCells&&) = default;
  /// Borrows the sections of `file`; none: empty. Errors: kDataIntegrity.
  static Result<GraphCells> Read(const IndexFileReader& file);

  size_t count() const { return count_; }
  size_t code_bytes() const { return codec_.stride(); }
  std::span<const uint32_t> RowsOf(uint32_t cell) const {
    return lists_.rows.subspan(lists_.starts[cell], lists_.SizeOf(cell));
  }

  void Prefetch(uint32_t cell) const { lists_.PrefetchRows(cell); }

  /// Rows of the nearest cells, hidden ones too, to read for the `rank` nearest of all.
  double RowsNear(double rank) const;

  /// The cells by distance from a query, up to a thousandth of what the farthest are farther.
  struct Order {
    std::vector<uint32_t> cells;
    std::vector<int8_t> query_code;
    std::vector<int32_t> distances;
  };
  /// Cost: what many codes in a row cost, and some ns a cell.
  void Rank(const float* query, Order& order) const;

 private:
  friend Status AddCells(const VectorView&, CodeClusters, const SelfSample&, IndexFileWriter&,
                         IndexHeader&);
  static Result<GraphCells> ReadRows(const IndexFileReader& file);

  size_t count_ = 0;
  Sq8 codec_;
  std::vector<int32_t> terms_;
  CodeView codes_;
  ListRows lists_;
  std::array<uint32_t, 2> reads_{};  // rows read for the nearest 10 and 100
};

/// A source for CodeScan: visible rows of the nearest cells.
class CellRows {
 public:
  /// \param hidden    a bit a row, 1: hidden
  /// \param least     so many rows in any case
  /// \param patience  started, a hop each batch of rows: then until nothing near has changed for
  /// long
  CellRows(const GraphCells& cells, const GraphCells::Order& order, const uint64_t* hidden,
           size_t least, Patience& patience)
      : cells_(cells), order_(order), hidden_(hidden), least_(least), patience_(patience) {}

  bool Next(uint32_t* out, size_t* count);
  void Met(int32_t distance) { patience_.Offer(distance); }

 private:
  static constexpr size_t kBatch = 128;

  const GraphCells& cells_;
  const GraphCells::Order& order_;
  const uint64_t* hidden_;
  size_t least_;
  Patience& patience_;
  std::span<const uint32_t> left_;  // of the cell begun
  size_t begun_ = 0;                // cells
  size_t named_ = 0;                // rows
};

}  // namespace elanus::index
