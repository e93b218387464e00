#include "worker/build/policy.h"

#include <algorithm>
#include <map>
#include <span>

namespace elanus::worker {
namespace {

BuildStep StepOf(std::span<const SegmentFigures> inputs, bool merge, const BuildLimits& limits) {
  BuildStep step{.merge = merge};
  StepSize size{.merged = merge};
  for (const SegmentFigures& s : inputs) {
    step.inputs.push_back(s.id);
    step.unindexed += s.indexed ? 0 : 1;
    size.rows += s.rows;
    size.list_vectors += s.list_vectors;
  }
  if (limits.memory) step.memory = limits.memory(size);
  return step;
}

/// To write a row anew costs a tenth of its insertion, and a segment more costs every search.
constexpr uint64_t kReach = 3;

/// The steps of one partition's segments, smallest first.
class Picker {
 public:
  Picker(std::vector<SegmentFigures> segments, const BuildLimits& limits)
      : segments_(std::move(segments)), limits_(limits) {
    std::ranges::sort(segments_, [](const auto& a, const auto& b) {
      return a.bytes != b.bytes ? a.bytes < b.bytes : a.id < b.id;
    });
  }

  std::optional<BuildStep> Pick(Inflow inflow) const {
    for (const SegmentFigures& s : segments_) {
      const double deleted = static_cast<double>(s.deleted_rows);
      if (deleted > limits_.merge.deleted_part * static_cast<double>(s.rows))
        return Step({&s, 1}, /*merge=*/true);
    }
    if (inflow != Inflow::kPouring) {
      if (const size_t take = Affordable(RunLength()); take >= 2)
        return Step({segments_.data(), take}, /*merge=*/true);
    } else if (const size_t take = Affordable(FullLength()); take >= 2) {
      return Step({segments_.data(), take}, /*merge=*/true);
    }
    // The largest first: it is the one that costs searches most.
    for (size_t i = segments_.size(); i-- > 0;) {
      const SegmentFigures& s = segments_[i];
      if (s.outdated || (!s.indexed && (IsFull(s.bytes) || IndexesSmall(s, inflow))))
        return Step({&s, 1}, /*merge=*/false);
    }
    return std::nullopt;
  }

 private:
  static bool IndexesSmall(const SegmentFigures& s, Inflow inflow) {
    return inflow == Inflow::kSettled || (inflow == Inflow::kSearched && !s.by_graph);
  }

  bool IsFull(uint64_t bytes) const { return bytes >= limits_.merge.segment_bytes_max / 2; }

  /// How many of the smallest fit into one output.
  size_t Fitting() const {
    uint64_t bytes = 0;
    size_t fitting = 0;
    while (fitting < segments_.size() &&
           bytes + segments_[fitting].bytes <= limits_.merge.segment_bytes_max) {
      bytes += segments_[fitting++].bytes;
    }
    return fitting;
  }

  size_t RunLength() const {
    const size_t fitting = Fitting();
    size_t take = 0;
    uint64_t smaller = 0;
    for (size_t i = 0; i < fitting; ++i) {
      const SegmentFigures& next = segments_[i];
      const uint64_t reach = smaller * (next.extends ? kReach : 1);
      // One without index is built anyway: what is smaller goes along for little.
      if (i != 0 && (reach >= next.bytes || !next.indexed)) take = i + 1;
      smaller += next.bytes;
    }
    if (take < 2 && fitting > limits_.merge.segments_max)
      take = fitting - limits_.merge.segments_max + 1;
    return take;
  }

  /// While rows pour in: the smallest ones without index, once they make a full segment.
  size_t FullLength() const {
    const size_t fitting = Fitting();
    uint64_t bytes = 0;
    for (size_t i = 0; i < fitting; ++i) bytes += segments_[i].bytes;
    const bool fresh = std::all_of(segments_.begin(), segments_.begin() + fitting,
                                   [](const SegmentFigures& s) { return !s.indexed; });
    return fresh && IsFull(bytes) ? fitting : 0;
  }

  size_t Affordable(size_t take) const {
    while (take > 2 && Step({segments_.data(), take}, true).memory > limits_.memory_max) --take;
    return take;
  }

  BuildStep Step(std::span<const SegmentFigures> inputs, bool merge) const {
    return StepOf(inputs, merge, limits_);
  }

  std::vector<SegmentFigures> segments_;
  const BuildLimits& limits_;
};

using Partitions = std::map<PartitionId, std::vector<SegmentFigures>>;

Partitions ByPartition(const std::vector<SegmentFigures>& segments) {
  Partitions partitions;
  for (const SegmentFigures& s : segments) partitions[s.partition].push_back(s);
  return partitions;
}

uint64_t BytesOf(const std::vector<SegmentFigures>& segments) {
  uint64_t bytes = 0;
  for (const SegmentFigures& s : segments) bytes += s.bytes;
  return bytes;
}

/// Largest first, each into the first group that has room for it.
std::vector<std::vector<SegmentFigures>> Pack(std::vector<SegmentFigures> segments,
                                              const BuildLimits& limits) {
  std::ranges::sort(segments, [](const auto& a, const auto& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.id < b.id;
  });
  std::vector<std::vector<SegmentFigures>> groups;
  for (const SegmentFigures& s : segments) {
    const auto room = std::ranges::find_if(groups, [&](std::vector<SegmentFigures>& group) {
      if (BytesOf(group) + s.bytes > limits.merge.segment_bytes_max) return false;
      group.push_back(s);
      const bool affordable = StepOf(group, true, limits).memory <= limits.memory_max;
      group.pop_back();
      return affordable;
    });
    if (room == groups.end()) {
      groups.push_back({s});
    } else {
      room->push_back(s);
    }
  }
  return groups;
}

}  // namespace

std::optional<BuildStep> NextBuildStep(const std::vector<SegmentFigures>& segments,
                                       const BuildLimits& limits, Inflow inflow) {
  for (auto& [partition, list] : ByPartition(segments)) {
    if (auto step = Picker(list, limits).Pick(inflow)) return step;
  }
  return std::nullopt;
}

std::vector<BuildStep> PlanWholeMerge(const std::vector<SegmentFigures>& segments,
                                      const BuildLimits& limits) {
  std::vector<BuildStep> steps;
  for (const auto& [partition, list] : ByPartition(segments)) {
    for (const auto& group : Pack(list, limits)) steps.push_back(StepOf(group, true, limits));
  }
  return steps;
}

}  // namespace elanus::worker
