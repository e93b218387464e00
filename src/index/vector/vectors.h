// Raw vectors as the segment holds them, and exact distances to them.
// Holds: rows lie one after another without gaps, as the user sent them (not normalised). Borrowed,
// never copied.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/data_type.h"
#include "model/metric.h"
#include "simd/dispatch.h"

namespace elanus::index {

// Metrics are model's; inside `index` a number that compares rows is always a distance.
using model::Metric;

/// Rows of one element type. Numbers are compared with float queries (kInt8: whole numbers in
/// [-128, 127]), bits with bits.
struct VectorView {
  const void* data = nullptr;
  size_t rows = 0;
  size_t dim = 0;
  simd::Element element = simd::Element::kFloat32;

  size_t row_bytes() const { return BytesOf(element, dim); }
  const uint8_t* Row(size_t row) const {
    return static_cast<const uint8_t*>(data) + row * row_bytes();
  }
  /// Between two queries of an array of them.
  size_t query_bytes() const {
    return element == simd::Element::kBit ? row_bytes() : dim * sizeof(float);
  }

  static size_t BytesOf(simd::Element element, size_t dim) {
    switch (element) {
      case simd::Element::kFloat32: return dim * 4;
      case simd::Element::kFloat16:
      case simd::Element::kBfloat16: return dim * 2;
      case simd::Element::kInt8: return dim;
      case simd::Element::kBit: return dim / 8;
    }
    return 0;
  }
};

/// Codes of rows, for a pass that asks for those of later rows while it measures earlier ones.
struct CodePlaces {
  const uint8_t* base;
  size_t stride;
  size_t lines;  // of 64 bytes, to ask for: of long rows the first ones
};

/// Of the dense and binary vector types; kFloat32 for any other.
simd::Element ElementOf(model::DataType type);

/// Writes `count` numbers of one row (not bits) as floats; exact.
void ToFloats(const simd::Kernels& kernels, simd::Element element, const void* row, size_t count,
              float* out);

/// Rows (not of bits) as floats, one at a time. Owned by one thread.
class FloatRows {
 public:
  explicit FloatRows(const VectorView& vectors) : vectors_(vectors) {
    if (vectors.element != simd::Element::kFloat32) row_.resize(vectors.dim);
  }
  /// Valid until the next call.
  const float* operator()(size_t row) {
    if (vectors_.element == simd::Element::kFloat32)
      return reinterpret_cast<const float*>(vectors_.Row(row));
    ToFloats(simd::Active(), vectors_.element, vectors_.Row(row), vectors_.dim, row_.data());
    return row_.data();
  }

 private:
  VectorView vectors_;
  std::vector<float> row_;
};

/// Rows side by side in a block of the many-to-many kernels (pack16 of simd/kernels.h).
inline constexpr size_t kPackedRows = 16;
inline size_t PackedBlocks(size_t rows) { return (rows + kPackedRows - 1) / kPackedRows; }
/// float[rows][dim], one after another, as those kernels read them.
std::vector<float> PackRows(const float* rows, size_t count, size_t dim);

/// 1 / length, and 0 for a zero vector: its cosine with anything is 0.
inline float InverseNorm(const simd::Kernels& kernels, const float* x, size_t dim) {
  const float square = kernels.ip(x, x, dim);
  return square > 0 ? 1.0f / std::sqrt(square) : 0.0f;
}

/// Exact distances from one query to raw rows.
class ExactDistance {
 public:
  /// \param inverse_norms  float[rows] for kCosine when the caller keeps them; null: computed a row
  ///                       at a time
  /// \param query          float[dim], or the bits when the rows are bits; outlives this object
  ExactDistance(Metric metric, VectorView vectors, const float* inverse_norms, const void* query);

  /// out[i] for the rows ids[0 .. count).
  void Rows(const uint32_t* ids, size_t count, float* out) const {
    measure_->rows(query_, vectors_.data, row_bytes_, ids, count, vectors_.dim, out);
    if (!similarity_) return;
    for (size_t i = 0; i < count; ++i) out[i] = FromProduct(out[i], ids[i]);
  }

  /// out[i] for `count` rows from `first`.
  void Block(size_t first, size_t count, float* out) const {
    measure_->block(query_, vectors_.Row(first), row_bytes_, count, vectors_.dim, out);
    if (!similarity_) return;
    for (size_t i = 0; i < count; ++i) out[i] = FromProduct(out[i], first + i);
  }

  /// Inner products with `count` rows from `first` become distances. norms: the rows' inverse norms
  /// for when the index keeps none.
  void FromProducts(size_t first, size_t count, const float* norms, float* values) const {
    if (metric_ == Metric::kIp) {
      for (size_t i = 0; i < count; ++i) values[i] = 0.0f - values[i];
      return;
    }
    if (norms_ != nullptr) norms = norms_ + first;
    const float norm = query_inverse_norm_;
    for (size_t i = 0; i < count; ++i) values[i] = 0.0f - values[i] * norm * norms[i];
  }

 private:
  float FromProduct(float product, size_t row) const {
    if (metric_ == Metric::kIp) return 0.0f - product;
    const float norm = norms_ != nullptr ? norms_[row] : RowInverseNorm(row);
    return 0.0f - product * query_inverse_norm_ * norm;
  }
  float RowInverseNorm(size_t row) const;

  Metric metric_;
  VectorView vectors_;
  size_t row_bytes_;
  const simd::RowKernels* measure_;
  bool similarity_;  // IP or COSINE: kernels give products
  const float* norms_;
  const void* query_;
  float query_inverse_norm_ = 1.0f;
  std::vector<int8_t> bytes_;  // the query, when rows are int8
};

}  // namespace elanus::index
