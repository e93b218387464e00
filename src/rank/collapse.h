// Hits that are elements of rows to hits that are rows: of what its elements score, what does a row
// score? Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/metric.h"
#include "rank/merge.h"

namespace elanus::rank {

struct Collapse {
  enum class By : uint8_t { kNearest, kSum, kAverage };
  By by = By::kNearest;
  size_t top = 0;  ///< only so many of a row's nearest count; 0: all that were found
};

/// One list a query, nearest rows first; equal scores by key.
struct CollapsedLists {
  std::vector<int64_t> counts;
  std::vector<SourceRow> rows;  ///< the nearest hit of each row, source 0
  std::vector<float> scores;
};

/// \param lists  each nearest first, a key as often as elements of it were found
CollapsedLists CollapseElements(const ScoredLists& lists, model::Metric metric,
                                const Collapse& collapse);

}  // namespace elanus::rank
