#include "model/metric.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/letter_case.h"

namespace elanus::model {
namespace {

constexpr std::array<std::string_view, kMetrics> kNames = {
    "L2", "IP", "COSINE", "HAMMING", "JACCARD", "SUBSTRUCTURE", "SUPERSTRUCTURE"};

}  // namespace

std::string_view MetricName(Metric metric) { return kNames[static_cast<size_t>(metric)]; }

std::optional<Metric> MetricFromName(std::string_view name) {
  const auto* found = std::ranges::find(kNames, Upper(name));
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Metric>(found - kNames.begin());
}

}  // namespace elanus::model
