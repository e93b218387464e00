// Metrics of vector search, by Milvus' names. The numbers are ours and go into service bytes: never
// renumber.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace elanus::model {

/// What a search compares by. A *score* is what the user sees: squared L2, differing bits or
/// 1 - Jaccard (smaller is nearer), or the inner product or cosine (larger is nearer). Inside the
/// server everything is a *distance*: smaller is nearer.
enum class Metric : uint8_t {
  kL2 = 0,
  kIp = 1,
  kCosine = 2,
  kHamming = 3,
  kJaccard = 4,
  kSubstructure = 5,    ///< the query's bits are all in the row: distance 0, other rows never match
  kSuperstructure = 6,  ///< the row's bits are all in the query: distance 0, others never match
  // Of lists of vectors: the sum, over the query's vectors, of the nearest of the row's.
  kMaxSimL2 = 9,
  kMaxSimIp = 10,
  kMaxSimCosine = 11,
  kMaxSimHamming = 12,
  kMaxSimJaccard = 13,
};
inline constexpr int kMetrics = 14;

/// Some metrics, as one bit each; 7 and 8 are no metric.
using MetricSet = uint32_t;
constexpr MetricSet SetOf(Metric metric) { return MetricSet{1} << static_cast<int>(metric); }
template <class... Metrics>
constexpr MetricSet SetOf(Metric first, Metrics... others) {
  return SetOf(first) | SetOf(others...);
}

std::string_view MetricName(Metric metric);

/// The metric of a name in any case, as Milvus accepts it.
std::optional<Metric> MetricFromName(std::string_view name);

/// True when a larger score is nearer.
constexpr bool ScoreAscendsWithNearness(Metric metric) {
  return metric == Metric::kIp || metric == Metric::kCosine || metric == Metric::kMaxSimIp ||
         metric == Metric::kMaxSimCosine;
}

/// Compares lists of vectors.
constexpr bool IsMaxSim(Metric metric) { return metric >= Metric::kMaxSimL2; }

/// What such a metric compares single vectors by; any other one is its own.
constexpr Metric ElementMetric(Metric metric) {
  switch (metric) {
    case Metric::kMaxSimL2: return Metric::kL2;
    case Metric::kMaxSimIp: return Metric::kIp;
    case Metric::kMaxSimCosine: return Metric::kCosine;
    case Metric::kMaxSimHamming: return Metric::kHamming;
    case Metric::kMaxSimJaccard: return Metric::kJaccard;
    default: return metric;
  }
}

}  // namespace elanus::model
