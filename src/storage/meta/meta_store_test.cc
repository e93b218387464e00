#include "storage/meta/meta_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>

#include "base/file_system.h"
#include "base/thread.h"
#include "storage/meta/faulty_meta_store.h"

namespace elanus::storage {
namespace {

class MetaStoreContract : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      dir_ = (std::filesystem::temp_directory_path() / "elanus_meta_XXXXXX").string();
      ASSERT_NE(::mkdtemp(dir_.data()), nullptr);
    }
    Open();
  }
  void TearDown() override {
    store_.reset();
    if (GetParam()) std::filesystem::remove_all(dir_);
  }
  void Open() {
    auto store = GetParam() ? OpenRocksMetaStore(dir_ + "/a/meta") : NewMemoryMetaStore();
    ASSERT_TRUE(store.has_value());
    store_ = *std::move(store);
  }
  MetaCommit Put(const std::string& key, const std::string& value, int64_t expected) {
    return *store_->Commit({.compares = {{key, expected}}, .puts = {{key, value}}});
  }

  std::string dir_;
  std::unique_ptr<MetaStore> store_;
};

TEST_P(MetaStoreContract, CommitsOnlyWhenEveryCompareHolds) {
  EXPECT_FALSE(store_->Get("a")->has_value());
  MetaCommit first = Put("a", "1", 0);
  ASSERT_TRUE(first.committed);
  EXPECT_EQ(**store_->Get("a"), (MetaEntry{"a", "1", first.revision}));
  EXPECT_FALSE(Put("a", "2", 0).committed);
  EXPECT_FALSE(Put("a", "2", first.revision + 1).committed);
  EXPECT_FALSE(Put("b", "2", 7).committed);
  MetaTxn both{.compares = {{"a", first.revision}, {"b", 7}}, .puts = {{"a", "2"}, {"b", "2"}}};
  EXPECT_EQ(store_->Commit(both)->revision, first.revision) << "the newest revision";
  EXPECT_EQ((*store_->Get("a"))->value, "1");
  EXPECT_FALSE(store_->Get("b")->has_value());
  both.compares[1].revision = 0;
  MetaCommit second = *store_->Commit(both);
  ASSERT_TRUE(second.committed);
  EXPECT_GT(second.revision, first.revision);
  EXPECT_EQ((*store_->Get("b"))->revision, second.revision);
}

TEST_P(MetaStoreContract, NeverGivesARevisionTwice) {
  int64_t first = Put("a", "1", 0).revision;
  MetaCommit gone = *store_->Commit({.compares = {{"a", first}}, .deletes = {"a", "never"}});
  ASSERT_TRUE(gone.committed);
  EXPECT_FALSE(store_->Get("a")->has_value());
  EXPECT_FALSE(Put("a", "2", first).committed);
  EXPECT_GT(Put("a", "2", 0).revision, gone.revision);
}

TEST_P(MetaStoreContract, ReadsAPrefixInByteOrder) {
  const std::string zero("b/\0x", 4);
  const std::vector<std::string> put = {"b/2", "a", "b/10", "b/1", "b", "b0", "b/\xff", zero};
  for (const std::string& key : put) {
    ASSERT_TRUE(Put(key, "v" + key, 0).committed);
  }
  std::vector<std::string> keys;
  const std::vector<MetaEntry> entries = *store_->Range("b/");
  for (const MetaEntry& entry : entries) {
    keys.push_back(entry.key);
    EXPECT_EQ(entry.value, "v" + entry.key);
    EXPECT_EQ(**store_->Get(entry.key), entry);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{zero, "b/1", "b/10", "b/2", "b/\xff"}));
  EXPECT_EQ(store_->Range("")->size(), 8u);
  EXPECT_TRUE(store_->Range("c")->empty());
}

TEST_P(MetaStoreContract, LetsOneOfManyWritersWinEachStep) {
  constexpr int kThreads = 4;
  constexpr int kSteps = 20;
  std::vector<int> won(kThreads);
  {
    std::vector<Thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back("writer", [&, t] {
        for (int i = 0; i < kSteps; ++i) {
          auto head = *store_->Get("head");
          int64_t revision = head.has_value() ? head->revision : 0;
          int count = head.has_value() ? std::stoi(head->value) : 0;
          won[t] += Put("head", std::to_string(count + 1), revision).committed ? 1 : 0;
        }
      });
    }
  }
  int total = 0;
  for (int n : won) total += n;
  EXPECT_EQ((*store_->Get("head"))->value, std::to_string(total));
  EXPECT_GE(total, kSteps);
}

INSTANTIATE_TEST_SUITE_P(Forms, MetaStoreContract, testing::Bool(),
                         [](const auto& info) { return info.param ? "RocksDb" : "Memory"; });

class RocksMetaStoreTest : public MetaStoreContract {};
INSTANTIATE_TEST_SUITE_P(Form, RocksMetaStoreTest, testing::Values(true));

TEST_P(RocksMetaStoreTest, KeepsEntriesAndItsCounterOverAReopen) {
  std::unique_ptr<MetaStore> reference = NewMemoryMetaStore();
  std::mt19937_64 random(7);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 50; ++i) {
      MetaTxn txn{.puts = {{"k" + std::to_string(random() % 20), std::to_string(i)}},
                  .deletes = {"k" + std::to_string(20 + random() % 5)}};
      EXPECT_EQ(store_->Commit(txn)->revision, reference->Commit(txn)->revision);
    }
    store_.reset();
    Open();
    EXPECT_EQ(*store_->Range(""), *reference->Range(""));
  }
}

TEST_P(RocksMetaStoreTest, RefusesASecondOpen) {
  auto second = OpenRocksMetaStore(dir_ + "/a/meta");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), Code::kIoFailed);
}

/// The log that RocksDB has written to since it was opened.
std::string WalPath(const std::string& meta_dir) {
  for (const auto& entry : std::filesystem::directory_iterator(meta_dir + "/db")) {
    if (entry.path().extension() == ".log") return entry.path();
  }
  return "";
}

TEST_P(RocksMetaStoreTest, NamesDamageThatLostCommits) {
  const std::string dir = dir_ + "/a/meta";
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(Put("k" + std::to_string(i), std::string(200, 'v'), 0).committed);
  }
  store_.reset();
  const std::string healthy = dir_ + "/healthy";
  std::filesystem::copy(dir, healthy, std::filesystem::copy_options::recursive);
  const std::string wal = WalPath(dir);
  const std::string bytes = *PosixFileSystem().ReadFile(wal);
  const auto open_with = [&](const std::string& wal_bytes) {
    std::filesystem::remove_all(dir);
    std::filesystem::copy(healthy, dir, std::filesystem::copy_options::recursive);
    EXPECT_TRUE(PosixFileSystem().WriteFile(wal, wal_bytes).ok());
    return OpenRocksMetaStore(dir);
  };
  for (size_t at = 5; at < bytes.size(); at += bytes.size() / 12) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_EQ(open_with(damaged).error().code(), Code::kDataIntegrity) << at;
  }
  EXPECT_EQ(open_with("").error().code(), Code::kDataIntegrity);
  // A commit that was never answered, torn by a power loss, is no damage.
  auto torn = open_with(bytes + bytes.substr(0, 100));
  ASSERT_TRUE(torn.has_value());
  EXPECT_EQ((*torn)->Range("")->size(), 30u);
}

TEST(FaultyMetaStore, CanCommitAndStillAnswerAnError) {
  auto inner = NewMemoryMetaStore();
  FaultyMetaStore store(*inner);
  store.faults().Fail("commit", {.when = FaultPlan::When::kAfter});
  EXPECT_FALSE(store.Commit({.puts = {{"a", "1"}}}).has_value());
  EXPECT_TRUE(store.Get("a")->has_value());
  store.faults().Fail("commit", {});
  EXPECT_FALSE(store.Commit({.puts = {{"b", "1"}}}).has_value());
  EXPECT_FALSE(store.Get("b")->has_value());
}

}  // namespace
}  // namespace elanus::storage
