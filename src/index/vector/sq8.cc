#include "index/vector/sq8.h"

#include <algorithm>
#include <cmath>

namespace elanus::index {
namespace {

constexpr size_t kTrainRows = 65536;
constexpr size_t kTrainValues = size_t{1} << 22;  // for the quantile
constexpr double kQuantile = 0.9995;
constexpr float kNear = 1.25f;  // the largest value is no outlier up to so many times the quantile
constexpr int32_t kTermLimit = 1 << 29;  // sums of two terms and a dot product stay inside int32

constexpr size_t Align64(size_t n) { return (n + 63) / 64 * 64; }

}  // namespace

Sq8::Sq8(Metric metric, size_t dim, float scale, std::vector<float> mean)
    : metric_(metric), dim_(dim), stride_(Align64(dim)), scale_(scale), mean_(std::move(mean)) {
  zeros_.assign(dim, 0.0f);
  shift_.resize(dim);
  for (size_t i = 0; i < dim; ++i) shift_[i] = mean_[i] / scale_;
}

Sq8 Sq8::Train(Metric metric, const VectorView& vectors) {
  const size_t dim = vectors.dim, rows = std::min(vectors.rows, kTrainRows);
  if (rows == 0) return Sq8(metric, dim, 1.0f, std::vector<float>(dim, 0.0f));
  const simd::Kernels& kernels = simd::Active();
  FloatRows floats(vectors);
  auto row_at = [&](size_t i, size_t of) { return floats(i * vectors.rows / of); };
  auto factor = [&](const float* x) {
    return metric == Metric::kCosine ? InverseNorm(kernels, x, dim) : 1.0f;
  };
  std::vector<double> sum(dim, 0.0);
  for (size_t i = 0; i < rows; ++i) {
    const float* x = row_at(i, rows);
    const float f = factor(x);
    for (size_t d = 0; d < dim; ++d) sum[d] += double{x[d]} * f;
  }
  std::vector<float> mean(dim);
  for (size_t d = 0; d < dim; ++d) mean[d] = static_cast<float>(sum[d] / static_cast<double>(rows));

  const size_t quantile_rows = std::clamp<size_t>(kTrainValues / dim, 1, rows);
  std::vector<float> spread;
  spread.reserve(quantile_rows * dim);
  for (size_t i = 0; i < quantile_rows; ++i) {
    const float* x = row_at(i, quantile_rows);
    const float f = factor(x);
    for (size_t d = 0; d < dim; ++d) spread.push_back(std::fabs(x[d] * f - mean[d]));
  }
  // The largest value of a small sample: nothing is clipped where the quantile says nothing.
  const auto at =
      std::min(spread.size() - 1,
               static_cast<size_t>(std::ceil(kQuantile * static_cast<double>(spread.size()))));
  std::nth_element(spread.begin(), spread.begin() + static_cast<ptrdiff_t>(at), spread.end());
  // Rows of few dimensions would be far from their codes if their largest value were clipped.
  const float largest =
      *std::max_element(spread.begin() + static_cast<ptrdiff_t>(at), spread.end());
  const float scale = (largest <= kNear * spread[at] ? largest : spread[at]) / 127.0f;
  return Sq8(metric, dim, scale > 1e-30f && std::isfinite(scale) ? scale : 1.0f, std::move(mean));
}

int32_t Sq8::EncodeRow(const float* x, uint8_t* row) const {
  const simd::Kernels& kernels = simd::Active();
  const float norm = metric_ == Metric::kCosine ? InverseNorm(kernels, x, dim_) : 1.0f;
  auto* code = reinterpret_cast<int8_t*>(row);
  kernels.encode_s8(x, norm / scale_, shift_.data(), dim_, code);
  int32_t square = 0;
  double product = 0;  // with the mean, in code units
  for (size_t i = 0; i < dim_; ++i) {
    square += int32_t{code[i]} * code[i];
    product += static_cast<double>(code[i]) * shift_[i];
    row[i] = static_cast<uint8_t>(code[i] ^ 0x80);
  }
  std::memset(row + dim_, 0, stride_ - dim_);
  const int32_t term =
      metric_ == Metric::kL2
          ? square
          : static_cast<int32_t>(std::clamp<double>(-product, -kTermLimit, kTermLimit));
  if (term_in_row()) std::memcpy(row + term_offset(), &term, sizeof(term));
  return term;
}

int32_t Sq8::EncodeQuery(const float* query, int8_t* code) const {
  const simd::Kernels& kernels = simd::Active();
  if (metric_ == Metric::kL2) {
    kernels.encode_s8(query, 1.0f / scale_, shift_.data(), dim_, code);
  } else {
    float largest = 0;
    for (size_t i = 0; i < dim_; ++i) largest = std::max(largest, std::fabs(query[i]));
    const float factor = largest > 0 ? 127.0f / largest : 0.0f;
    kernels.encode_s8(query, std::isfinite(factor) ? factor : 0.0f, zeros_.data(), dim_, code);
  }
  std::memset(code + dim_, 0, stride_ - dim_);
  int32_t sum = 0;
  for (size_t i = 0; i < dim_; ++i) sum += code[i];
  return 128 * sum;
}

int32_t Sq8::RowAsQuery(const uint8_t* row, int8_t* code) const {
  const int32_t sum = simd::Active().unbias(row, dim_, code);
  std::memset(code + dim_, 0, stride_ - dim_);
  return 128 * sum;
}

}  // namespace elanus::index
