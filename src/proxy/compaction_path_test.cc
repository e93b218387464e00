#include "proxy/compaction_path.h"

#include "proxy/fixture.h"

namespace elanus::proxy {
namespace {

using service::CompactCall;

class CompactionPathTest : public testing::Test {
 protected:
  CompactionPathTest() { Use(SampleCollection()); }

  void Use(const model::CollectionInfo& info) {
    coordinator_.collections["c"] = std::make_shared<const model::CollectionInfo>(info);
  }
  service::CompactReply Compact(const CompactCall& compact) {
    auto reply = frontend_.Compact({}, compact);
    EXPECT_TRUE(reply.has_value()) << reply.error().message();
    return reply.value_or(service::CompactReply{});
  }
  Status Refused(const CompactCall& compact) { return StatusOf(frontend_.Compact({}, compact)); }

  model::HybridClock clock_{SystemClock()};
  FakeCoordinator coordinator_;
  FakeShards shards_{clock_, FieldId{100}};
  RowFrontend frontend_{coordinator_, shards_, clock_};
};

TEST_F(CompactionPathTest, OneJobCoversEveryShard) {
  const auto reply = Compact({.collection = "c", .partition = {12}, .target_mb = 2048});
  EXPECT_GT(reply.job, 0);
  EXPECT_EQ(reply.plans, 2);
  ASSERT_EQ(shards_.compactions.size(), 2u);
  for (const auto& request : shards_.compactions) {
    EXPECT_EQ(request.job, reply.job);
    EXPECT_EQ(request.partition, PartitionId{12});
    EXPECT_EQ(request.target_mb, 2048);
  }
  EXPECT_EQ(frontend_.CompactionsOfJob(reply.job)->plans.size(), 2u);
  EXPECT_EQ(frontend_.CompactionsOf({}, "c")->plans.size(), 2u);
  EXPECT_TRUE(frontend_.CompactionsOfJob(reply.job + 1)->plans.empty());
  EXPECT_TRUE(frontend_.CompactionsOfJob(-1)->plans.empty());
}

TEST_F(CompactionPathTest, NothingToMergeIsJobMinusOne) {
  shards_.nothing_to_merge = {{21}, {22}};
  EXPECT_EQ(Compact({.collection = "c"}).job, -1);
}

TEST_F(CompactionPathTest, AChannelIsOneShard) {
  EXPECT_EQ(Compact({.collection = "c", .shard = {22}}).plans, 1);
  ASSERT_EQ(shards_.compactions.size(), 1u);
  EXPECT_EQ(shards_.compactions[0].shard, ShardId{22});
}

TEST_F(CompactionPathTest, ClusteringNeedsAClusteringKey) {
  EXPECT_EQ(Compact({.collection = "c", .clustering = true}).job, -1);
  auto info = SampleCollection();
  info.schema.fields[3].is_clustering_key = true;
  Use(info);
  EXPECT_GT(Compact({.collection = "c", .clustering = true}).job, 0);
  EXPECT_EQ(shards_.compactions.at(0).kind, service::CompactionKind::kClustering);
}

TEST_F(CompactionPathTest, ThereIsNoLevelOfDeletesToMerge) {
  EXPECT_EQ(Compact({.collection = "c", .deletes_only = true}).job, -1);
  EXPECT_TRUE(shards_.compactions.empty());
}

TEST_F(CompactionPathTest, NamedSegmentsMustBeThereAndSealed) {
  shards_.stats[{21}].segments = {{.id = {1}, .state = service::SegmentState::kSealed},
                                  {.id = {2}, .state = service::SegmentState::kGrowing}};
  EXPECT_EQ(Compact({.collection = "c", .segments = {{1}}}).plans, 2);
  ExpectError(Refused({.collection = "c", .segments = {{1}, {2}}}), Code::kInternal,
              "not all segment ids provided could be compacted");
}

TEST_F(CompactionPathTest, UnknownCollectionsAreSaid) {
  ExpectError(Refused({.collection = "nowhere"}), Code::kCollectionNotFound,
              "collection not found");
  ExpectError(Refused({.id = {999}}), Code::kCollectionNotFound, "collection not found");
  EXPECT_FALSE(frontend_.CompactionsOf({}, "nowhere").has_value());
}

}  // namespace
}  // namespace elanus::proxy
