// Scores and distances: the one place that converts. Score: what a user sees (squared L2, inner
// product, cosine). Distance: smaller is nearer, for every metric. The conversion is a change of
// sign, so that a bound of a range search or an iterator survives the way there and back.
#pragma once

#include <cmath>
#include <span>

#include "model/metric.h"

namespace elanus::rank {

inline float ScoreOf(model::Metric metric, float distance) {
  return model::ScoreAscendsWithNearness(metric) ? 0.0F - distance : distance;
}
inline float DistanceOf(model::Metric metric, float score) {
  return model::ScoreAscendsWithNearness(metric) ? 0.0F - score : score;
}

/// Rounds to `decimals` places, halves away from zero; -1 leaves the scores as they are. Comes
/// after merging, so that it never changes the order.
/// \param decimals  -1, or 0 to 6
inline void RoundScores(std::span<float> scores, int decimals) {
  if (decimals < 0) return;
  const double scale = std::pow(10.0, decimals);
  for (float& score : scores) score = static_cast<float>(std::round(score * scale) / scale);
}

}  // namespace elanus::rank
