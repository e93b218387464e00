#include "worker/stream/compaction_orders.h"

#include <gtest/gtest.h>

namespace elanus::worker {
namespace {

using service::CompactionPlan;
using service::CompactionState;

CompactionPlan Plan(int64_t id, std::vector<SegmentId> sources, int64_t shard = 1,
                    int64_t job = 7) {
  return {.id = id,
          .job = job,
          .collection = {3},
          .shard = {shard},
          .partition = {1},
          .sources = std::move(sources)};
}

CompactionPlan Only(const CompactionOrders& orders, int64_t job = 7) {
  const auto plans = orders.Find({.job = job});
  EXPECT_EQ(plans.size(), 1u);
  return plans.empty() ? CompactionPlan{} : plans.front();
}

TEST(CompactionOrders, ArePickedOldestFirstByTheirShardAndEndOnce) {
  CompactionOrders orders;
  orders.Add({Plan(1, {{10}, {11}}), Plan(2, {{12}, {13}}), Plan(3, {{20}, {21}}, 2)});
  EXPECT_EQ(orders.Begin({2})->plan, 3);
  EXPECT_FALSE(orders.Begin({2}));
  const auto order = orders.Begin({1});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->plan, 1);
  EXPECT_EQ(order->inputs, (std::vector<SegmentId>{{10}, {11}}));
  orders.End(1, SegmentId{30});
  orders.End(1, Error(Code::kInternal, "too late"));
  EXPECT_EQ(orders.Begin({1})->plan, 2);
  orders.End(2, Error(Code::kInternal, "disk"));
  const auto plans = orders.Find({.job = 7});
  ASSERT_EQ(plans.size(), 3u);
  EXPECT_EQ(plans[0].state, CompactionState::kCompleted);
  EXPECT_EQ(plans[0].target, SegmentId{30});
  EXPECT_EQ(plans[1].state, CompactionState::kFailed);
  EXPECT_EQ(plans[1].failure, "disk");
  EXPECT_EQ(plans[2].state, CompactionState::kRunning);
}

TEST(CompactionOrders, FollowAnAutomaticMergeOfTheirInputs) {
  CompactionOrders orders;
  orders.Add({Plan(1, {{10}, {11}, {12}})});
  orders.Replaced({1}, {{10}, {11}, {99}}, {40});
  EXPECT_EQ(orders.Begin({1})->inputs, (std::vector<SegmentId>{{12}, {40}}));
  EXPECT_EQ(Only(orders).sources, (std::vector<SegmentId>{{10}, {11}, {12}}));
}

TEST(CompactionOrders, AreDoneWhenAnAutomaticMergeTookAllTheirInputs) {
  CompactionOrders orders;
  orders.Add({Plan(1, {{10}, {11}})});
  orders.Replaced({2}, {{10}, {11}}, {39});  // another shard
  EXPECT_EQ(Only(orders).state, CompactionState::kWaiting);
  orders.Replaced({1}, {{10}, {11}, {12}}, {40});
  EXPECT_EQ(Only(orders).state, CompactionState::kCompleted);
  EXPECT_EQ(Only(orders).target, SegmentId{40});
  EXPECT_FALSE(orders.Begin({1}));
}

TEST(CompactionOrders, FollowAMergeThatEndedWhileTheyWereMade) {
  CompactionOrders orders;
  orders.Replaced({1}, {{10}, {11}}, {40});
  orders.Replaced({1}, {{40}, {12}}, {41});
  orders.Add({Plan(1, {{10}, {11}, {13}}), Plan(2, {{12}})});
  EXPECT_EQ(orders.Begin({1})->inputs, (std::vector<SegmentId>{{13}, {41}}));
  EXPECT_FALSE(orders.Begin({1}));
  EXPECT_EQ(orders.Find({.job = 7})[1].target, SegmentId{41});
}

TEST(CompactionOrders, FailWithTheirShard) {
  CompactionOrders orders;
  orders.Add({Plan(1, {{10}}), Plan(2, {{20}}, 2, 8)});
  orders.Begin({1});
  orders.Fail({1}, {Code::kCollectionNotFound, "collection dropped"});
  EXPECT_EQ(Only(orders).state, CompactionState::kFailed);
  EXPECT_EQ(Only(orders).failure, "collection dropped");
  EXPECT_EQ(Only(orders, 8).state, CompactionState::kWaiting);
}

TEST(CompactionOrders, AreFoundByJobAndByCollection) {
  CompactionOrders orders;
  CompactionPlan other = Plan(2, {{20}}, 2, 8);
  other.collection = {4};
  orders.Add({Plan(1, {{10}}), other});
  EXPECT_EQ(orders.Find({.collection = {4}}).front().id, 2);
  EXPECT_EQ(orders.Find({.job = 7}).front().id, 1);
  EXPECT_TRUE(orders.Find({.job = 9}).empty());
}

TEST(CompactionOrders, KeepsWaitingOnesAndTheLatestThatEnded) {
  CompactionOrders orders;
  orders.Add({Plan(1, {{10}}, 2)});
  for (int64_t id = 2; id < 2 + 2 * static_cast<int64_t>(CompactionOrders::kEndedMax); ++id) {
    orders.Add({Plan(id, {{id}})});
    orders.End(orders.Begin({1})->plan, SegmentId{id});
  }
  const auto plans = orders.Find({.job = 7});
  EXPECT_EQ(plans.size(), 1 + CompactionOrders::kEndedMax);
  EXPECT_EQ(plans.front().id, 1);
  EXPECT_EQ(plans.back().id, 1 + 2 * static_cast<int64_t>(CompactionOrders::kEndedMax));
}

}  // namespace
}  // namespace elanus::worker
