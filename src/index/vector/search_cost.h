// How many distances the searches of a thread have computed, for EXPLAIN and for benchmarks.
// Threads: each has its own.
#pragma once

#include <cstdint>

namespace elanus::index {

/// Since the thread began: differences of two looks are the cost of what lies between.
struct SearchCost {
  uint64_t codes = 0;  ///< distances by code: of graphs and lists
  uint64_t exact = 0;  ///< from raw rows
};

inline SearchCost& ThreadSearchCost() {
  static thread_local SearchCost cost;
  return cost;
}

}  // namespace elanus::index
