// Metrics of float vectors and their two readings. Distance: smaller is nearer, used everywhere
// inside `index`. Score: the number a Milvus user sees. L2: distance = score = squared distance. IP
// and COSINE: distance = -score, an exact conversion, so that bounds of range searches and
// iterators survive the round trip.
#pragma once

#include <cstdint>

namespace elanus::index {

enum class Metric : uint8_t { kL2 = 0, kIp = 1, kCosine = 2 };

inline float ScoreFromDistance(Metric metric, float distance) {
  return metric == Metric::kL2 ? distance : 0.0f - distance;
}
inline float DistanceFromScore(Metric metric, float score) {
  return metric == Metric::kL2 ? score : 0.0f - score;
}

}  // namespace elanus::index
