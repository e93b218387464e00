// Metrics of vector search, by Milvus' names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace elanus::model {

/// What a search compares by. A *score* is what the user sees: squared L2 (smaller is nearer), or
/// the inner product or cosine (larger is nearer). Inside the server everything is a *distance*:
/// smaller is nearer.
enum class Metric : uint8_t { kL2 = 0, kIp = 1, kCosine = 2 };

constexpr std::string_view MetricName(Metric metric) {
  switch (metric) {
    case Metric::kL2: return "L2";
    case Metric::kIp: return "IP";
    case Metric::kCosine: return "COSINE";
  }
  return "";
}

/// The metric of a name in any case, as Milvus accepts it.
std::optional<Metric> MetricFromName(std::string_view name);

/// True when a larger score is nearer.
constexpr bool ScoreAscendsWithNearness(Metric metric) { return metric != Metric::kL2; }

}  // namespace elanus::model
