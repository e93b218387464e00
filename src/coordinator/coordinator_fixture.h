// A coordinator over a store in memory and shards that only take notes, as its tests use it.
#pragma once

#include <gtest/gtest.h>

#include "coordinator/coordinator_service.h"
#include "coordinator/fake_shards.h"
#include "storage/meta/meta_store.h"

namespace elanus::coordinator {

using Kind = service::ShardChange::Kind;
using service::CollectionPtr;

inline model::CollectionSchema Schema(const std::string& name) {
  model::CollectionSchema schema{.name = name};
  schema.fields.push_back({.name = "id", .type = model::DataType::kInt64, .is_primary = true});
  schema.fields.push_back(
      {.name = "v", .type = model::DataType::kFloatVector, .type_params = {{"dim", "4"}}});
  return schema;
}

struct CoordinatorTest : ::testing::Test {
  FakeClock wall;
  model::HybridClock clock{wall};
  std::unique_ptr<storage::MetaStore> store = storage::NewMemoryMetaStore();
  std::unique_ptr<FakeShards> shards = std::make_unique<FakeShards>();
  std::unique_ptr<CoordinatorService> coordinator;

  void SetUp() override { Restart(); }

  /// A new process over the same store; shards know nothing.
  void Restart() {
    shards = std::make_unique<FakeShards>();
    coordinator = std::make_unique<CoordinatorService>(*store, *shards, clock);
    ASSERT_TRUE(coordinator->Recover().ok());
  }
  Status Create(const std::string& name, int32_t shards_num = 2) {
    return coordinator->Execute(service::CreateCollection{
        .database = "default", .schema = Schema(name), .shards_num = shards_num});
  }
  Status Index(const std::string& name, model::KeyValues params = {{"index_type", "HNSW"}}) {
    return coordinator->Execute(service::CreateIndex{
        .database = "default", .collection = name, .field = "v", .params = std::move(params)});
  }
  Status Load(const std::string& name, bool load = true) {
    return coordinator->Execute(
        service::SetLoad{.database = "default", .collection = name, .load = load});
  }
  CollectionPtr Find(const std::string& name) {
    auto found = coordinator->FindCollection("default", name);
    return found.has_value() ? *found : nullptr;
  }
  void ExpectError(const Status& status, Code code, const std::string& text) {
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
  }
};

}  // namespace elanus::coordinator
