#include "index/vector/sq4.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace elanus::index {
namespace {

constexpr float kKeyMost = 1 << 29;  // differences of two keys stay inside int32
constexpr float kMiddle = 7.5f;      // between the least and the greatest code
// Parts of the largest value that the outermost codes may stand for: values beyond are clipped.
constexpr std::array kClips = {1.0f, 0.92f, 0.84f, 0.77f, 0.7f};

// Codes for one step, and how near they come: y.c and c.c with c = 2 code - 15.
struct Fit {
  float with_row = 0, with_itself = 0;
  float near() const { return with_itself > 0 ? with_row * with_row / with_itself : 0; }
};

constexpr size_t kLanes = 8;  // sums that go side by side, so that the compiler may use vectors

Fit Quantize(const float* y, size_t dim, float per_step, int32_t* codes) {
  std::array<float, kLanes> with_row{};
  std::array<int32_t, kLanes> with_itself{};
  auto one = [&](size_t d, size_t lane) {
    const float place = std::min(std::max(0.0f, y[d] * per_step + (kMiddle + 0.5f)), 15.0f);
    codes[d] = static_cast<int32_t>(place);
    const int32_t c = 2 * codes[d] - 15;
    with_row[lane] += y[d] * static_cast<float>(c);
    with_itself[lane] += c * c;
  };
  size_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) one(d + lane, lane);
  }
  for (; d < dim; ++d) one(d, d % kLanes);
  Fit fit;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    fit.with_row += with_row[lane];
    fit.with_itself += static_cast<float>(with_itself[lane]);
  }
  return fit;
}

}  // namespace

Sq4::Sq4(Metric metric, std::vector<float> mean, float far)
    : metric_(metric), mean_(std::move(mean)), far_(far) {}

void Sq4::EncodeRow(const float* x, uint8_t* row) const {
  const size_t n = dim(), half = (n + 1) / 2;
  static thread_local std::vector<float> y;
  static thread_local std::vector<int32_t> codes, best;
  y.resize(n);
  codes.resize(n);
  best.assign(n, 0);
  const float norm = metric_ == Metric::kCosine ? InverseNorm(simd::Active(), x, n) : 1.0f;
  float largest = 0, square = 0;
  for (size_t d = 0; d < n; ++d) {
    y[d] = x[d] * norm - mean_[d];
    largest = std::max(largest, std::fabs(y[d]));
    square += y[d] * y[d];
  }
  Fit found;
  if (largest > 0 && std::isfinite(kMiddle / largest)) {
    for (float clip : kClips) {
      const Fit fit = Quantize(y.data(), n, kMiddle / (largest * clip), codes.data());
      if (fit.near() <= found.near()) continue;
      found = fit;
      best.swap(codes);
    }
  }
  // With this factor the product of the row with its own code is |y|^2.
  const float factor = found.with_row > 0 ? square / found.with_row : 0.0f;
  const float head[2] = {std::isfinite(factor) ? factor : 0.0f, square};
  std::memset(row, 0, stride());
  std::memcpy(row, head, sizeof(head));
  for (size_t d = 0; d < n; ++d) {
    uint8_t& byte = row[kHead + (d < half ? d : d - half)];
    byte = static_cast<uint8_t>(byte | best[d] << (d < half ? 0 : 4));
  }
}

void Sq4::Decode(const uint8_t* row, float* y) const {
  const size_t n = dim(), half = (n + 1) / 2;
  float factor;
  std::memcpy(&factor, row, sizeof(factor));
  for (size_t d = 0; d < n; ++d) {
    const int byte = row[kHead + (d < half ? d : d - half)];
    y[d] = factor * static_cast<float>(2 * (d < half ? byte & 15 : byte >> 4) - 15);
  }
}

void Sq4::Prepare(const float* query, Query& q) const {
  const size_t n = dim(), half = (n + 1) / 2;
  static thread_local std::vector<float> centred;
  static thread_local std::vector<int8_t> whole;
  const bool l2 = metric_ == Metric::kL2;
  centred.assign(query, query + n);
  float largest = 0, square = 0;
  for (size_t d = 0; d < n; ++d) {
    if (l2) centred[d] -= mean_[d];
    largest = std::max(largest, std::fabs(centred[d]));
    square += centred[d] * centred[d];
  }
  const float per_step = largest > 0 ? 127.0f / largest : 0.0f;
  whole.assign(n, 0);
  if (std::isfinite(per_step)) {
    static thread_local std::vector<float> zeros;
    zeros.assign(n, 0.0f);
    simd::Active().encode_s8(centred.data(), per_step, zeros.data(), n, whole.data());
  }
  q.halves.assign(2 * stride(), 0);
  int32_t sum = 0;
  for (size_t d = 0; d < n; ++d) {
    const size_t at = kHead + (d < half ? d : d - half);
    q.halves[at / 64 * 128 + at % 64 + (d < half ? 0 : 64)] = whole[d];
    sum += whole[d];
  }
  // A distance of as much as the query's and a far row's lengths allow fills the range of keys.
  const float length = std::sqrt(square),
              most = l2 ? (length + far_) * (length + far_) : length * far_;
  float unit = most > 0 ? kKeyMost / most : 0.0f;
  if (!std::isfinite(unit)) unit = 0;
  q.scale = {.bias = 15 * sum,
             .factor = -(l2 ? 2.0f : 1.0f) * unit * largest / 127.0f,
             .term = l2 ? unit : 0.0f,
             .most = kKeyMost};
}

}  // namespace elanus::index
