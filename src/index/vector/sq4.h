// The 4-bit codec of a graph: half a byte a dimension, scaled for each row by itself, and all that
// a distance takes in the row's own cache lines. A wide beam waits for memory: a row of up to 112
// dimensions is one line here and two as int8.
//   y = x - mean, for COSINE of unit length first;  y is about factor * (2 code - 15)
//   L2:          |y|^2 - 2 q'.y   with q' = q - mean
//   IP, COSINE:  -q.y; q.mean is the same for all rows
// Distances are rounded to whole numbers ("keys"), smaller for nearer rows, of a scale that each
// query chooses. Hits are measured again from raw rows.
// A code row: float32 factor, float32 |y|^2, then a byte for the dimensions j (low half) and h + j
// (high half), h = half of dim, rounded up; zeros up to 64-byte alignment. Threads: immutable.
// Source: scaling each vector by itself: Aguerrebere et al. 2023 (LVQ); the factor that makes the
// product of a row with its own code right: Gao and Long 2024 (RaBitQ).
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/vector/vectors.h"

namespace elanus::index {

class Sq4 {
 public:
  Sq4() = default;
  /// \param far  a length that rows less their mean seldom exceed: it scales the keys
  Sq4(Metric metric, std::vector<float> mean, float far);

  size_t dim() const { return mean_.size(); }
  std::span<const float> mean() const { return mean_; }
  size_t stride() const { return StrideOf(mean_.size()); }
  static size_t StrideOf(size_t dim) { return (kHead + (dim + 1) / 2 + 63) / 64 * 64; }

  /// Writes the code of one raw row to `row` (stride() bytes).
  void EncodeRow(const float* x, uint8_t* row) const;
  /// What a code stands for, without the mean: float[dim].
  void Decode(const uint8_t* row, float* y) const;

  /// A query as the kernel wants it; keeps its memory between queries.
  struct Query {
    std::vector<int8_t> halves;  // of each line: against the low halves, then against the high
    simd::HalfByteScale scale;
  };
  void Prepare(const float* query, Query& q) const;

 private:
  static constexpr size_t kHead = 8;  // bytes before the codes

  Metric metric_ = Metric::kL2;
  std::vector<float> mean_;
  float far_ = 0;
};

/// Codes of all rows. Borrowed memory: the index owns it.
class Sq4View {
 public:
  Sq4View() = default;
  Sq4View(const Sq4& codec, const uint8_t* codes)
      : kernels_(&simd::Active()), codes_(codes), lines_(codec.stride() / 64) {}

  void Prefetch(size_t row) const {
    const uint8_t* line = codes_ + row * lines_ * 64;
    for (size_t i = 0; i < lines_ && i < kPrefetchLines; ++i) __builtin_prefetch(line + 64 * i);
  }
  CodePlaces places() const { return {codes_, lines_ * 64, std::min(lines_, kPrefetchLines)}; }
  /// Nearer rows have smaller keys.
  void Keys(const Sq4::Query& q, const uint32_t* ids, size_t count, int32_t* out) const {
    kernels_->half_byte_keys(q.halves.data(), codes_, lines_, ids, count, q.scale, out);
  }

 private:
  static constexpr size_t kPrefetchLines = 12;  // the hardware follows from there

  const simd::Kernels* kernels_ = nullptr;
  const uint8_t* codes_ = nullptr;
  size_t lines_ = 0;
};

}  // namespace elanus::index
