#include "model/metric.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace elanus::model {

std::optional<Metric> MetricFromName(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    if (upper == MetricName(metric)) return metric;
  }
  return std::nullopt;
}

}  // namespace elanus::model
