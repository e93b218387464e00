// Raw float vectors as the segment holds them, and exact distances to them.
// Holds: rows are row-major, `dim` floats each, as the user sent them (not normalised). Borrowed,
// never copied.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "model/metric.h"
#include "simd/dispatch.h"

namespace elanus::index {

// Metrics are model's; inside `index` a number that compares rows is always a distance.
using model::Metric;

struct VectorView {
  const float* data = nullptr;
  size_t rows = 0;
  size_t dim = 0;

  const float* Row(size_t row) const { return data + row * dim; }
};

/// 1 / length, and 0 for a zero vector: its cosine with anything is 0.
inline float InverseNorm(const simd::Kernels& kernels, const float* x, size_t dim) {
  const float square = kernels.ip(x, x, dim);
  return square > 0 ? 1.0f / std::sqrt(square) : 0.0f;
}

/// Exact distances from one query to raw rows.
class ExactDistance {
 public:
  /// \param inverse_norms  float[rows] for kCosine when the caller keeps them; null: computed a row
  /// at a time
  ExactDistance(Metric metric, VectorView vectors, const float* inverse_norms, const float* query)
      : kernels_(simd::Active()),
        metric_(metric),
        vectors_(vectors),
        norms_(inverse_norms),
        query_(query) {
    if (metric == Metric::kCosine) query_inverse_norm_ = InverseNorm(kernels_, query, vectors.dim);
  }

  /// out[i] for the rows ids[0 .. count).
  void Rows(const uint32_t* ids, size_t count, float* out) const {
    const size_t dim = vectors_.dim;
    if (metric_ == Metric::kL2)
      return kernels_.l2_rows(query_, vectors_.data, dim, ids, count, dim, out);
    kernels_.ip_rows(query_, vectors_.data, dim, ids, count, dim, out);
    for (size_t i = 0; i < count; ++i) out[i] = FromProduct(out[i], ids[i]);
  }

  /// out[i] for `count` rows from `first`.
  void Block(size_t first, size_t count, float* out) const {
    const size_t dim = vectors_.dim;
    const float* rows = vectors_.Row(first);
    if (metric_ == Metric::kL2) return kernels_.l2_block(query_, rows, dim, count, dim, out);
    kernels_.ip_block(query_, rows, dim, count, dim, out);
    for (size_t i = 0; i < count; ++i) out[i] = FromProduct(out[i], first + i);
  }

  /// The distance that belongs to an inner product with `row`, whose inverse norm is `norm` when
  /// the index keeps none.
  float FromProduct(float product, size_t row, float norm) const {
    if (metric_ == Metric::kIp) return 0.0f - product;
    return 0.0f - product * query_inverse_norm_ * (norms_ != nullptr ? norms_[row] : norm);
  }
  float FromProduct(float product, size_t row) const {
    const bool needed = metric_ == Metric::kCosine && norms_ == nullptr;
    return FromProduct(product, row,
                       needed ? InverseNorm(kernels_, vectors_.Row(row), vectors_.dim) : 0.0f);
  }

 private:
  const simd::Kernels& kernels_;
  Metric metric_;
  VectorView vectors_;
  const float* norms_;
  const float* query_;
  float query_inverse_norm_ = 1.0f;
};

}  // namespace elanus::index
