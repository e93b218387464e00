// The owner of shards against a plain list of rows: random writes, flushes, merges, index builds,
// restarts and power losses; every answer must be what the list says.
#include "worker/stream/shard_owner.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <numeric>
#include <random>

#include "worker/stream/shard_owner_test_support.h"

namespace elanus::worker {
namespace {

TEST_F(ShardOwnerTest, AnswersLikeAPlainListThroughFlushMergeAndRestart) {
  std::mt19937 random(3);
  std::map<int64_t, int64_t> expected;
  std::vector<std::pair<model::Timestamp, std::map<int64_t, int64_t>>> history;
  for (int64_t step = 1; step <= 400; ++step) {
    const uint32_t what = random() % 20;
    std::vector<int64_t> keys;
    for (size_t i = 0; i <= random() % 60; ++i)
      keys.push_back(static_cast<int64_t>(random() % 3000));
    std::ranges::sort(keys);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    if (what < 12) {  // upsert
      auto reply = Write(Rows(keys, step), keys);
      ASSERT_TRUE(reply.has_value());
      for (int64_t key : keys) expected[key] = step;
      history.emplace_back(reply->timestamp, expected);
    } else if (what < 17) {
      ASSERT_TRUE(Write({}, keys).has_value());
      for (int64_t key : keys) expected.erase(key);
    } else if (what < 19) {
      Flush();
    } else {
      Restart();
    }
    if (step % 10 == 0) {
      ASSERT_EQ(Shown(), expected) << step;
      ASSERT_EQ(Count(), static_cast<int64_t>(expected.size()));
      if (!expected.empty()) {
        const int64_t key = std::next(expected.begin(), random() % expected.size())->first;
        const auto found = Search(key, 5);
        ASSERT_EQ(found.size(), std::min<size_t>(5, expected.size()));
        ASSERT_EQ(found[0], key);
      }
    }
  }
  Flush();
  Restart();
  EXPECT_EQ(Shown(), expected);
  // The wall clock of the fake stands still, so all of this history is within retention.
  for (size_t i = 0; i < history.size(); i += 17)
    EXPECT_EQ(Shown(history[i].first), history[i].second) << i;
}

TEST_F(ShardOwnerTest, InsertOfAnExistingKeyKeepsBothRowsAndShowsTheNewest) {
  ASSERT_TRUE(Write(Rows({7}, 1), {}).has_value());
  Flush();
  ASSERT_TRUE(Write(Rows({7}, 2), {}).has_value());
  EXPECT_EQ(Shown(), (std::map<int64_t, int64_t>{{7, 2}}));
  EXPECT_EQ(Count(), 2);
  EXPECT_EQ(Search(7, 10), std::vector<int64_t>{7});
  ASSERT_TRUE(Write({}, {7}).has_value());
  EXPECT_EQ(Count(), 0);
}

TEST_F(ShardOwnerTest, FewRowsBesideALoadDoNotKeepTheLog) {
  collection_ = std::make_shared<model::CollectionInfo>(*collection_);
  collection_->shards = {{1}, {2}};
  collection_->indexes.clear();  // only for speed
  options_.maintenance.flush.growing_bytes = 96 << 10;
  options_.maintenance.threads = false;
  Restart();
  ASSERT_TRUE(Write(Rows({1}, 1), {}, 1, 2).has_value());
  std::vector<int64_t> keys(200);
  for (int64_t batch = 0; batch < 100; ++batch) {  // some ten files of 64 KiB
    std::iota(keys.begin(), keys.end(), batch * std::ssize(keys));
    ASSERT_TRUE(Write(Rows(keys, 1), {}).has_value());
    while (process_->owner->RunMaintenance()) {
    }
    ASSERT_LE(process_->log->Stats().files, 4) << batch;
  }
  Restart();
  EXPECT_EQ(Count(), 100 * std::ssize(keys));
  service::QueryRequest request{.shard = {2}, .collection = {1}, .count_only = true};
  EXPECT_EQ(process_->owner->Query(request, {})->count, 1);
}

TEST_F(ShardOwnerTest, DroppedPartitionsStayDroppedAfterRestart) {
  ASSERT_TRUE(Write(Rows({1, 2}, 1), {}, 1).has_value());
  ASSERT_TRUE(Write(Rows({3, 4}, 1), {}, 2).has_value());
  Flush();
  ASSERT_TRUE(Write(Rows({5}, 1), {}, 2).has_value());
  ASSERT_TRUE(DropLastPartition().ok());
  EXPECT_EQ(Shown(), (std::map<int64_t, int64_t>{{1, 1}, {2, 1}}));
  EXPECT_EQ(Write(Rows({6}, 1), {}, 2).error().code(), Code::kPartitionNotFound);
  Restart();
  EXPECT_EQ(Shown(), (std::map<int64_t, int64_t>{{1, 1}, {2, 1}}));
  Flush();
  Restart();
  EXPECT_EQ(Shown(), (std::map<int64_t, int64_t>{{1, 1}, {2, 1}}));
}

TEST_F(ShardOwnerTest, TruncateLeavesNothingAndTakesNewRows) {
  ASSERT_TRUE(Write(Rows({1, 2}, 1), {}).has_value());
  Flush();
  ASSERT_TRUE(Write(Rows({3}, 1), {}).has_value());
  ASSERT_TRUE(process_->owner
                  ->Change({.kind = service::ShardChange::Kind::kTruncate,
                            .shard = {1},
                            .collection = collection_})
                  .ok());
  EXPECT_EQ(Count(), 0);
  ASSERT_TRUE(Write(Rows({9}, 2), {}).has_value());
  Restart();
  EXPECT_EQ(Shown(), (std::map<int64_t, int64_t>{{9, 2}}));
}

TEST_F(ShardOwnerTest, ADroppedShardLeavesNoFiles) {
  ASSERT_TRUE(Write(Rows({1, 2, 3}, 1), {}).has_value());
  Flush();
  ASSERT_TRUE(
      process_->owner
          ->Change(
              {.kind = service::ShardChange::Kind::kDrop, .shard = {1}, .collection = collection_})
          .ok());
  EXPECT_TRUE(process_->objects->List({.prefix = "shard/"})->empty());
  EXPECT_TRUE(meta_->Range("shard/")->empty());
}

TEST_F(ShardOwnerTest, FlushedSegmentsAreMergedBeforeTheyAreIndexed) {
  options_.maintenance.threads = false;
  Restart();
  for (int64_t flush = 0; flush < 3; ++flush) {
    std::vector<int64_t> keys;
    for (int64_t key = 0; key < 1500; ++key) keys.push_back(flush * 1500 + key);
    ASSERT_TRUE(Write(Rows(keys, 1), {}).has_value());
    Flush();
  }
  while (process_->owner->RunMaintenance()) {
  }
  const JobCounts jobs = process_->owner->counters().maintenance;
  EXPECT_EQ(jobs, (JobCounts{.flushes = 3, .merges = 1}));
  const service::ShardStats stats = *process_->owner->Stats({1});
  ASSERT_EQ(stats.segments.size(), 1u);
  EXPECT_EQ(stats.segments[0].rows, 4500);
  EXPECT_EQ(stats.segments[0].built_indexes, std::vector<IndexId>{{1}});
  EXPECT_EQ(Search(4321, 1), std::vector<int64_t>{4321});
}

TEST_F(ShardOwnerTest, AnIndexIsBuiltDroppedAndBuiltAnew) {
  options_.maintenance.threads = false;
  Restart();
  std::vector<int64_t> keys(1500);
  std::iota(keys.begin(), keys.end(), 0);
  ASSERT_TRUE(Write(Rows(keys, 1), {}).has_value());
  Flush();
  auto indexes = [&](std::vector<model::IndexInfo> wanted) {
    collection_ = std::make_shared<model::CollectionInfo>(*collection_);
    collection_->indexes = std::move(wanted);
    EXPECT_TRUE(process_->owner->Change({.shard = {1}, .collection = collection_}).ok());
    while (process_->owner->RunMaintenance()) {
    }
    return process_->objects->List({.prefix = "shard/1/index/"})->size();
  };
  model::IndexInfo index = collection_->indexes[0];
  EXPECT_EQ(indexes({index}), 1u);
  EXPECT_EQ(indexes({}), 0u);
  index.id = {2};
  EXPECT_EQ(indexes({index}), 1u);
  EXPECT_EQ(process_->owner->counters().maintenance.failures, 0u);
  EXPECT_EQ(Search(77, 1), std::vector<int64_t>{77});
}

TEST_F(ShardOwnerTest, AScalarIndexIsBuiltWithoutMergingWhatHasItsVectorIndex) {
  options_.maintenance.threads = false;
  options_.maintenance.merge.segments_max = 9;
  Restart();
  for (int64_t part = 0; part < 2; ++part) {
    std::vector<int64_t> keys(1500);
    std::iota(keys.begin(), keys.end(), part * 1500);
    ASSERT_TRUE(Write(Rows(keys, part), {}).has_value());
    Flush();
    while (process_->owner->RunMaintenance()) {
    }
  }
  const JobCounts before = process_->owner->counters().maintenance;
  collection_ = std::make_shared<model::CollectionInfo>(*collection_);
  collection_->indexes.push_back(
      {.id = {2}, .name = "version", .field = {102}, .params = {{"index_type", "INVERTED"}}});
  ASSERT_TRUE(process_->owner->Change({.shard = {1}, .collection = collection_}).ok());
  const service::ShardStats pending = *process_->owner->Stats({1});
  EXPECT_EQ(pending.segments[0].built_indexes, std::vector<IndexId>{{1}});
  while (process_->owner->RunMaintenance()) {
  }
  const JobCounts after = process_->owner->counters().maintenance;
  EXPECT_EQ(after.merges, before.merges);
  EXPECT_EQ(after.index_builds, before.index_builds + pending.segments.size());
  auto count = [&](int64_t version) {
    const auto root = std::make_shared<const expr::Node>(
        expr::Node{.form = expr::Compare{.column = {{102}, model::DataType::kInt64, {}},
                                         .op = expr::CompareOp::kEq,
                                         .value = expr::Value{version}}});
    return process_->owner
        ->Query({.shard = {1}, .collection = {1}, .filter = {.root = root}, .count_only = true}, {})
        ->count;
  };
  ASSERT_TRUE(Write({}, {3, 4}).has_value());
  EXPECT_EQ(count(0), 1498);
  EXPECT_EQ(count(1), 1500);
  Restart();
  EXPECT_EQ(count(0), 1498);
  for (const service::SegmentStats& segment : process_->owner->Stats({1})->segments)
    EXPECT_EQ(segment.built_indexes, (std::vector<IndexId>{{1}, {2}}));
}

TEST_F(ShardOwnerTest, AFailedSyncOfTheLogIsToldOnce) {
  std::vector<std::string> told;
  options_.log.broken = [&](const Status& why) { told.push_back(why.message()); };
  Restart();
  ASSERT_TRUE(Write(Rows({1}, 1), {}).has_value());
  EXPECT_TRUE(told.empty());
  files_.FailSync(0, EIO);
  EXPECT_FALSE(Write(Rows({2}, 1), {}).has_value());
  EXPECT_FALSE(Write(Rows({3}, 1), {}).has_value());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("sync"), std::string::npos) << told[0];
}

TEST_F(ShardOwnerTest, WritersThatMeetInTheLogWaitForOneAnother) {
  options_.log.bytes_in_flight_max = 1;
  Restart();
  std::vector<Thread> writers;
  for (int64_t writer = 0; writer < 8; ++writer) {
    writers.emplace_back("writer", [this, writer] {
      for (int64_t i = 0; i < 10; ++i) {
        EXPECT_TRUE(Write(Rows({writer * 10 + i}, 1), {}).has_value());
      }
    });
  }
  for (Thread& writer : writers) writer.Join();
  EXPECT_EQ(Shown().size(), 80u);
}

TEST_F(ShardOwnerTest, WritersOverTheBoundWaitForAFlush) {
  options_.gate.unflushed_bytes_max = 4 << 10;
  options_.maintenance.flush.growing_bytes = 1 << 30;
  options_.maintenance.flush.log_files = UINT64_MAX;
  Restart();
  std::map<int64_t, int64_t> expected;
  for (int64_t write = 0; write < 40; ++write) {
    std::vector<int64_t> keys;
    for (int64_t key = 0; key < 60; ++key) keys.push_back(write * 60 + key);
    ASSERT_TRUE(Write(Rows(keys, write), {}).has_value());
    for (int64_t key : keys) expected[key] = write;
  }
  EXPECT_EQ(Shown(), expected);
  EXPECT_GE(process_->owner->counters().maintenance.flushes, 5u);
}

TEST_F(ShardOwnerTest, AShardWhoseManifestIsDamagedCanBeDropped) {
  ASSERT_TRUE(Write(Rows({1, 2, 3}, 1), {}).has_value());
  Flush();
  const auto names = *process_->objects->List({.prefix = "shard/1/manifest/"});
  ASSERT_EQ(names.size(), 1u);
  process_.reset();
  ASSERT_TRUE(files_.WriteFile("objects/" + names[0], "nonsense").ok());
  Restart();
  ASSERT_FALSE(process_->owner->Search({.shard = {1}, .field = {101}}, {}).has_value());
  ASSERT_TRUE(
      process_->owner
          ->Change(
              {.kind = service::ShardChange::Kind::kDrop, .shard = {1}, .collection = collection_})
          .ok());
  EXPECT_TRUE(process_->objects->List({.prefix = "shard/"})->empty());
  EXPECT_TRUE(meta_->Range("shard/")->empty());
}

TEST_F(ShardOwnerTest, ADamagedSegmentParksItsShardWithTheFilesName) {
  std::vector<int64_t> keys;
  for (int64_t key = 0; key < 100; ++key) keys.push_back(key);
  ASSERT_TRUE(Write(Rows(keys, 1), {}).has_value());
  Flush();
  const auto names = *process_->objects->List({.prefix = "shard/1/segment/"});
  ASSERT_EQ(names.size(), 1u);
  std::string bytes = *process_->objects->Get(names[0]);
  bytes[100] ^= 1;
  process_.reset();
  ASSERT_TRUE(files_.WriteFile("objects/" + names[0], bytes).ok());
  Restart();
  service::QueryRequest request{.shard = {1}, .collection = {1}};
  auto reply = process_->owner->Query(request, {});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code(), Code::kDataIntegrity);
  EXPECT_NE(reply.error().message().find(names[0]), std::string::npos);
}

/// What stats say of a shard's segments, added up.
struct Loaded {
  int64_t wanted = 0;
  int64_t there = 0;
};

class ShardLoadTest : public ShardOwnerTest {
 protected:
  /// A segment of 1,500 rows and an HNSW index in each of two partitions.
  void Fill() {
    options_.maintenance.threads = false;
    Restart();
    for (int64_t partition = 1; partition <= 2; ++partition) {
      std::vector<int64_t> keys(1500);
      std::iota(keys.begin(), keys.end(), partition * 1500);
      ASSERT_TRUE(Write(Rows(keys, 1), {}, partition).has_value());
      Flush();
      Work();
    }
  }
  void Work() {
    while (process_->owner->RunMaintenance()) {
    }
  }
  void Load(bool first, bool second) {
    collection_ = std::make_shared<model::CollectionInfo>(*collection_);
    collection_->partitions[0].loaded = first;
    collection_->partitions[1].loaded = second;
    collection_->loaded = first || second;
    EXPECT_TRUE(process_->owner->Change({.shard = {1}, .collection = collection_}).ok());
  }
  service::ShardStats Stats() { return *process_->owner->Stats({1}); }
  Loaded Of(int64_t partition) {
    Loaded loaded;
    for (const service::SegmentStats& segment : Stats().segments) {
      if (segment.partition != PartitionId{partition}) continue;
      loaded.wanted += segment.bytes_to_load;
      loaded.there += segment.bytes_loaded;
    }
    return loaded;
  }
};

TEST_F(ShardLoadTest, TellsWhatALoadHasBroughtInPartitionByPartition) {
  Fill();
  const int64_t vectors = 1500 * kDim * sizeof(float);
  EXPECT_FALSE(Stats().loading);  // the process began with it
  for (int64_t partition = 1; partition <= 2; ++partition) {
    EXPECT_GT(Of(partition).wanted, vectors) << partition;  // and the index
    EXPECT_EQ(Of(partition).there, Of(partition).wanted) << partition;
  }
  Load(false, false);
  Work();
  EXPECT_FALSE(Stats().loading);
  EXPECT_EQ(Of(1).there, 0);
  EXPECT_EQ(process_->owner->counters().bytes_indexes, 0u);

  Load(false, true);
  EXPECT_TRUE(Stats().loading);
  EXPECT_EQ(Of(2).there, 0);
  Work();
  EXPECT_FALSE(Stats().loading);
  EXPECT_EQ(Of(2).there, Of(2).wanted);
  EXPECT_EQ(Of(1).there, 0);
  EXPECT_EQ(process_->owner->counters().bytes_vectors, static_cast<uint64_t>(vectors));

  Load(true, true);
  EXPECT_TRUE(Stats().loading);
  Work();
  EXPECT_FALSE(Stats().loading);
  EXPECT_EQ(Of(1).there, Of(1).wanted);
  Load(true, false);
  Work();
  EXPECT_EQ(Of(2).there, 0);
  EXPECT_EQ(Of(1).there, Of(1).wanted);
}

TEST_F(ShardLoadTest, ALoadThatFailsGoesOnAndEndsOnceItsFileIsWhole) {
  Fill();
  Load(false, false);
  Work();
  const std::string name = process_->objects->List({.prefix = "shard/1/index/"})->front();
  const std::string whole = *process_->objects->Get(name);
  std::string damaged = whole;
  damaged[0] ^= 1;
  ASSERT_TRUE(files_.WriteFile("objects/" + name, damaged).ok());
  Load(true, true);
  Work();
  EXPECT_TRUE(Stats().loading);
  EXPECT_NE(Stats().load_fault.message().find(name), std::string::npos)
      << Stats().load_fault.message();
  EXPECT_LT(Of(1).there + Of(2).there, Of(1).wanted + Of(2).wanted);
  EXPECT_EQ(Search(1600, 1), std::vector<int64_t>{1600});  // rows are there without
  ASSERT_TRUE(files_.WriteFile("objects/" + name, whole).ok());
  Load(true, true);  // as a refresh does
  Work();
  EXPECT_FALSE(Stats().loading);
  EXPECT_TRUE(Stats().load_fault.ok());
  EXPECT_EQ(Of(1).there + Of(2).there, Of(1).wanted + Of(2).wanted);
}

/// Counts the looks at it, and is never late.
class CountedClock final : public Clock {
 public:
  int64_t WallMs() const override { return 0; }
  int64_t MonotonicUs() const override {
    ++looks_;
    return 0;
  }
  size_t looks() const { return looks_; }

 private:
  mutable std::atomic<size_t> looks_ = 0;
};

TEST_F(ShardOwnerTest, ASearchOfManyQueriesLooksAtItsCancelForEachStepOfEachQuery) {
  std::vector<int64_t> keys(300);
  std::iota(keys.begin(), keys.end(), 0);
  ASSERT_TRUE(Write(Rows(keys, 1), {}).has_value());
  constexpr int64_t kQueries = 16'384;
  service::SearchRequest request{.shard = {1},
                                 .collection = {1},
                                 .field = {101},
                                 .nq = kQueries,
                                 .top_k = 3,
                                 .output_fields = {{102}}};
  request.vectors.resize(kQueries * kDim * sizeof(float), '\0');
  const CountedClock clock;
  auto reply = process_->owner->Search(
      request, Cancel{.deadline_us = Cancel::kNoDeadline - 1, .clock = &clock});
  ASSERT_TRUE(reply.has_value()) << reply.error().message();
  // Taking the hits of a query, merging them, turning them into a reply; then fields by the
  // thousand.
  EXPECT_GE(clock.looks(), 3 * kQueries + 3 * kQueries / 1024);
}

}  // namespace
}  // namespace elanus::worker
