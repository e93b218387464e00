#include "model/metric.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/letter_case.h"

namespace elanus::model {
namespace {

constexpr std::array<std::string_view, kMetrics> kNames = {
    "L2", "IP", "COSINE",     "HAMMING",    "JACCARD",        "SUBSTRUCTURE",    "SUPERSTRUCTURE",
    "",   "",   "MAX_SIM_L2", "MAX_SIM_IP", "MAX_SIM_COSINE", "MAX_SIM_HAMMING", "MAX_SIM_JACCARD"};

}  // namespace

std::string_view MetricName(Metric metric) { return kNames[static_cast<size_t>(metric)]; }

std::optional<Metric> MetricFromName(std::string_view name) {
  const std::string upper = Upper(name);
  if (upper == "MAX_SIM") return Metric::kMaxSimCosine;
  const auto* found = std::ranges::find(kNames, upper);
  if (found == kNames.end() || upper.empty()) return std::nullopt;
  return static_cast<Metric>(found - kNames.begin());
}

}  // namespace elanus::model
