#include "index/vector/rabitq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace elanus::index {
namespace {

constexpr size_t kPart = 4;  // dimensions of a 4-bit code
constexpr size_t kAtOnce = 256;

// The step, in standard deviations of a normal variable, that loses least with so many bits.
constexpr std::array<float, 10> kStep = {0,       1.596f,  0.9957f, 0.5860f, 0.3352f,
                                         0.1881f, 0.1041f, 0.0568f, 0.0308f, 0.0166f};

// The codes of rotated numbers at one step, and how well they point where x points.
struct Fit {
  double with_x = 0, own = 0;
  double Cosine2() const { return own > 0 ? with_x * with_x / own : 0; }
};

Fit CodesAt(std::span<const float> x, float per_step, int bits, uint16_t* codes) {
  const auto most = static_cast<float>((1 << bits) - 1);
  const float middle = most / 2;
  Fit fit;
  for (size_t d = 0; d < x.size(); ++d) {
    const float u = std::clamp(std::floor(x[d] * per_step) + (most + 1) / 2, 0.0f, most);
    codes[d] = static_cast<uint16_t>(u);
    fit.with_x += static_cast<double>(x[d]) * (u - middle);
    fit.own += static_cast<double>(u - middle) * (u - middle);
  }
  return fit;
}

// How the sign's product errs: with a grid of one bit the cosine between a row and its code is
// about .8, so that the deviation of the product is half of .6 times |query| in units of the
// factor; this many of them cover nearly all rows.
constexpr float kDeviations = 1.9f;

}  // namespace

Rabitq::Rabitq(size_t dim, int bits, uint64_t seed)
    : dim_(dim), bits_(bits), rotation_(dim, seed), signs_(rotation_.padded(), kPart, {}) {}

float Rabitq::Encode(const float* x, uint8_t* words, uint8_t* rest) const {
  static thread_local std::vector<float> rotated;
  static thread_local std::vector<uint16_t> codes, best;
  static thread_local std::vector<uint8_t> low;
  const size_t n = rotation_.padded();
  rotated.resize(n);
  codes.resize(n);
  best.resize(n);
  rotation_.Apply(x, rotated.data());
  double square = 0, sign_product = 0;
  for (size_t d = 0; d < n; ++d) {
    square += static_cast<double>(rotated[d]) * rotated[d];
    sign_product += std::fabs(rotated[d]) * 0.5;
    const size_t bit = d % kPart;
    if (bit == 0) words[d / kPart] = 0;
    words[d / kPart] = static_cast<uint8_t>(words[d / kPart] | (rotated[d] >= 0 ? 1 : 0) << bit);
  }
  const float sign_factor = sign_product > 0 ? static_cast<float>(square / sign_product) : 0.0f;
  if (bits_ == 1) return sign_factor;

  const double deviation = std::sqrt(square / static_cast<double>(n));
  Fit chosen;
  for (float part : {0.7f, 0.8f, 0.9f, 1.0f, 1.1f, 1.25f, 1.4f}) {
    const double step = deviation * kStep[static_cast<size_t>(bits_)] * part;
    const float per_step = step > 0 ? static_cast<float>(1.0 / step) : 0.0f;
    const Fit fit =
        CodesAt(rotated, std::isfinite(per_step) ? per_step : 0.0f, bits_, codes.data());
    if (part != 0.7f && fit.Cosine2() <= chosen.Cosine2()) continue;
    chosen = fit;
    std::swap(codes, best);
  }
  // The grid is even: its upper half is where the sign is not negative, so the sign is bit one.
  low.resize(n);
  for (size_t d = 0; d < n; ++d) low[d] = static_cast<uint8_t>(best[d] & ((1 << rest_bits()) - 1));
  PackCodes(low.data(), n / 64, rest_bits(), rest);
  const float factor = chosen.with_x > 0 ? static_cast<float>(square / chosen.with_x) : 0.0f;
  std::memcpy(rest + PackedBytes(dim_, rest_bits()), &factor, sizeof(factor));
  return sign_factor;
}

void Rabitq::Prepare(const float* query, Query& q) const {
  const size_t n = rotation_.padded(), parts = n / kPart;
  q.rotated.resize(n);
  rotation_.Apply(query, q.rotated.data());
  q.signs.products.resize(parts * Pq4::kWords);
  float square = 0;
  for (size_t part = 0; part < parts; ++part) {
    const float* x = &q.rotated[part * kPart];
    float* out = &q.signs.products[part * Pq4::kWords];
    out[0] = -0.5f * (x[0] + x[1] + x[2] + x[3]);
    for (size_t bit = 0; bit < kPart; ++bit) {  // a bit turns half of -x into half of x
      const size_t known = size_t{1} << bit;
      for (size_t j = 0; j < known; ++j) out[known + j] = out[j] + x[bit];
      square += x[bit] * x[bit];
    }
  }
  q.signs.bytes.resize(signs_.block_bytes());
  simd::Active().quantize_tables(q.signs.products.data(), parts, q.signs.bytes.data(),
                                 &q.signs.scale, &q.signs.base);
  q.slack = 0.3f * kDeviations * std::sqrt(square);
  if (bits_ > 1) QuantizeQuery(q.rotated.data(), n, q.rest);
}

void Rabitq::FineProducts(const Query& q, const uint8_t* rests, const uint16_t* sums,
                          std::span<const uint32_t> places, float* out) const {
  const auto high = static_cast<float>(1 << rest_bits());
  const float middle = (high - 1) / 2 * q.rest.sum;
  const size_t factor_at = PackedBytes(dim_, rest_bits());
  const simd::PackedRows rows{rests, rest_bytes(), rotation_.padded() / 64, rest_bits()};
  int32_t dots[kAtOnce];
  for (size_t first = 0; first < places.size(); first += kAtOnce) {
    const size_t n = std::min(kAtOnce, places.size() - first);
    simd::Active().dot_packed(q.rest.bytes.data(), rows, &places[first], n, dots);
    for (size_t i = 0; i < n; ++i) {
      const uint32_t place = places[first + i];
      const float sign = -(q.signs.base + q.signs.scale * static_cast<float>(sums[place]));
      float factor;
      std::memcpy(&factor, rests + place * rest_bytes() + factor_at, sizeof(factor));
      out[first + i] = factor * (high * sign + q.rest.scale * static_cast<float>(dots[i]) - middle);
    }
  }
}

}  // namespace elanus::index
