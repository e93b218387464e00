#include "index/vector/graph_cells.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "index/vector/code_clusters.h"
#include "index/vector/flat_index.h"
#include "index/vector/graph_codes.h"
#include "index/vector/self_test.h"
#include "index/vector/vector_index.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsMin = 8192;
constexpr size_t kCellsMax = 2048;
constexpr double kFound = 0.96;  // of the nearest rows, in the cells to be read
constexpr int kBucketBits = 10;
static_assert(kCellsMax <= 0xFFFF);  // places count in 16 bits

// Of the centres: that of the graph's int8 codes.
Result<Sq8> CodecOf(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  ASSIGN_OR_RETURN(const auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  return Sq8(h.metric, h.dim, h.scale, {mean.begin(), mean.end()});
}

// Row by row of a sample: how many rows stand in its nearest cells up to that of its nth neighbour.
// \return which of these numbers holds for kFound of all neighbours up to the `top_k`-th
uint32_t RowsRead(const GraphCells& cells, const std::vector<uint32_t>& cell_of,
                  const VectorView& vectors, const SelfSample& sample, size_t top_k) {
  std::vector<uint32_t> reads;
  std::vector<uint32_t> read_to(cells.count());
  GraphCells::Order order;
  FloatRows row_at(vectors);
  for (size_t i = 0; i < sample.rows.size(); ++i) {
    cells.Rank(row_at(sample.rows[i]), order);
    size_t read = 0;
    for (const uint32_t cell : order.cells) {
      read += cells.RowsOf(cell).size();
      read_to[cell] = static_cast<uint32_t>(read);
    }
    const auto& truth = sample.truth[i];
    for (size_t nth = 0; nth < std::min(top_k, truth.size()); ++nth)
      reads.push_back(read_to[cell_of[truth[nth].row]]);
  }
  if (reads.empty()) return static_cast<uint32_t>(vectors.rows);
  const auto at =
      reads.begin() + static_cast<ptrdiff_t>(kFound * static_cast<double>(reads.size() - 1));
  std::nth_element(reads.begin(), at, reads.end());
  return *at;
}

}  // namespace

size_t CellsOf(size_t rows) {
  if (rows < kRowsMin) return 0;
  return std::min(kCellsMax, static_cast<size_t>(2 * std::sqrt(static_cast<double>(rows))));
}

uint64_t CellBytes(size_t rows, size_t dim) {
  const uint64_t cells = CellsOf(rows);
  if (cells == 0) return 0;
  return rows * sizeof(uint32_t) + cells * (GraphCodeBytes(Metric::kIp, dim, 8) + sizeof(uint32_t));
}

uint64_t CellBuildBytes(size_t rows, size_t dim) {
  const uint64_t cells = CellsOf(rows);
  if (cells == 0) return 0;
  return ClusterCodesBytes(rows, {.clusters = cells}, dim) + rows * 2 * sizeof(uint32_t);
}

Result<CodeClusters> ClusterGraph(const Sq8& codec, const CodeView& codes, size_t rows,
                                  const BuildParams& params, const BuildControl& control) {
  return ClusterCodes(codec, codes, rows,
                      {.clusters = CellsOf(rows), .seed = params.seed, .threads = params.threads},
                      control.stop);
}

Status AddCells(const VectorView& vectors, CodeClusters made, const SelfSample& sample,
                IndexFileWriter& writer, IndexHeader& header) {
  const size_t count = CellsOf(vectors.rows);
  const std::vector<uint32_t>& cell_of = made.nearest;
  MadeLists lists;
  ArrangeRows(cell_of, 1, count, lists);
  header.nlist = static_cast<uint32_t>(count);
  writer.Add(SectionId::kCellCodes, std::move(made.centres));
  writer.Add(SectionId::kListStarts, std::span<const uint32_t>(lists.starts));
  writer.Add(SectionId::kListRows, std::span<const uint32_t>(lists.rows));

  const IndexFileReader file = writer.Peek(header);
  ASSIGN_OR_RETURN(const GraphCells cells, GraphCells::ReadRows(file));
  const std::array<uint32_t, 2> reads = {RowsRead(cells, cell_of, vectors, sample, 10),
                                         RowsRead(cells, cell_of, vectors, sample, 100)};
  writer.Add(SectionId::kCellReads, std::span<const uint32_t>(reads));
  return Status::Ok();
}

Result<GraphCells> GraphCells::ReadRows(const IndexFileReader& file) {
  GraphCells cells;
  const IndexHeader& h = file.header();
  if (h.nlist > kCellsMax) return Error(Code::kDataIntegrity, "index file: too many cells");
  cells.count_ = h.nlist;
  ASSIGN_OR_RETURN(cells.codec_, CodecOf(file));
  const size_t stride = cells.codec_.stride();
  ASSIGN_OR_RETURN(
      const auto codes,
      file.Values<uint8_t>(SectionId::kCellCodes, uint64_t{h.nlist} * stride, "cell codes"));
  const int32_t* terms = nullptr;
  if (h.metric == Metric::kL2 && !cells.codec_.term_in_row()) {
    for (size_t cell = 0; cell < h.nlist; ++cell)
      cells.terms_.push_back(cells.codec_.Square(codes.data() + cell * stride));
    terms = cells.terms_.data();
  }
  cells.codes_ = CodeView(cells.codec_, codes.data(), terms);
  ASSIGN_OR_RETURN(cells.lists_, ListRows::Read(file, 1));
  return cells;
}

Result<GraphCells> GraphCells::Read(const IndexFileReader& file) {
  if (file.header().nlist == 0) return GraphCells();
  ASSIGN_OR_RETURN(GraphCells cells, ReadRows(file));
  ASSIGN_OR_RETURN(const auto reads, file.Values<uint32_t>(SectionId::kCellReads, 2, "cell reads"));
  std::copy_n(reads.begin(), 2, cells.reads_.begin());
  return cells;
}

double GraphCells::RowsNear(double rank) const {
  const double ten = std::max(10.0, static_cast<double>(reads_[0]));
  const double hundred = std::max(ten, static_cast<double>(reads_[1]));
  // Between and beyond the two measured a power of the rank; far beyond, still some more than rank.
  return std::max(2 * rank, ten * std::pow(std::max(1.0, rank / 10), std::log10(hundred / ten)));
}

void GraphCells::Rank(const float* query, Order& order) const {
  order.query_code.resize(codec_.stride());
  order.distances.resize(count_);
  order.cells.resize(count_);
  const int32_t bias = codec_.EncodeQuery(query, order.query_code.data());
  codes_.BlockDistances(order.query_code.data(), bias, 0, count_, order.distances.data());
  // Counted into buckets: a sort by comparisons takes longer than all the distances.
  const auto [near, far] = std::ranges::minmax(order.distances);
  const uint64_t span = static_cast<uint64_t>(int64_t{far} - near) + 1;
  const auto shift = std::max<int>(0, std::bit_width(span) - kBucketBits);
  const auto bucket = [&](size_t cell) {
    return static_cast<size_t>((int64_t{order.distances[cell]} - near) >> shift);
  };
  std::array<uint16_t, (1 << kBucketBits) + 1> ends{};
  for (size_t cell = 0; cell < count_; ++cell) ++ends[bucket(cell) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  for (uint32_t cell = 0; cell < count_; ++cell) order.cells[ends[bucket(cell)]++] = cell;
}

bool CellRows::Next(uint32_t* out, size_t* count) {
  const size_t cells = order_.cells.size();
  if ((begun_ == cells && left_.empty()) || (named_ >= least_ && patience_.Ended())) return false;
  size_t n = 0;
  while (n < kBatch) {
    if (left_.empty()) {
      if (begun_ == cells) break;
      left_ = cells_.RowsOf(order_.cells[begun_++]);
      if (begun_ + 1 < cells) cells_.Prefetch(order_.cells[begun_ + 1]);
    }
    const auto part = left_.first(std::min(left_.size(), CodeScan::kWindow - n));
    n += simd::Active().unmarked(part.data(), part.size(), hidden_, out + n);
    left_ = left_.subspan(part.size());
  }
  named_ += n;
  patience_.EndHop();
  *count = n;
  return true;
}

}  // namespace elanus::index
