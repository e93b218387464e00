#include "index/vector/growing_graph.h"

#include <algorithm>
#include <cmath>

#include "base/thread.h"
#include "index/vector/hnsw_build.h"

namespace elanus::index {
namespace {

constexpr size_t kM = 16;
constexpr size_t kEfConstruction = 100;
constexpr uint64_t kSeed = 1;
constexpr uint64_t kReservedBytes = uint64_t{1} << 30;  // of address space
constexpr uint32_t kRowsMost = 1 << 20;
// Widths of a search that names none. On 40,000 word vectors recall@10 is .96; other data is
// easier. A hop costs so little beside the rows that are still scanned that more precision here
// would gain nothing.
constexpr size_t kWidth = 160;
constexpr double kWidthPart = 1.6;  // of top_k
// What is read in the time of some searches of a graph. So few rows teach the codec little.
constexpr size_t kBytesMin = 1'600'000;
constexpr size_t kRowsMinLeast = 512, kRowsMinMost = 4096;
// Below this share of visible rows they are read one by one.
constexpr double kVisibleMin = 0.1;

size_t RowBytes(const Sq8& codec) {
  return codec.stride() + HnswDegree(kM) * (sizeof(uint32_t) + sizeof(int32_t)) + sizeof(ListState);
}

uint32_t RoomFor(size_t row_bytes) {
  return static_cast<uint32_t>(std::min<uint64_t>(kReservedBytes / row_bytes, kRowsMost));
}

GraphLevels LevelsOf(uint32_t rows) {
  std::vector<uint8_t> tops = GraphLevels(rows, kM, kSeed).top;
  // Row 0 is there from the start: it stands on every level and is the entry.
  tops[0] = *std::ranges::max_element(tops);
  return GraphLevels(std::move(tops));
}

/// The links of a graph that may be longer than a search looks at.
class LinksBelow {
 public:
  LinksBelow(const GrowingLinks& links, uint32_t limit) : links_(links), limit_(limit) {}
  size_t degree() const { return links_.degree(); }
  size_t Read(uint32_t row, uint32_t* out) const {
    const size_t count = links_.Read(row, out);
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      out[kept] = out[i];
      kept += static_cast<size_t>(out[i] < limit_);
    }
    return kept;
  }
  void Prefetch(uint32_t row) const { links_.Prefetch(row); }

 private:
  GrowingLinks links_;
  uint32_t limit_;
};

GraphScratch& ThreadScratch() {
  static thread_local GraphScratch scratch;
  return scratch;
}

}  // namespace

GrowingGraph::GrowingGraph(Metric metric, const VectorView& sample)
    : GrowingGraph(Sq8::Train(metric, sample), sample) {}

GrowingGraph::GrowingGraph(Sq8 codec, const VectorView& sample)
    : row_bytes_(RowBytes(codec)),
      rows_sampled_(sample.rows),
      rows_min_(RowsMin(sample.row_bytes())),
      codes_(std::move(codec), RoomFor(row_bytes_)),
      lists_(LevelsOf(RoomFor(row_bytes_)), kM, HnswDegree(kM)),
      inserter_(codes_, lists_, kEfConstruction, 1),
      worker_(inserter_.NewWorker()) {}

uint32_t GrowingGraph::RowsMin(size_t row_bytes) {
  return static_cast<uint32_t>(std::clamp(kBytesMin / row_bytes, kRowsMinLeast, kRowsMinMost));
}

void GrowingGraph::Append(const VectorView& vectors, const std::stop_token& stop) {
  FloatRows row_at(vectors);
  uint32_t row = rows_.load(std::memory_order_relaxed);
  for (size_t i = 0; i < vectors.rows && row < rows_max(); ++i, ++row) {
    if (stop.stop_requested()) return;
    codes_.Write(row, row_at(i));
    lists_.Clear(row);
    if (row != 0) inserter_.Insert(row, row + 1, worker_);
    rows_.store(row + 1, std::memory_order_release);
    OfferCore();
  }
}

Result<std::optional<std::vector<uint32_t>>> GrowingGraph::Search(const float* query,
                                                                  const SearchParams& params,
                                                                  uint32_t limit,
                                                                  const HiddenBits& hidden,
                                                                  const Cancel& cancel) const {
  const size_t visible = hidden.CountVisible(limit);
  const double pass = static_cast<double>(visible) / std::max(limit, 1u);
  if (limit < rows_min_ || pass < kVisibleMin || visible < 4 * params.top_k) return std::nullopt;
  size_t ef = static_cast<size_t>(params.ef);
  if (ef == 0)
    ef = std::max(kWidth, static_cast<size_t>(kWidthPart * static_cast<double>(params.top_k)));
  // Hidden rows take places in the beam: widen it.
  const auto width =
      static_cast<size_t>(static_cast<double>(std::max(ef, params.top_k)) / std::sqrt(pass));

  GraphScratch& s = ThreadScratch();
  s.Reserve(lists_.degree());
  s.query_code.resize(codes_.codec().stride());
  const int32_t bias = codes_.codec().EncodeQuery(query, s.query_code.data());
  const CodeView codes = codes_.view();
  struct FromQuery {
    const CodeView& codes;
    const int8_t* query;
    int32_t bias;
    void operator()(const uint32_t* rows, size_t count, int32_t* out) const {
      codes.Distances(query, bias, rows, count, out);
    }
    void Prefetch(uint32_t row) const { codes.Prefetch(row); }
  };
  const FromQuery distance{codes, s.query_code.data(), bias};
  GraphEntry at{lists_.levels().entry, 0};
  distance(&at.node, 1, &at.distance);
  for (int level = lists_.top(); level > 0; --level)
    at = DescendGreedily(LinksBelow(lists_.Level(level), limit), distance, at, s);
  s.visited.Start(limit);
  StartBeam(width, params.top_k, s);
  s.visited.Insert(at.node);
  s.pool.Insert(at.distance, at.node);
  Status status;
  const auto is_visible = [&](uint32_t row) { return !hidden.Hidden(row); };
  ExpandBeam(
      LinksBelow(lists_.Level(0), limit), distance, s,
      [&] { return (status = cancel.Check()).ok(); }, is_visible);
  if (!status.ok()) return std::unexpected(status);

  std::vector<uint32_t> rows;
  const size_t rerank = std::max(params.top_k + 10, params.top_k * 3 / 2);
  const size_t seen = s.pool.Count(is_visible);
  // The visible rows lie elsewhere: the beam has not seen what it should have.
  if (seen < params.top_k || seen < std::min(ef, visible) / 4) return std::nullopt;
  for (const auto& entry : s.pool.Nearest(rerank, is_visible)) rows.push_back(entry.node);
  return rows;
}

std::optional<IndexFile> GrowingGraph::Reordered(const VectorView& vectors,
                                                 std::span<const uint32_t> new_row) const {
  const uint32_t rows = this->rows();
  size_t kept = 0;
  for (uint32_t row = 0; row < rows; ++row) kept += static_cast<size_t>(new_row[row] != kNoNode);
  // Links to rows that are gone are lost: many of them would tear the graph.
  if (kept == 0 || kept != vectors.rows || kept < rows - rows / 16) return std::nullopt;
  CodeTable codes(codes_.codec(), kept);
  for (uint32_t row = 0; row < rows; ++row) {
    if (new_row[row] != kNoNode) codes.Copy(new_row[row], codes_, row);
  }
  GraphLists lists = lists_.Renumbered(new_row.first(rows), kept);
  const BuildParams params{.kind = Kind::kHnsw,
                           .metric = metric(),
                           .m = static_cast<int>(kM),
                           .ef_construction = static_cast<int>(kEfConstruction),
                           .cells = false,  // it serves until the index is built
                           .seed = kSeed};
  auto file = FinishHnsw(vectors, params, std::move(codes), std::move(lists));
  if (!file.has_value()) return std::nullopt;
  return std::move(*file);
}

void MeasureRows(Metric metric, const void* query, const VectorChunk& chunk,
                 std::span<const uint32_t> rows, TopK& top) {
  const ExactDistance exact(metric, chunk.vectors, chunk.inverse_norms, query);
  std::vector<float> distances(rows.size());
  ThreadSearchCost().exact += rows.size();
  exact.Rows(rows.data(), rows.size(), distances.data());
  for (size_t i = 0; i < rows.size(); ++i)
    top.Push(distances[i], static_cast<uint32_t>(chunk.row_offset) + rows[i]);
}

}  // namespace elanus::index
