#include "index/vector/brute_force.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

namespace elanus::index {
namespace {

constexpr size_t kWindow = 1024;       // rows between two looks at the bound
constexpr size_t kCancelEvery = 8192;  // rows between two looks at `cancel`

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
      exact_.Block(first, count, distances_.data());
      Keep(count, [&](uint32_t i) { return static_cast<uint32_t>(first) + i; });
    } else if (waiting_ >= kWindow) {
      Flush();
    }
  }

  void Flush() {
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

Status BruteForce(Metric metric, const float* query, const VectorChunk& chunk,
                  const HiddenBits& hidden, const Cancel& cancel, TopK& top) {
  const ExactDistance exact(metric, chunk.vectors, chunk.inverse_norms, query);
  Scan scan(exact, chunk, hidden, top);
  for (size_t first = 0; first < chunk.vectors.rows; first += kWindow) {
    if (first % kCancelEvery == 0) RETURN_IF_ERROR(cancel.Check());
    scan.Window(first, std::min(kWindow, chunk.vectors.rows - first));
  }
  scan.Flush();
  return Status::Ok();
}

Status BruteForceMany(Metric metric, const float* queries, const VectorChunk& chunk,
                      const HiddenBits& hidden, const Cancel& cancel, std::span<TopK> tops) {
  const size_t dim = chunk.vectors.dim, rows = chunk.vectors.rows;
  // Few rows visible: the tile would measure mostly hidden ones.
  const bool sparse = !hidden.empty() && [&] {
    size_t visible = 0;
    for (size_t row = 0; row < rows; row += 64)
      visible += static_cast<size_t>(std::popcount(~hidden.Word(chunk.row_offset + row)));
    return visible < rows / 4;
  }();
  if (sparse || tops.size() < 3) {
    for (size_t q = 0; q < tops.size(); ++q) {
      RETURN_IF_ERROR(BruteForce(metric, queries + q * dim, chunk, hidden, cancel, tops[q]));
    }
    return Status::Ok();
  }
  const simd::Kernels& kernels = simd::Active();
  std::vector<ExactDistance> exact;
  for (size_t q = 0; q < tops.size(); ++q) {
    exact.emplace_back(metric, chunk.vectors, chunk.inverse_norms, queries + q * dim);
  }
  // Rows of one tile stay in the second-level cache while all queries pass over them.
  const size_t tile_rows = std::clamp<size_t>(128 * 1024 / (dim * sizeof(float)) / 4 * 4, 16, 256);
  constexpr size_t kTileQueries = 12;
  std::vector<float> distances(kTileQueries * tile_rows);
  std::vector<float> norms(tile_rows, 1.0f);
  std::vector<uint32_t> kept(tile_rows);
  size_t work = 0;
  for (size_t first = 0; first < rows; first += tile_rows) {
    const size_t count = std::min(tile_rows, rows - first);
    if (metric == Metric::kCosine && chunk.inverse_norms == nullptr) {
      for (size_t i = 0; i < count; ++i)
        norms[i] = InverseNorm(kernels, chunk.vectors.Row(first + i), dim);
    }
    for (size_t q = 0; q < tops.size(); q += kTileQueries) {
      if ((work += count) > kCancelEvery) {
        RETURN_IF_ERROR(cancel.Check());
        work = 0;
      }
      const size_t nq = std::min(kTileQueries, tops.size() - q);
      auto* tile = metric == Metric::kL2 ? kernels.l2_tile : kernels.ip_tile;
      tile(queries + q * dim, dim, nq, chunk.vectors.Row(first), dim, count, dim, distances.data(),
           tile_rows);
      for (size_t j = 0; j < nq; ++j) {
        float* d = distances.data() + j * tile_rows;
        if (metric != Metric::kL2) {
          for (size_t i = 0; i < count; ++i) {
            d[i] = exact[q + j].FromProduct(d[i], first + i, norms[i]);
          }
        }
        const size_t n = kernels.select_le(d, count, tops[q + j].bound(), kept.data());
        for (size_t i = 0; i < n; ++i) {
          const size_t row = chunk.row_offset + first + kept[i];
          if (!hidden.Hidden(row)) tops[q + j].Push(d[kept[i]], static_cast<uint32_t>(row));
        }
      }
    }
  }
  return Status::Ok();
}

}  // namespace elanus::index
