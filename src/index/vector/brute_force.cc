#include "index/vector/brute_force.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/thread.h"
#include "index/vector/search_cost.h"

namespace elanus::index {
namespace {

constexpr size_t kWindow = 1024;  // rows between two looks at the bound
// Numbers multiplied between two looks at `cancel`: a few milliseconds, whatever the dimension.
constexpr size_t kCancelEvery = 16 << 20;

// Appends the visible ones among `count` chunk rows from `first` to `ids`; returns how many.
size_t VisibleRows(const VectorChunk& chunk, const HiddenBits& hidden, size_t first, size_t count,
                   uint32_t* ids) {
  size_t n = 0;
  for (size_t row = first; row < first + count; row += 64) {
    uint64_t seen = ~hidden.Word(chunk.row_offset + row);
    if (first + count - row < 64) seen &= (uint64_t{1} << (first + count - row)) - 1;
    for (; seen != 0; seen &= seen - 1)
      ids[n++] = static_cast<uint32_t>(row) + static_cast<uint32_t>(std::countr_zero(seen));
  }
  return n;
}

// Collects visible rows until a window's worth has come together, then measures them.
class Scan {
 public:
  Scan(const ExactDistance& exact, const VectorChunk& chunk, const HiddenBits& hidden, TopK& top)
      : exact_(exact), chunk_(chunk), hidden_(hidden), top_(top) {}

  void Window(size_t first, size_t count) {
    const size_t before = waiting_;
    waiting_ += VisibleRows(chunk_, hidden_, first, count, ids_.data() + waiting_);
    if (waiting_ - before > count / 2) {  // dense: reading on is cheaper than jumping
      waiting_ = before;
      ThreadSearchCost().exact += count;
      exact_.Block(first, count, distances_.data());
      Keep(count, [&](uint32_t i) { return static_cast<uint32_t>(first) + i; });
    } else if (waiting_ >= kWindow) {
      Flush();
    }
  }

  void Flush() {
    ThreadSearchCost().exact += waiting_;
    exact_.Rows(ids_.data(), waiting_, distances_.data());
    Keep(waiting_, [&](uint32_t i) { return ids_[i]; });
    waiting_ = 0;
  }

 private:
  template <class RowOf>
  void Keep(size_t count, RowOf row_of) {
    const size_t kept =
        simd::Active().select_le(distances_.data(), count, top_.bound(), kept_.data());
    for (size_t i = 0; i < kept; ++i) {
      const size_t row = chunk_.row_offset + row_of(kept_[i]);
      if (!hidden_.Hidden(row)) top_.Push(distances_[kept_[i]], static_cast<uint32_t>(row));
    }
  }

  const ExactDistance& exact_;
  const VectorChunk& chunk_;
  const HiddenBits& hidden_;
  TopK& top_;
  size_t waiting_ = 0;
  std::array<uint32_t, 2 * kWindow> ids_;
  std::array<uint32_t, 2 * kWindow> kept_;
  std::array<float, 2 * kWindow> distances_;
};

}  // namespace

// Many queries against one tile of rows after another, so that rows are read from memory once.
class TileScan {
 public:
  TileScan(Metric metric, const void* queries, const VectorChunk& chunk, const HiddenBits& hidden,
           std::span<TopK> tops)
      : metric_(metric), queries_(queries), chunk_(chunk), hidden_(hidden), tops_(tops) {
    const VectorView& v = chunk.vectors;
    // Rows of one tile stay in the second-level cache while all queries pass over them.
    rows_ = std::clamp<size_t>(256 * 1024 / (v.dim * sizeof(float)) / 64 * 64, 64, 256);
    distances_.resize(kQueries * rows_);
    norms_.resize(rows_, 1.0f);
    kept_.resize(rows_);
    // Whole numbers are exact one query at a time; floats are blocked in registers.
    by_tile_ = v.element != simd::Element::kInt8 && v.element != simd::Element::kBit;
    if (by_tile_) packed_.resize(rows_ * v.dim);
    if (by_tile_ && v.element != simd::Element::kFloat32) floats_.resize(rows_ * v.dim);
    for (size_t q = 0; q < tops.size(); ++q)
      exact_.emplace_back(metric, v, chunk.inverse_norms, Query(q));
  }

  Status Run(const Cancel& cancel) {
    const size_t rows = chunk_.vectors.rows;
    size_t work = 0;
    for (size_t first = 0; first < rows; first += rows_) {
      const size_t count = std::min(rows_, rows - first);
      if (by_tile_) Prepare(first, count);
      for (size_t q = 0; q < tops_.size(); q += kQueries) {
        const size_t nq = std::min(kQueries, tops_.size() - q);
        if ((work += nq * count * chunk_.vectors.dim) > kCancelEvery) {
          RETURN_IF_ERROR(cancel.Check());
          OfferCore();  // a build's self-test asks for it
          work = 0;
        }
        Tile(q, nq, first, count);
      }
    }
    return Status::Ok();
  }

 private:
  static constexpr size_t kQueries = 12;

  const void* Query(size_t q) const {
    return static_cast<const uint8_t*>(queries_) + q * chunk_.vectors.query_bytes();
  }

  void Prepare(size_t first, size_t count) {
    const simd::Kernels& kernels = simd::Active();
    const VectorView& v = chunk_.vectors;
    const auto* rows = reinterpret_cast<const float*>(v.Row(first));
    if (!floats_.empty()) {
      ToFloats(kernels, v.element, v.Row(first), count * v.dim, floats_.data());
      rows = floats_.data();
    }
    kernels.pack16(rows, v.dim, count, v.dim, packed_.data());
    if (metric_ != Metric::kCosine || chunk_.inverse_norms != nullptr) return;
    for (size_t i = 0; i < count; ++i) norms_[i] = InverseNorm(kernels, rows + i * v.dim, v.dim);
  }

  void Tile(size_t q, size_t nq, size_t first, size_t count) {
    const simd::Kernels& kernels = simd::Active();
    const size_t dim = chunk_.vectors.dim;
    ThreadSearchCost().exact += nq * count;
    if (by_tile_) {
      auto* tile = metric_ == Metric::kL2 ? kernels.l2_tile : kernels.ip_tile;
      tile(static_cast<const float*>(Query(q)), dim, nq, packed_.data(), PackedBlocks(count), dim,
           distances_.data(), rows_);
    }
    for (size_t j = 0; j < nq; ++j) {
      float* d = distances_.data() + j * rows_;
      if (!by_tile_) {
        exact_[q + j].Block(first, count, d);
      } else if (metric_ != Metric::kL2) {
        exact_[q + j].FromProducts(first, count, norms_.data(), d);
      }
      const size_t n = kernels.select_le(d, count, tops_[q + j].bound(), kept_.data());
      for (size_t i = 0; i < n; ++i) {
        const size_t row = chunk_.row_offset + first + kept_[i];
        if (!hidden_.Hidden(row)) tops_[q + j].Push(d[kept_[i]], static_cast<uint32_t>(row));
      }
    }
  }

  Metric metric_;
  const void* queries_;
  const VectorChunk& chunk_;
  const HiddenBits& hidden_;
  std::span<TopK> tops_;
  std::vector<ExactDistance> exact_;
  size_t rows_;
  bool by_tile_;
  std::vector<float> floats_, packed_, distances_, norms_;
  std::vector<uint32_t> kept_;
};

Status BruteForce(Metric metric, const void* query, const VectorChunk& chunk,
                  const HiddenBits& hidden, const Cancel& cancel, TopK& top) {
  const ExactDistance exact(metric, chunk.vectors, chunk.inverse_norms, query);
  Scan scan(exact, chunk, hidden, top);
  size_t work = kCancelEvery;  // the first look comes before anything: chunks may be short
  for (size_t first = 0; first < chunk.vectors.rows; first += kWindow) {
    if (work >= kCancelEvery) {
      RETURN_IF_ERROR(cancel.Check());
      work = 0;
    }
    work += kWindow * chunk.vectors.dim;
    scan.Window(first, std::min(kWindow, chunk.vectors.rows - first));
  }
  scan.Flush();
  return Status::Ok();
}

Status BruteForceMany(Metric metric, const void* queries, const VectorChunk& chunk,
                      const HiddenBits& hidden, const Cancel& cancel, std::span<TopK> tops) {
  const size_t rows = chunk.vectors.rows;
  // Few rows visible: the tile would measure mostly hidden ones.
  const bool sparse = !hidden.empty() && [&] {
    size_t visible = 0;
    for (size_t row = 0; row < rows; row += 64)
      visible += static_cast<size_t>(std::popcount(~hidden.Word(chunk.row_offset + row)));
    return visible < rows / 4;
  }();
  if (sparse || tops.size() < 3) {
    for (size_t q = 0; q < tops.size(); ++q) {
      const auto* query = static_cast<const uint8_t*>(queries) + q * chunk.vectors.query_bytes();
      RETURN_IF_ERROR(BruteForce(metric, query, chunk, hidden, cancel, tops[q]));
    }
    return Status::Ok();
  }
  return TileScan(metric, queries, chunk, hidden, tops).Run(cancel);
}

}  // namespace elanus::index
