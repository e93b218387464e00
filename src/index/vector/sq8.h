// The int8 codec: x is kept as round((x - mean) / scale), one scale for all dimensions, clipped at
// the 99.95 % quantile unless the largest value is little more. Distances between codes are
// integers that order rows as the metric does, up to rounding; hits are re-ranked from the raw
// vectors.
//   L2:          |x|^2 - 2 q.x in code units, both centred         (per-row term: |x|^2)
//   IP, COSINE:  -q.x; a query is not centred, since q.mean is the same for all rows; for COSINE
//   rows are first
//                brought to unit length
// A code row: dim bytes (code + 128), zeros up to 64-byte alignment; where at least 4 bytes are
// free the last 4 hold the row's term, otherwise terms lie in an array of their own. So one row
// touches no line more than it must. Threads: immutable after training.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/vector/buffer.h"
#include "index/vector/vectors.h"

namespace elanus::index {

class Sq8 {
 public:
  Sq8() = default;
  Sq8(Metric metric, size_t dim, float scale, std::vector<float> mean);

  /// Learns mean and scale from at most 65,536 rows spread over `vectors`.
  static Sq8 Train(Metric metric, const VectorView& vectors);

  Metric metric() const { return metric_; }
  size_t dim() const { return dim_; }
  float scale() const { return scale_; }
  std::span<const float> mean() const { return mean_; }

  size_t stride() const { return stride_; }
  bool term_in_row() const { return stride_ - dim_ >= sizeof(int32_t); }
  size_t term_offset() const { return stride_ - sizeof(int32_t); }

  /// Writes the code of one raw row to `row` (stride() bytes) and returns its term (also inside the
  /// row when term_in_row()). The term makes |term(i) + term(j) - weight * dot| a distance between
  /// rows i and j.
  int32_t EncodeRow(const float* x, uint8_t* row) const;

  /// The code of a query: stride() bytes, zeros past dim. Returns what to subtract from a kernel's
  /// dot product.
  int32_t EncodeQuery(const float* query, int8_t* code) const;

  /// A stored row as a query of the kernels: same shape and result as EncodeQuery.
  int32_t RowAsQuery(const uint8_t* row, int8_t* code) const;

  /// The term of a code row under L2: the sum of its squared codes.
  int32_t Square(const uint8_t* row) const {
    int32_t square = 0;
    for (size_t i = 0; i < dim_; ++i) square += (int32_t{row[i]} - 128) * (int32_t{row[i]} - 128);
    return square;
  }

  /// How often the dot product counts in a distance.
  int32_t weight() const { return metric_ == Metric::kL2 ? 2 : 1; }

 private:
  Metric metric_ = Metric::kL2;
  size_t dim_ = 0;
  size_t stride_ = 0;
  float scale_ = 1.0f;
  std::vector<float> mean_;
  std::vector<float> shift_;  // mean / scale
  std::vector<float> zeros_;
};

/// Codes of all rows, and the distances a search asks for. Borrowed memory: the index owns it.
class CodeView {
 public:
  CodeView() = default;
  /// \param codes  rows of codec.stride() bytes
  /// \param terms  int32[rows], or null when terms are in the rows (or the metric needs none)
  CodeView(const Sq8& codec, const uint8_t* codes, const int32_t* terms)
      : kernels_(&simd::Active()),
        codes_(codes),
        stride_(codec.stride()),
        padded_(PaddedDim(codec)) {
    l2_ = codec.metric() == Metric::kL2;
    prefetch_lines_ = std::min(stride_ / 64, kPrefetchLines);
    if (terms != nullptr) {
      terms_ = reinterpret_cast<const uint8_t*>(terms);
      term_stride_ = sizeof(int32_t);
    } else if (codec.term_in_row()) {
      terms_ = codes + codec.term_offset();
      term_stride_ = codec.stride();
    }
  }

  const uint8_t* Row(size_t row) const { return codes_ + row * stride_; }
  size_t stride() const { return stride_; }
  int32_t Term(size_t row) const {
    int32_t term;
    std::memcpy(&term, terms_ + row * term_stride_, sizeof(term));
    return term;
  }

  /// Asks for the lines of a row; of long rows for the first ones, the hardware follows from there.
  void Prefetch(size_t row) const {
    const uint8_t* line = Row(row);
    for (size_t i = 0; i < prefetch_lines_; ++i) __builtin_prefetch(line + 64 * i);
    if (term_stride_ == sizeof(int32_t)) __builtin_prefetch(terms_ + row * term_stride_);
  }

  CodePlaces places() const { return {codes_, stride_, prefetch_lines_}; }

  /// Search distances: |x|^2 - 2 dot for L2, -dot otherwise.
  void Distances(const int8_t* query, int32_t bias, const uint32_t* ids, size_t count,
                 int32_t* out) const {
    kernels_->dot_s8u8_rows(query, codes_, stride_, ids, count, padded_, out);
    if (l2_) {
      for (size_t i = 0; i < count; ++i) out[i] = FromTerm(Term(ids[i]), out[i] - bias);
    } else {
      for (size_t i = 0; i < count; ++i) out[i] = bias - out[i];
    }
  }

  /// The same for `count` rows from `first`.
  void BlockDistances(const int8_t* query, int32_t bias, size_t first, size_t count,
                      int32_t* out) const {
    kernels_->dot_s8u8_block(query, Row(first), stride_, count, padded_, out);
    if (l2_) {
      for (size_t i = 0; i < count; ++i) out[i] = FromTerm(Term(first + i), out[i] - bias);
    } else {
      for (size_t i = 0; i < count; ++i) out[i] = bias - out[i];
    }
  }

 private:
  static constexpr size_t kPrefetchLines = 12;

  // Wraps instead of overflowing: a term comes from a file and may be any number.
  static int32_t FromTerm(int32_t term, int32_t dot) {
    return static_cast<int32_t>(static_cast<uint32_t>(term) - 2 * static_cast<uint32_t>(dot));
  }
  static size_t PaddedDim(const Sq8& codec) { return (codec.dim() + 63) / 64 * 64; }

  const simd::Kernels* kernels_ = nullptr;
  const uint8_t* codes_ = nullptr;
  const uint8_t* terms_ = nullptr;
  size_t stride_ = 0;
  size_t term_stride_ = 0;
  size_t padded_ = 0;
  size_t prefetch_lines_ = 0;
  bool l2_ = false;
};

}  // namespace elanus::index
