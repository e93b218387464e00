// How a read was answered, written down while it is: for EXPLAIN. Threads: one read, one trace.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "expr/node.h"

namespace elanus::query {

/// One leaf of the filter over one segment.
struct LeafTrace {
  enum class Way : uint8_t { kScan, kIndex, kIndexThenScan };
  const expr::Node* leaf = nullptr;  ///< of the read's filter
  Way way = Way::kScan;
  std::optional<double> estimated;  ///< the part of the rows it was expected to keep
  uint64_t rows_asked = 0;          ///< those that nothing before it had decided
  uint64_t rows_kept = 0;           ///< of those
  uint64_t bytes = 0;               ///< of columns and indexes that were read
  double us = 0;
};

struct SegmentTrace {
  SegmentId id;
  bool sealed = false;
  uint32_t rows = 0;
  uint64_t rows_visible = 0;  ///< neither deleted, nor expired, nor later than the read
  uint64_t rows_kept = 0;     ///< of those, by the filter too
  bool filtered = false;      ///< false: no filter, or keys were looked up
  std::vector<LeafTrace> leaves;
  double filter_us = 0;
  std::string search_way;             ///< of a search: what found the nearest
  std::optional<uint64_t> distances;  ///< computed, by code or exactly
  uint64_t exact = 0;                 ///< those from raw rows
  double search_us = 0;
};

struct ReadTrace {
  std::vector<SegmentTrace> segments;
  double merge_us = 0;   ///< sorting, grouping, joining what the segments gave
  double output_us = 0;  ///< reading the output fields

  SegmentTrace& Of(SegmentId id) {
    for (SegmentTrace& segment : segments) {
      if (segment.id == id) return segment;
    }
    return segments.emplace_back(SegmentTrace{.id = id});
  }
};

/// Adds the microseconds of its life to a number; nothing when that is null.
class StepTimer {
 public:
  explicit StepTimer(double* us) : us_(us) {
    if (us_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  StepTimer(const StepTimer&) = delete;
  StepTimer& operator=(const StepTimer&) = delete;
  ~StepTimer() {
    if (us_ == nullptr) return;
    *us_ += std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start_)
                .count();
  }

 private:
  double* us_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace elanus::query
