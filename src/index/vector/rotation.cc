#include "index/vector/rotation.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "simd/dispatch.h"

namespace elanus::index {
namespace {

uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

Rotation::Rotation(size_t dim, uint64_t seed)
    : dim_(dim), padded_(PaddedOf(dim)), power_(std::bit_floor(padded_)) {
  signs_.resize(kRounds * padded_);
  const float shrink = 1.0f / std::sqrt(static_cast<float>(power_));
  for (size_t i = 0; i < signs_.size(); ++i) {
    const size_t round = i / padded_, d = i % padded_;
    const size_t first = round % 2 == 0 ? 0 : padded_ - power_;
    const bool inside = d >= first && d < first + power_;
    const bool minus = (Mix(seed * 0x9E3779B97F4A7C15u + i + 1) & 1) != 0;
    signs_[i] = (minus ? -1.0f : 1.0f) * (inside ? shrink : 1.0f);
  }
}

void Rotation::Apply(const float* x, float* out) const {
  const simd::Kernels& kernels = simd::Active();
  std::copy_n(x, dim_, out);
  std::fill(out + dim_, out + padded_, 0.0f);
  const float half = std::sqrt(0.5f);
  for (size_t round = 0; round < kRounds; ++round) {
    const float* signs = &signs_[round * padded_];
    for (size_t d = 0; d < padded_; ++d) out[d] *= signs[d];
    kernels.hadamard(round % 2 == 0 ? out : out + (padded_ - power_), power_);
    if (power_ == padded_) continue;
    for (size_t d = 0; d < padded_ / 2; ++d) {
      const float a = out[d], b = out[d + padded_ / 2];
      out[d] = (a + b) * half;
      out[d + padded_ / 2] = (a - b) * half;
    }
  }
}

}  // namespace elanus::index
