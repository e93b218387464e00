// A random rotation that costs n log n: sign flips and Walsh-Hadamard transforms in turns. Spreads
// what a vector holds evenly over its dimensions, so that one bit of each says as much as any
// other. Holds: lengths and inner products stay; the same seed gives the same rotation on every
// CPU. Threads: immutable. Source: Ailon and Chazelle 2009; for lengths that are no power of two
// the two ends take turns and a step of plane rotations mixes them (Gao and Long 2024's library).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus::index {

class Rotation {
 public:
  Rotation() = default;
  Rotation(size_t dim, uint64_t seed);

  /// Numbers of a rotated vector: dim, up to a multiple of 64.
  size_t padded() const { return padded_; }
  static size_t PaddedOf(size_t dim) { return (dim + 63) / 64 * 64; }

  /// \param x    float[dim]
  /// \param out  float[padded()]
  void Apply(const float* x, float* out) const;

 private:
  static constexpr size_t kRounds = 4;

  size_t dim_ = 0;
  size_t padded_ = 0;
  size_t power_ = 0;          // the largest power of two not beyond padded_
  std::vector<float> signs_;  // [kRounds][padded_], the length of the transform divided out
};

}  // namespace elanus::index
