#include "worker/build/policy.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace elanus::worker {
namespace {

SegmentFigures Indexed(int64_t id, uint64_t megabytes, uint64_t deleted = 0,
                       int64_t partition = 1) {
  return {.id = {id},
          .partition = {partition},
          .bytes = megabytes << 20,
          .rows = 100,
          .deleted_rows = deleted};
}

SegmentFigures Fresh(int64_t id, uint64_t megabytes) {
  SegmentFigures segment = Indexed(id, megabytes);
  segment.indexed = false;
  return segment;
}

/// With an index that a merge goes on with.
SegmentFigures Graph(int64_t id, uint64_t megabytes) {
  SegmentFigures segment = Indexed(id, megabytes);
  segment.extends = true;
  return segment;
}

/// Searched by the graph its rows had while they arrived.
SegmentFigures Arrived(int64_t id, uint64_t megabytes) {
  SegmentFigures segment = Fresh(id, megabytes);
  segment.by_graph = true;
  return segment;
}

std::vector<SegmentId> Merged(const std::vector<SegmentFigures>& segments,
                              const MergeLimits& limits = {}) {
  const auto step = NextBuildStep(segments, {.merge = limits}, Inflow::kSettled);
  return step && step->merge ? step->inputs : std::vector<SegmentId>{};
}

TEST(BuildPolicy, LeavesGeometricSizesAlone) {
  EXPECT_FALSE(
      NextBuildStep({Indexed(1, 800), Indexed(2, 100), Indexed(3, 20)}, {}, Inflow::kSettled));
  EXPECT_FALSE(NextBuildStep({Indexed(1, 100)}, {}, Inflow::kSettled));
  EXPECT_FALSE(NextBuildStep({}, {}, Inflow::kSettled));
}

TEST(BuildPolicy, MergesSmallOnesOnceTheyEqualTheNext) {
  EXPECT_EQ(Merged({Indexed(1, 800), Indexed(2, 20), Indexed(3, 20)}),
            (std::vector<SegmentId>{{2}, {3}}));
  EXPECT_EQ(Merged({Indexed(1, 50), Indexed(2, 30), Indexed(3, 30)}).size(), 3u);
}

TEST(BuildPolicy, MergesWhatABulkLoadFlushedBeforeItIsIndexed) {
  const auto step =
      NextBuildStep({Fresh(1, 128), Fresh(2, 128), Fresh(3, 10)}, {}, Inflow::kSettled);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->inputs, (std::vector<SegmentId>{{3}, {1}, {2}}));
  EXPECT_TRUE(step->merge);
  EXPECT_EQ(step->unindexed, 3u);
}

TEST(BuildPolicy, TakesSmallerIndexedOnesAlongWhenALargerOneIsBuiltAnyway) {
  EXPECT_EQ(Merged({Indexed(1, 20), Fresh(2, 100), Indexed(3, 800)}),
            (std::vector<SegmentId>{{1}, {2}}));
}

TEST(BuildPolicy, IndexesASmallOneBesideALargeOneWithoutRewritingIt) {
  const auto step = NextBuildStep({Indexed(1, 800), Fresh(2, 10)}, {}, Inflow::kSettled);
  ASSERT_TRUE(step);
  EXPECT_FALSE(step->merge);
  EXPECT_EQ(step->inputs, std::vector<SegmentId>{{2}});
}

TEST(BuildPolicy, WaitsWhileRowsPourInUnlessASegmentIsFull) {
  EXPECT_FALSE(NextBuildStep({Fresh(1, 128), Fresh(2, 128)}, {}, Inflow::kPouring));
  EXPECT_FALSE(NextBuildStep({Indexed(1, 128), Indexed(2, 128)}, {}, Inflow::kPouring));
  auto step = NextBuildStep({Fresh(1, 128), Fresh(2, 600)}, {}, Inflow::kPouring);
  ASSERT_TRUE(step);  // together a full one
  EXPECT_EQ(step->inputs.size(), 2u);
  step = NextBuildStep({Indexed(1, 128), Fresh(2, 600)}, {}, Inflow::kPouring);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, (BuildStep{.inputs = {{2}}, .unindexed = 1}));
}

TEST(BuildPolicy, MergesSoonerWhereTheLargerIndexIsGoneOnWith) {
  EXPECT_EQ(Merged({Graph(1, 300), Graph(2, 50), Graph(3, 50)}),
            (std::vector<SegmentId>{{2}, {3}, {1}}));
  EXPECT_EQ(Merged({Graph(1, 300), Fresh(2, 100)}), (std::vector<SegmentId>{{2}, {1}}));
  EXPECT_TRUE(Merged({Graph(1, 301), Graph(2, 100)}).empty());
  EXPECT_TRUE(Merged({Indexed(1, 300), Graph(2, 100)}).empty());
}

TEST(BuildPolicy, MergesWhatArrivesBesideSearchesAndIndexesNoneOfItAlone) {
  auto step = NextBuildStep({Graph(1, 300), Arrived(2, 128)}, {}, Inflow::kSearched);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, (BuildStep{.inputs = {{2}, {1}}, .merge = true, .unindexed = 1}));
  EXPECT_FALSE(NextBuildStep({Graph(1, 900), Arrived(2, 128)}, {}, Inflow::kSearched));
  step = NextBuildStep({Graph(1, 900), Arrived(2, 128)}, {}, Inflow::kSettled);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, (BuildStep{.inputs = {{2}}, .unindexed = 1}));
  step = NextBuildStep({Graph(1, 900), Arrived(2, 128), Arrived(3, 128)}, {}, Inflow::kSearched);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->inputs, (std::vector<SegmentId>{{2}, {3}}));
  // One that has no graph is read row by row.
  step = NextBuildStep({Graph(1, 900), Fresh(2, 128)}, {}, Inflow::kSearched);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->inputs, std::vector<SegmentId>{{2}});
}

TEST(BuildPolicy, IndexesABulkLoadOnce) {
  std::vector<SegmentFigures> segments;
  int64_t next = 0;
  uint64_t indexed = 0;
  auto work = [&](Inflow inflow) {
    while (const auto step = NextBuildStep(segments, {}, inflow)) {
      uint64_t bytes = 0;
      std::erase_if(segments, [&](const SegmentFigures& s) {
        if (std::ranges::find(step->inputs, s.id) == step->inputs.end()) return false;
        bytes += s.bytes;
        return true;
      });
      segments.push_back(Indexed(++next, bytes >> 20));
      indexed += bytes >> 20;
    }
  };
  for (int flush = 0; flush < 19; ++flush) {
    segments.push_back(Fresh(++next, 128));
    work(Inflow::kPouring);
  }
  work(Inflow::kSettled);
  EXPECT_EQ(indexed, 19u * 128);
  EXPECT_LE(segments.size(), 5u);
}

TEST(BuildPolicy, NeverMakesAnOutputAboveTheLimit) {
  EXPECT_TRUE(
      Merged({Indexed(1, 90), Indexed(2, 90), Indexed(3, 90)}, {.segment_bytes_max = 100 << 20})
          .empty());
}

TEST(BuildPolicy, TakesFewerInputsWhenMemoryIsShort) {
  BuildLimits limits{.memory_max = 250, .memory = [](const StepSize& size) { return size.rows; }};
  auto step = NextBuildStep({Fresh(1, 10), Fresh(2, 10), Fresh(3, 10), Fresh(4, 10)}, limits,
                            Inflow::kSettled);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->inputs.size(), 2u);
  EXPECT_EQ(step->memory, 200u);
  limits.memory_max = 1;  // two go all the same, alone
  step = NextBuildStep({Fresh(1, 10), Fresh(2, 10), Fresh(3, 10)}, limits, Inflow::kSettled);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->inputs.size(), 2u);
}

TEST(BuildPolicy, KeepsPartitionsApart) {
  EXPECT_FALSE(NextBuildStep({Indexed(1, 20, 0, 1), Indexed(2, 20, 0, 2)}, {}, Inflow::kSettled));
}

TEST(BuildPolicy, RewritesASegmentWithManyDeletedRows) {
  EXPECT_EQ(Merged({Indexed(1, 800, 21), Indexed(2, 100, 20)}), (std::vector<SegmentId>{{1}}));
}

TEST(BuildPolicy, RemovesAnIndexThatNobodyAsksForAnyMore) {
  SegmentFigures segment = Indexed(1, 100);
  segment.outdated = true;
  const auto step = NextBuildStep({segment}, {}, Inflow::kPouring);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, (BuildStep{.inputs = {{1}}}));
}

TEST(BuildPolicy, EndsWithFewSegmentsWhateverArrives) {
  for (const bool graphs : {false, true}) {
    const auto made = [&](int64_t id, uint64_t megabytes) {
      return graphs ? Graph(id, megabytes) : Indexed(id, megabytes);
    };
    std::vector<SegmentFigures> segments;
    int64_t next = 0;
    uint64_t written = 0;
    const MergeLimits limits{.segment_bytes_max = 100ull << 30};
    for (int flush = 0; flush < 200; ++flush) {
      segments.push_back(made(++next, 1 + static_cast<uint64_t>(flush * 7919 % 13)));
      for (auto picked = Merged(segments, limits); !picked.empty();
           picked = Merged(segments, limits)) {
        uint64_t bytes = 0;
        std::erase_if(segments, [&](const SegmentFigures& s) {
          if (std::ranges::find(picked, s.id) == picked.end()) return false;
          bytes += s.bytes;
          return true;
        });
        segments.push_back(made(++next, bytes >> 20));
        written += bytes >> 20;
      }
      EXPECT_LE(segments.size(), limits.segments_max);
    }
    EXPECT_LT(written, 200u * 7 * 14) << "each row is rewritten a small multiple of log2(n) times";
  }
}

std::vector<std::vector<SegmentId>> Whole(const std::vector<SegmentFigures>& segments,
                                          const BuildLimits& limits = {}) {
  std::vector<std::vector<SegmentId>> groups;
  for (const BuildStep& step : PlanWholeMerge(segments, limits)) groups.push_back(step.inputs);
  return groups;
}

TEST(WholeMerge, TakesEverySegmentOfAPartitionThatFits) {
  EXPECT_EQ(Whole({Indexed(1, 800), Indexed(2, 100), Indexed(3, 20)}),
            (std::vector<std::vector<SegmentId>>{{{1}, {2}, {3}}}));
  EXPECT_EQ(Whole({Indexed(1, 20, 0, 1), Indexed(2, 20, 0, 2), Indexed(3, 20, 0, 2)}),
            (std::vector<std::vector<SegmentId>>{{{1}}, {{2}, {3}}}));
  EXPECT_TRUE(Whole({}).empty());
}

TEST(WholeMerge, MakesNoOutputAboveTheLimit) {
  BuildLimits limits{.merge = {.segment_bytes_max = 100 << 20}};
  EXPECT_EQ(Whole({Indexed(1, 90), Indexed(2, 60), Indexed(3, 40), Indexed(4, 10)}, limits),
            (std::vector<std::vector<SegmentId>>{{{1}, {4}}, {{2}, {3}}}));
  EXPECT_EQ(Whole({Indexed(1, 200), Indexed(2, 1)}, limits),
            (std::vector<std::vector<SegmentId>>{{{1}}, {{2}}}));
}

TEST(WholeMerge, StaysWithinTheMemoryOfOneJob) {
  const BuildLimits limits{.memory_max = 250,
                           .memory = [](const StepSize& size) { return size.rows; }};
  EXPECT_EQ(Whole({Indexed(1, 3), Indexed(2, 2), Indexed(3, 1)}, limits),
            (std::vector<std::vector<SegmentId>>{{{1}, {2}}, {{3}}}));
}

}  // namespace
}  // namespace elanus::worker
