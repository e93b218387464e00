#include "worker/build/policy.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace elanus::worker {
namespace {

MergeCandidate Segment(int64_t id, uint64_t megabytes, uint64_t deleted = 0,
                       int64_t partition = 1) {
  return {.id = {id},
          .partition = {partition},
          .bytes = megabytes << 20,
          .rows = 100,
          .deleted_rows = deleted};
}

TEST(MergePolicy, LeavesGeometricSizesAlone) {
  EXPECT_TRUE(PickMerge({Segment(1, 800), Segment(2, 100), Segment(3, 20)}, {}).empty());
  EXPECT_TRUE(PickMerge({Segment(1, 100)}, {}).empty());
}

TEST(MergePolicy, MergesSmallOnesOnceTheyEqualTheNext) {
  EXPECT_EQ(PickMerge({Segment(1, 800), Segment(2, 20), Segment(3, 20)}, {}),
            (std::vector<SegmentId>{{2}, {3}}));
  EXPECT_EQ(PickMerge({Segment(1, 50), Segment(2, 30), Segment(3, 30)}, {}).size(), 3u);
}

TEST(MergePolicy, NeverMakesAnOutputAboveTheLimit) {
  MergeLimits limits{.segment_bytes_max = 100 << 20};
  EXPECT_TRUE(PickMerge({Segment(1, 90), Segment(2, 90), Segment(3, 90)}, limits).empty());
}

TEST(MergePolicy, KeepsPartitionsApart) {
  EXPECT_TRUE(PickMerge({Segment(1, 20, 0, 1), Segment(2, 20, 0, 2)}, {}).empty());
}

TEST(MergePolicy, RewritesASegmentWithManyDeletedRows) {
  EXPECT_EQ(PickMerge({Segment(1, 800, 21), Segment(2, 100, 20)}, {}),
            (std::vector<SegmentId>{{1}}));
}

TEST(MergePolicy, EndsWithFewSegmentsWhateverArrives) {
  std::vector<MergeCandidate> segments;
  int64_t next = 0;
  uint64_t written = 0;
  for (int flush = 0; flush < 200; ++flush) {
    segments.push_back(Segment(++next, 1 + static_cast<uint64_t>(flush * 7919 % 13)));
    for (;;) {
      auto picked = PickMerge(segments, {.segment_bytes_max = 100ull << 30});
      if (picked.empty()) break;
      uint64_t bytes = 0;
      std::erase_if(segments, [&](const MergeCandidate& s) {
        if (std::ranges::find(picked, s.id) == picked.end()) return false;
        bytes += s.bytes;
        return true;
      });
      segments.push_back(Segment(++next, bytes >> 20));
      written += bytes >> 20;
    }
    EXPECT_LE(segments.size(), 11u);
  }
  EXPECT_LT(written, 200u * 7 * 14) << "each row is rewritten a small multiple of log2(n) times";
}

}  // namespace
}  // namespace elanus::worker
