// A bound between the nearest of some distances and the others, found by counting: no distance is
// moved, and the loops have no branch that depends on one. Called where some of many are looked at
// more closely, and a few more do no harm.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace elanus::index {

template <class Distance>
std::pair<Distance, Distance> EndsOf(std::span<const Distance> distances) {
  // Four at a time, so that no comparison waits for the one before.
  std::array<Distance, 4> low, high;
  low.fill(distances[0]);
  high.fill(distances[0]);
  const size_t whole = distances.size() / 4 * 4;
  for (size_t i = 0; i < whole; i += 4) {
    for (size_t j = 0; j < 4; ++j) {
      low[j] = std::min(low[j], distances[i + j]);
      high[j] = std::max(high[j], distances[i + j]);
    }
  }
  for (const Distance distance : distances.subspan(whole)) {
    low[0] = std::min(low[0], distance);
    high[0] = std::max(high[0], distance);
  }
  return {std::ranges::min(low), std::ranges::max(high)};
}

/// A bound at or below which at least `least` and at most `most` of the distances are. Nothing
/// when too many are equal for that, or infinite. \pre 0 < least <= most < distances.size(), no NaN
/// Cost: some ten passes, a quarter of a nanosecond a distance each.
template <class Distance>
std::optional<Distance> BoundFor(std::span<const Distance> distances, size_t least, size_t most) {
  constexpr int kStepsMost = 32;
  auto [low, high] = EndsOf(distances);
  for (int step = 0; step < kStepsMost; ++step) {
    const Distance middle = std::midpoint(low, high);
    if (!(middle >= low && middle < high)) return std::nullopt;
    uint32_t count = 0;
    for (const Distance distance : distances) count += static_cast<uint32_t>(distance <= middle);
    if (count >= least && count <= most) return middle;
    if (count < least && middle == low) return std::nullopt;
    (count < least ? low : high) = middle;
  }
  return std::nullopt;
}

}  // namespace elanus::index
