// What the tests of the shard owner share: a process on a simulated disk with one collection of one
// shard, and its rows as a plain map. Test code only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/sim_file_system.h"
#include "worker/stream/shard_owner.h"

namespace elanus::worker {

inline constexpr size_t kDim = 4;

inline std::shared_ptr<model::CollectionInfo> TestCollection() {
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
  info->partitions = {{.id = {1}, .name = "_default", .loaded = true},
                      {.id = {2}, .name = "other", .loaded = true}};
  info->indexes = {{.id = {1},
                    .name = "v",
                    .field = {101},
                    .params = {{"index_type", "HNSW"}, {"metric_type", "L2"}}}};
  info->loaded = true;
  return info;
}

/// A vector that names its key, so that a row's content can be checked.
inline std::vector<float> VectorOf(int64_t key) {
  return {static_cast<float>(key % 17), static_cast<float>(key % 5), static_cast<float>(key), 1.0f};
}

inline model::RowBatch Rows(const std::vector<int64_t>& keys, int64_t version) {
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
                                    int64_t partition = 1, int64_t shard = 1) {
    std::promise<Result<service::WriteReply>> promise;
    auto future = promise.get_future();
    service::WriteRequest request{
        .shard = {shard}, .collection = {1}, .partition = {partition}, .rows = std::move(rows)};
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

  /// Partition 2, the last one of the collection.
  Status DropLastPartition() {
    collection_ = std::make_shared<model::CollectionInfo>(*collection_);
    collection_->partitions.pop_back();
    return process_->owner->Change({.kind = service::ShardChange::Kind::kDropPartition,
                                    .shard = {1},
                                    .partition = {2},
                                    .collection = collection_});
  }

  SimFileSystem files_;
  std::unique_ptr<storage::MetaStore> meta_;
  ShardOwnerOptions options_;
  std::shared_ptr<model::CollectionInfo> collection_ = TestCollection();
  uint64_t term_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace elanus::worker
