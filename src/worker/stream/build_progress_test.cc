#include "worker/stream/build_progress.h"

#include <gtest/gtest.h>

namespace elanus::worker {
namespace {

TEST(BuildProgress, IsThatOfTheSegmentsOfTheJob) {
  BuildProgress progress;
  EXPECT_EQ(progress.Of({1}, {7}), 0);
  {
    const BuildProgress::Job job(progress, {{1}, {2}});
    EXPECT_EQ(progress.Of({1}, {7}), 0);
    progress.Tell({7}, 0.25);
    EXPECT_EQ(progress.Of({1}, {7}), 0.25);
    EXPECT_EQ(progress.Of({2}, {7}), 0.25);
    EXPECT_EQ(progress.Of({3}, {7}), 0) << "no segment of the job";
    EXPECT_EQ(progress.Of({1}, {8}), 0) << "another index";
    progress.Tell({7}, 1.5);
    EXPECT_EQ(progress.Of({1}, {7}), 1);
  }
  EXPECT_EQ(progress.Of({1}, {7}), 0);
}

TEST(BuildProgress, OfTheLastJobIsForgotten) {
  BuildProgress progress;
  {
    const BuildProgress::Job job(progress, {{1}});
    progress.Tell({7}, 0.5);
  }
  const BuildProgress::Job job(progress, {{1}});
  EXPECT_EQ(progress.Of({1}, {7}), 0);
}

}  // namespace
}  // namespace elanus::worker
