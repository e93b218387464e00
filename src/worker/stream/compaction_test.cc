// Merges on request through the shard owner, step by step on one thread.
#include <numeric>

#include "worker/stream/shard_owner_test_support.h"

namespace elanus::worker {
namespace {

using service::CompactionPlan;
using service::CompactionState;

class CompactionTest : public ShardOwnerTest {
 protected:
  CompactionTest() {
    options_.maintenance.threads = false;
    Restart();
  }

  /// One sealed segment with these keys.
  void Seal(int64_t first, int64_t count, int64_t partition = 1) {
    std::vector<int64_t> keys(static_cast<size_t>(count));
    std::iota(keys.begin(), keys.end(), first);
    ASSERT_TRUE(Write(Rows(keys, 1), {}, partition).has_value());
    Flush();
  }
  std::vector<SegmentId> Sealed() {
    std::vector<SegmentId> ids;
    const auto stats = process_->owner->Stats({1});
    for (const auto& segment : stats->segments) {
      if (segment.state == service::SegmentState::kSealed) ids.push_back(segment.id);
    }
    return ids;
  }
  std::vector<CompactionPlan> Compact(service::CompactionRequest request = {}) {
    request.shard = {1};
    request.job = 7;
    auto planned = process_->owner->Compact(request);
    EXPECT_TRUE(planned.has_value()) << planned.error().message();
    return planned.has_value() ? planned->plans : std::vector<CompactionPlan>{};
  }
  std::vector<CompactionPlan> Plans() { return process_->owner->Compactions({.job = 7})->plans; }
  void Work() {
    while (process_->owner->RunMaintenance()) {
    }
  }
};

TEST_F(CompactionTest, MergesWhatThePolicyLeavesAlone) {
  Seal(0, 1200);
  Work();         // now it has its index
  Seal(5000, 3);  // much smaller: the policy waits for more of them
  Work();
  const std::vector<SegmentId> before = Sealed();
  ASSERT_EQ(before.size(), 2u);
  const auto planned = Compact();
  ASSERT_EQ(planned.size(), 1u);
  EXPECT_EQ(planned[0].state, CompactionState::kWaiting);
  EXPECT_EQ(planned[0].sources, before);
  Work();
  const std::vector<SegmentId> after = Sealed();
  ASSERT_EQ(after.size(), 1u);
  ASSERT_EQ(Plans().size(), 1u);
  EXPECT_EQ(Plans()[0].state, CompactionState::kCompleted);
  EXPECT_EQ(Plans()[0].target, after[0]);
  EXPECT_EQ(Count(), 1203);
  EXPECT_EQ(Search(5001, 1), std::vector<int64_t>{5001});
  Restart();
  EXPECT_EQ(Sealed(), after);
  EXPECT_TRUE(Plans().empty()) << "jobs are kept in memory";
}

TEST_F(CompactionTest, KeepsPartitionsApartAndTakesOnlyTheOneNamed) {
  Seal(0, 5, 1);
  Seal(10, 5, 1);
  Seal(20, 5, 2);
  Seal(30, 5, 2);
  EXPECT_EQ(Compact({.partition = {2}}).size(), 1u);
  EXPECT_EQ(Plans()[0].partition, PartitionId{2});
  Work();
  EXPECT_EQ(Count(), 20);
}

TEST_F(CompactionTest, ALoneSegmentIsRewrittenOnlyForDeletesThatAreOver) {
  options_.maintenance.retention_ms = 0;
  Restart();
  Seal(0, 100);
  auto planned = Compact();
  ASSERT_EQ(planned.size(), 1u);
  EXPECT_EQ(planned[0].state, CompactionState::kCompleted);
  EXPECT_EQ(planned[0].target, Sealed()[0]);
  ASSERT_TRUE(Write({}, {3, 4}).has_value());
  Flush();
  planned = Compact();
  ASSERT_EQ(planned.size(), 1u);
  EXPECT_EQ(planned[0].state, CompactionState::kWaiting);
  Work();
  EXPECT_NE(Plans()[1].target, planned[0].sources[0]);
  EXPECT_EQ(process_->owner->Stats({1})->segments[0].rows, 98);
}

TEST_F(CompactionTest, ALoneSegmentIsRewrittenForRowsWhoseOwnTimeIsOver) {
  options_.maintenance.retention_ms = 0;
  Restart();
  Seal(0, 100);
  ASSERT_EQ(Compact()[0].state, CompactionState::kCompleted);
  auto mortal = std::make_shared<model::CollectionInfo>(*collection_);
  mortal->schema.fields.push_back({.id = {103},
                                   .name = "until",
                                   .type = model::DataType::kTimestamptz,
                                   .nullable = true,
                                   .default_value = model::Scalar(int64_t{1})});
  mortal->properties.emplace_back("ttl_field", "until");
  collection_ = mortal;
  ASSERT_TRUE(process_->owner->Change({.shard = {1}, .collection = collection_}).ok());
  ASSERT_EQ(Compact()[0].state, CompactionState::kWaiting);
  Work();
  EXPECT_TRUE(Sealed().empty());
}

TEST_F(CompactionTest, AMergeThatLeavesNoRowHasNoTarget) {
  options_.maintenance.retention_ms = 0;
  Restart();
  Seal(0, 3);
  Seal(10, 3);
  ASSERT_TRUE(Write({}, {0, 1, 2, 10, 11, 12}).has_value());
  Flush();
  ASSERT_EQ(Compact().size(), 1u);
  Work();
  EXPECT_EQ(Plans()[0].state, CompactionState::kCompleted);
  EXPECT_FALSE(Plans()[0].target);
  EXPECT_TRUE(Sealed().empty());
}

TEST_F(CompactionTest, ADroppedPartitionFailsItsPlan) {
  Seal(0, 5, 2);
  Seal(10, 5, 2);
  ASSERT_EQ(Compact().size(), 1u);
  ASSERT_TRUE(DropLastPartition().ok());
  Work();
  EXPECT_EQ(Plans()[0].state, CompactionState::kFailed);
  EXPECT_NE(Plans()[0].failure.find("dropped"), std::string::npos) << Plans()[0].failure;
}

TEST_F(CompactionTest, ADroppedCollectionFailsItsPlan) {
  Seal(0, 5);
  Seal(10, 5);
  ASSERT_EQ(Compact().size(), 1u);
  ASSERT_TRUE(
      process_->owner
          ->Change(
              {.kind = service::ShardChange::Kind::kDrop, .shard = {1}, .collection = collection_})
          .ok());
  EXPECT_EQ(Plans()[0].state, CompactionState::kFailed);
}

TEST_F(CompactionTest, ATargetBelowTheLimitOfSegmentsIsRefused) {
  auto refused = process_->owner->Compact({.job = 7, .shard = {1}, .target_mb = 1023});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Code::kInvalidParameter);
  EXPECT_EQ(refused.error().message(),
            "targetSize 1023 MB should be greater than or equal to configMaxSize 1024 MB: invalid "
            "parameter");
  EXPECT_TRUE(process_->owner->Compact({.shard = {1}, .target_mb = INT64_MAX}).has_value());
  EXPECT_FALSE(process_->owner->Compact({.shard = {1}, .target_mb = -5}).has_value());
}

TEST_F(CompactionTest, StatsSayHowFarAnIndexIs) {
  std::vector<int64_t> rows;
  options_.maintenance.at_step = [&](JobStep step) {
    if (step != JobStep::kIndexWritten) return;
    for (const auto& segment : process_->owner->Stats({1})->segments) {
      EXPECT_TRUE(segment.built_indexes.empty());
      for (const auto& part : segment.building) rows.push_back(part.rows);
    }
  };
  Restart();
  Seal(0, 2000);
  Work();
  EXPECT_EQ(rows, std::vector<int64_t>{2000});
  EXPECT_TRUE(process_->owner->Stats({1})->segments.at(0).building.empty());
}

TEST_F(CompactionTest, AnIndexOnAFieldThatCameLaterCountsAsBuiltOnOlderSegments) {
  Seal(0, 1500);
  auto with_field = std::make_shared<model::CollectionInfo>(*collection_);
  with_field->schema.fields.push_back({.id = {103},
                                       .name = "w",
                                       .type = model::DataType::kFloatVector,
                                       .nullable = true,
                                       .type_params = {{"dim", "4"}}});
  with_field->indexes.push_back({.id = {2},
                                 .name = "w",
                                 .field = {103},
                                 .params = {{"index_type", "HNSW"}, {"metric_type", "L2"}}});
  collection_ = with_field;
  ASSERT_TRUE(process_->owner->Change({.shard = {1}, .collection = collection_}).ok());
  Work();
  EXPECT_EQ(process_->owner->counters().maintenance.failures, 0u);
  const auto stats = process_->owner->Stats({1});
  EXPECT_EQ(stats->segments.at(0).built_indexes, (std::vector<IndexId>{{1}, {2}}));
}

}  // namespace
}  // namespace elanus::worker
