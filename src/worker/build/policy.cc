#include "worker/build/policy.h"

#include <algorithm>
#include <map>

namespace elanus::worker {
namespace {

std::vector<SegmentId> PickInPartition(std::vector<MergeCandidate> segments,
                                       const MergeLimits& limits) {
  for (const MergeCandidate& s : segments) {
    if (static_cast<double>(s.deleted_rows) > limits.deleted_part * static_cast<double>(s.rows))
      return {s.id};
  }
  std::ranges::sort(segments, [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  // The longest run of smallest segments that fits into one output.
  uint64_t bytes = 0;
  size_t fitting = 0;
  while (fitting < segments.size() && bytes + segments[fitting].bytes <= limits.segment_bytes_max) {
    bytes += segments[fitting++].bytes;
  }
  size_t take = 0;
  uint64_t smaller = 0;
  for (size_t i = 0; i < fitting; ++i) {
    if (i != 0 && smaller >= segments[i].bytes) take = i + 1;
    smaller += segments[i].bytes;
  }
  if (take < 2 && fitting > limits.segments_max) take = fitting;
  std::vector<SegmentId> picked;
  for (size_t i = 0; i < take && take >= 2; ++i) picked.push_back(segments[i].id);
  return picked;
}

}  // namespace

std::vector<SegmentId> PickMerge(const std::vector<MergeCandidate>& segments,
                                 const MergeLimits& limits) {
  std::map<PartitionId, std::vector<MergeCandidate>> partitions;
  for (const MergeCandidate& s : segments) partitions[s.partition].push_back(s);
  for (auto& [partition, list] : partitions) {
    std::vector<SegmentId> picked = PickInPartition(std::move(list), limits);
    if (!picked.empty()) return picked;
  }
  return {};
}

}  // namespace elanus::worker
