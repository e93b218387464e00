// The owner of shards against a plain list of rows: random writes, flushes, merges, index builds,
// restarts and power losses; every answer must be what the list says.
#include "worker/stream/shard_owner.h"

#include <gtest/gtest.h>

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <map>
#include <random>

#include "base/sim_file_system.h"

namespace elanus::worker {
namespace {

constexpr size_t kDim = 4;

std::shared_ptr<model::CollectionInfo> Collection() {
  auto info = std::make_shared<model::CollectionInfo>();
  info->id = {1};
  info->name = "c";
  info->schema.fields.push_back(
      {.id = {100}, .name = "id", .type = model::DataType::kInt64, .is_primary = true});
  info->schema.fields.push_back({.id = {101},
                                 .name = "v",
                                 .type = model::DataType::kFloatVector,
                                 .type_params = {{"dim", std::to_string(kDim)}}});
  info->schema.fields.push_back({.id = {102}, .name = "version", .type = model::DataType::kInt64});
  info->shards = {{1}};
  info->partitions = {{.id = {1}, .name = "_default"}, {.id = {2}, .name = "other"}};
  info->indexes = {{.id = {1},
                    .name = "v",
                    .field = {101},
                    .params = {{"index_type", "HNSW"}, {"metric_type", "L2"}}}};
  info->loaded = true;
  return info;
}

/// A vector that names its key, so that a row's content can be checked.
std::vector<float> VectorOf(int64_t key) {
  return {static_cast<float>(key % 17), static_cast<float>(key % 5), static_cast<float>(key), 1.0f};
}

model::RowBatch Rows(const std::vector<int64_t>& keys, int64_t version) {
  model::RowBatch batch{.rows = keys.size()};
  model::Column ids = model::MakeColumn({100}, model::DataType::kInt64);
  model::Column vectors = model::MakeColumn({101}, model::DataType::kFloatVector, kDim);
  model::Column versions = model::MakeColumn({102}, model::DataType::kInt64);
  for (int64_t key : keys) {
    ids.Append(key);
    const std::vector<float> v = VectorOf(key);
    vectors.AppendValue({reinterpret_cast<const char*>(v.data()), kDim * sizeof(float)});
    versions.Append(version);
  }
  batch.columns = {ids, vectors, versions};
  return batch;
}

/// Everything a process has open; destroyed and made again for a restart.
struct Process {
  Process(FileSystem& files, storage::MetaStore& meta, const ShardOwnerOptions& options,
          const std::vector<service::CollectionPtr>& collections, uint64_t term)
      : clock(wall) {
    auto opened_objects = storage::OpenDirectoryObjectStore(files, "objects");
    EXPECT_TRUE(opened_objects.has_value()) << opened_objects.error().message();
    objects = std::move(*opened_objects);
    auto opened_log = storage::OpenFileLog(files, "log", {.term = term, .file_bytes = 64 << 10});
    EXPECT_TRUE(opened_log.has_value()) << opened_log.error().message();
    log = std::move(*opened_log);
    auto opened = ShardOwner::Open(
        {.meta = &meta, .objects = objects.get(), .log = log.get(), .clock = &clock}, options,
        collections);
    EXPECT_TRUE(opened.has_value());
    owner = std::move(*opened);
  }
  ~Process() {
    owner.reset();
    log.reset();
  }

  FakeClock wall;
  model::HybridClock clock;
  std::unique_ptr<storage::ObjectStore> objects;
  std::unique_ptr<storage::Log> log;
  std::unique_ptr<ShardOwner> owner;
};

class ShardOwnerTest : public testing::Test {
 protected:
  ShardOwnerTest() : meta_(storage::NewMemoryMetaStore()) {
    options_.maintenance.flush.growing_bytes = 8 << 10;
    options_.maintenance.build_threads = 1;
    Restart();
  }

  void Restart() {
    process_.reset();
    process_ = std::make_unique<Process>(files_, *meta_, options_,
                                         std::vector<service::CollectionPtr>{collection_}, ++term_);
  }

  Result<service::WriteReply> Write(model::RowBatch rows, std::vector<int64_t> deletes,
                                    int64_t partition = 1) {
    std::promise<Result<service::WriteReply>> promise;
    auto future = promise.get_future();
    service::WriteRequest request{
        .shard = {1}, .collection = {1}, .partition = {partition}, .rows = std::move(rows)};
    request.deletes.ints = std::move(deletes);
    process_->owner->Write(std::move(request),
                           [&](Result<service::WriteReply> r) { promise.set_value(std::move(r)); });
    return future.get();
  }

  service::QueryReply Query(std::optional<model::Timestamp> at = {}) {
    service::QueryRequest request{.shard = {1}, .collection = {1}, .output_fields = {{102}, {101}}};
    request.read.exactly = at;
    auto reply = process_->owner->Query(request, {});
    EXPECT_TRUE(reply.has_value()) << reply.error().message();
    return *reply;
  }

  /// key -> version of what a query shows, contents checked.
  std::map<int64_t, int64_t> Shown(std::optional<model::Timestamp> at = {}) {
    const service::QueryReply reply = Query(at);
    std::map<int64_t, int64_t> shown;
    for (size_t i = 0; i < reply.keys.size(); ++i) {
      shown[reply.keys.ints[i]] = reply.rows.columns[0].Values<int64_t>()[i];
      const auto v = reply.rows.columns[1].Values<float>().subspan(i * kDim, kDim);
      EXPECT_TRUE(std::ranges::equal(v, VectorOf(reply.keys.ints[i])));
    }
    EXPECT_TRUE(std::ranges::is_sorted(reply.keys.ints));
    return shown;
  }

  int64_t Count() {
    service::QueryRequest request{.shard = {1}, .collection = {1}, .count_only = true};
    return process_->owner->Query(request, {})->count;
  }

  std::vector<int64_t> Search(int64_t key, int64_t top_k) {
    const std::vector<float> v = VectorOf(key);
    service::SearchRequest request{.shard = {1}, .collection = {1}, .field = {101}, .top_k = top_k};
    request.vectors.assign(reinterpret_cast<const char*>(v.data()), kDim * sizeof(float));
    auto reply = process_->owner->Search(request, {});
    EXPECT_TRUE(reply.has_value()) << reply.error().message();
    return reply->keys.ints;
  }

  void Flush() {
    auto flushed = process_->owner->Flush({1}, {});
    EXPECT_TRUE(flushed.has_value()) << flushed.error().message();
  }

  SimFileSystem files_;
  std::unique_ptr<storage::MetaStore> meta_;
  ShardOwnerOptions options_;
  std::shared_ptr<model::CollectionInfo> collection_ = Collection();
  uint64_t term_ = 0;
  std::unique_ptr<Process> process_;
};

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

TEST_F(ShardOwnerTest, DroppedPartitionsStayDroppedAfterRestart) {
  ASSERT_TRUE(Write(Rows({1, 2}, 1), {}, 1).has_value());
  ASSERT_TRUE(Write(Rows({3, 4}, 1), {}, 2).has_value());
  Flush();
  ASSERT_TRUE(Write(Rows({5}, 1), {}, 2).has_value());
  collection_ = std::make_shared<model::CollectionInfo>(*collection_);
  collection_->partitions.pop_back();
  ASSERT_TRUE(process_->owner
                  ->Change({.kind = service::ShardChange::Kind::kDropPartition,
                            .shard = {1},
                            .partition = {2},
                            .collection = collection_})
                  .ok());
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

}  // namespace
}  // namespace elanus::worker
