#include "storage/object/object_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>

#include "base/sim_file_system.h"
#include "storage/object/faulty_object_store.h"

namespace elanus::storage {
namespace {

class ObjectStoreContract : public testing::TestWithParam<bool> {
 protected:
  ObjectStoreContract() {
    store_ =
        GetParam() ? *OpenDirectoryObjectStore(files_, "data/objects") : NewMemoryObjectStore();
  }
  SimFileSystem files_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_P(ObjectStoreContract, ReadsBackWhatWasPut) {
  ASSERT_TRUE(store_->Put("shard/12/segment/a.seg", "0123456789").ok());
  EXPECT_EQ(*store_->Get("shard/12/segment/a.seg"), "0123456789");
  EXPECT_EQ(*store_->GetRange("shard/12/segment/a.seg", {3, 4}), "3456");
  EXPECT_EQ(*store_->GetRange("shard/12/segment/a.seg", {10, 0}), "");
  EXPECT_EQ(store_->GetRange("shard/12/segment/a.seg", {3, 8}).error().code(),
            Code::kUnexpectedEof);
  EXPECT_EQ(store_->GetRange("shard/12/segment/a.seg", {UINT64_MAX, 2}).error().code(),
            Code::kUnexpectedEof);
  EXPECT_EQ(*store_->Size("shard/12/segment/a.seg"), 10u);
  auto mapped = store_->Map("shard/12/segment/a.seg");
  ASSERT_TRUE(mapped.has_value());
  ASSERT_TRUE(store_->Delete("shard/12/segment/a.seg").ok());
  EXPECT_EQ((*mapped)->bytes.size(), 10u) << "a reader outlives the name";
}

TEST_P(ObjectStoreContract, RefusesToWriteANameTwice) {
  ASSERT_TRUE(store_->Put("a", "1").ok());
  EXPECT_EQ(store_->Put("a", "2").code(), Code::kIoFailed);
  EXPECT_EQ(*store_->Get("a"), "1");
  auto writer = store_->Create("b");
  ASSERT_TRUE(writer.has_value());
  EXPECT_FALSE(store_->Create("b").has_value()) << "one writer at a time";
}

TEST_P(ObjectStoreContract, ShowsAnObjectOnlyOnceItIsFinished) {
  auto writer = store_->Create("x/y");
  ASSERT_TRUE((*writer)->Append("one").ok());
  ASSERT_TRUE((*writer)->Append("two").ok());
  EXPECT_EQ(store_->Get("x/y").error().code(), Code::kKeyNotFound);
  EXPECT_TRUE(store_->List({.prefix = ""})->empty());
  ASSERT_TRUE((*writer)->Finish().ok());
  writer->reset();
  EXPECT_EQ(*store_->Get("x/y"), "onetwo");
}

TEST_P(ObjectStoreContract, ForgetsAnAbandonedWriter) {
  {
    auto writer = store_->Create("x");
    ASSERT_TRUE((*writer)->Append("one").ok());
  }
  EXPECT_EQ(store_->Size("x").error().code(), Code::kKeyNotFound);
  EXPECT_TRUE(store_->Put("x", "two").ok());
}

TEST_P(ObjectStoreContract, DeletesWithoutAskingWhetherItIsThere) {
  ASSERT_TRUE(store_->Put("d/a", "1").ok());
  EXPECT_TRUE(store_->Delete("d/a").ok());
  EXPECT_TRUE(store_->Delete("d/a").ok());
  EXPECT_TRUE(store_->Delete("never/was").ok());
  EXPECT_EQ(store_->Map("d/a").error().code(), Code::kKeyNotFound);
}

TEST_P(ObjectStoreContract, ListsPagesInByteOrder) {
  std::vector<std::string> names = {"a",     "a-b",  "a.x/1",  "b/c/1", "b/c/10", "b/c/2",
                                    "b/c.d", "b/c0", "b/ca/1", "c/1",   "c/2",    "zz"};
  for (const auto& name : names) ASSERT_TRUE(store_->Put(name, "x").ok()) << name;
  std::ranges::sort(names);
  for (std::string prefix : {"", "a", "b/", "b/c", "b/c/", "b/c/1", "c", "d"}) {
    std::vector<std::string> want;
    std::ranges::copy_if(names, std::back_inserter(want),
                         [&](const auto& name) { return name.starts_with(prefix); });
    for (size_t limit : {1, 2, 5, 100}) {
      std::vector<std::string> got;
      ObjectListing listing{.prefix = prefix, .limit = limit};
      for (;;) {
        auto page = *store_->List(listing);
        if (page.empty()) break;
        EXPECT_LE(page.size(), limit);
        listing.after = page.back();
        got.insert(got.end(), page.begin(), page.end());
      }
      EXPECT_EQ(got, want) << prefix << " by " << limit;
    }
  }
}

TEST_P(ObjectStoreContract, RefusesNamesThatCouldLeaveTheStore) {
  for (std::string name : {"", "/a", "a/", "a//b", "..", "a/../b", ".", "./a", "a/.hidden", "a.tmp",
                           "a b", "a\\b", "a\nb"}) {
    EXPECT_EQ(store_->Put(name, "x").code(), Code::kInvalidParameter) << name;
    EXPECT_EQ(store_->Get(name).error().code(), Code::kInvalidParameter) << name;
    EXPECT_EQ(store_->Delete(name).code(), Code::kInvalidParameter) << name;
  }
  EXPECT_EQ(store_->Put(std::string("a\0b", 3), "x").code(), Code::kInvalidParameter);
}

INSTANTIATE_TEST_SUITE_P(Forms, ObjectStoreContract, testing::Bool(),
                         [](const auto& info) { return info.param ? "Directory" : "Memory"; });

/// Puts and deletes by a seed until the machine stops, in several lives of the process, and says
/// what must hold after a crash: nullopt = may be there or not.
struct ObjectScript {
  std::map<std::string, std::optional<bool>> present;

  void Run(SimFileSystem& files, uint64_t seed) {
    std::mt19937_64 random(seed);
    auto store = OpenDirectoryObjectStore(files, "data/objects");
    for (int i = 0; store.has_value() && i < 12 && !files.stopped(); ++i) {
      std::string name = "s/" + std::to_string(random() % 3) + "/" + std::to_string(i);
      if (!present.contains(name)) {
        present[name] = std::nullopt;
        if ((*store)->Put(name, Bytes(name)).ok()) present[name] = true;
      }
      if (files.stopped() || i % 3 != 2) continue;
      auto victim = std::next(present.begin(), static_cast<int64_t>(random() % present.size()));
      // What a killed process left in doubt is deleted again by the next.
      if (victim->second != false && victim->first != name) {
        victim->second = std::nullopt;
        if ((*store)->Delete(victim->first).ok()) victim->second = false;
      }
    }
  }
  /// Empty when all holds, else what does not.
  std::string Check(SimFileSystem& files) const {
    auto store = OpenDirectoryObjectStore(files, "data/objects");
    if (!store.has_value()) return store.error().message();
    for (const auto& [name, there] : present) {
      auto bytes = (*store)->Get(name);
      if (there.has_value() && bytes.has_value() != *there) {
        return name + (*there ? " is lost" : " came back");
      }
      if (bytes.has_value() && *bytes != Bytes(name)) return name + " is torn";
    }
    return "";
  }
  static std::string Bytes(const std::string& name) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) bytes += name;
    return bytes;
  }
};

TEST(DirectoryObjectStore, KeepsWhatItAcknowledgedThroughKillsAndPowerLoss) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SimFileSystem files;
    ObjectScript script;
    for (uint64_t life = 0; life < 4; ++life) {
      files.StopAfter((seed * 7 + life * 13) % 60);
      script.Run(files, seed + life % 2);
      if ((seed >> life) % 2 == 0) {
        files.Resume();
      } else {
        files.Crash(seed);
        ASSERT_EQ(script.Check(files), "") << "seed " << seed << " life " << life;
      }
    }
  }
}

TEST(DirectoryObjectStore, NeedsEverySyncItMakes) {
  // Records the syncs of one script, then leaves out each of them in turn: some crash must show it.
  SimFileSystem whole;
  ObjectScript().Run(whole, 1);
  const uint64_t operations = whole.Operations();
  for (const std::string& name : whole.Syncs()) {
    bool shown = false;
    for (uint64_t stop = 0; stop <= operations && !shown; ++stop) {
      for (uint64_t seed = 0; seed < 8 && !shown; ++seed) {
        SimFileSystem files;
        files.SkipSync(name);
        files.StopAfter(stop);
        ObjectScript script;
        script.Run(files, 1);
        files.Crash(seed);
        shown = !script.Check(files).empty();
      }
    }
    EXPECT_TRUE(shown) << "nothing depends on sync " << name;
  }
}

TEST(DirectoryObjectStore, ADeleteThatAKillCutOffHoldsOnceItIsRepeated) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SimFileSystem files;
    {
      auto store = *OpenDirectoryObjectStore(files, "o");
      ASSERT_TRUE(store->Put("a/b", "x").ok());
      files.StopAfter(1);  // removed, and not synced
      ASSERT_FALSE(store->Delete("a/b").ok());
    }
    files.Resume();
    {
      auto store = *OpenDirectoryObjectStore(files, "o");  // removes the empty folder
      ASSERT_TRUE(store->Delete("a/b").ok());
    }
    files.Crash(seed);
    auto store = *OpenDirectoryObjectStore(files, "o");
    EXPECT_FALSE(store->Get("a/b").has_value()) << seed;
  }
}

TEST(DirectoryObjectStore, RemovesWhatDeadWritersLeft) {
  SimFileSystem files;
  {
    auto store = *OpenDirectoryObjectStore(files, "o");
    auto writer = *store->Create("a/b");
    ASSERT_TRUE(writer->Append("x").ok());
    files.Stop();
  }
  files.Resume();
  ASSERT_TRUE(*files.Exists("o/a/b.tmp"));
  auto store = *OpenDirectoryObjectStore(files, "o");
  EXPECT_FALSE(*files.Exists("o/a"));
  EXPECT_TRUE(store->Put("a/b", "y").ok());
}

TEST(DirectoryObjectStore, LeavesNothingBehindOnAFullDisk) {
  SimFileSystem files;
  auto store = *OpenDirectoryObjectStore(files, "o");
  files.SetCapacity(1000);
  EXPECT_EQ(store->Put("a", std::string(2000, 'x')).code(), Code::kDiskLimit);
  EXPECT_EQ(*files.FreeBytes("o"), 1000u);
  files.FailSync(0, EIO);
  EXPECT_EQ(store->Put("a", "x").code(), Code::kIoFailed);
  files.FailSync(1, EIO);
  EXPECT_EQ(store->Put("a", "x").code(), Code::kIoFailed);
  EXPECT_TRUE(store->Put("a", "x").ok());
}

TEST(FaultyObjectStore, FailsTheCallsOfItsPlan) {
  auto inner = NewMemoryObjectStore();
  FaultyObjectStore store(*inner);
  store.faults().Fail("put", {.n = 1});
  EXPECT_TRUE(store.Put("a", "1").ok());
  EXPECT_EQ(store.Put("b", "1").code(), Code::kIoFailed);
  EXPECT_FALSE(inner->Get("b").has_value());
  store.faults().Fail("put", {.when = FaultPlan::When::kAfter});
  EXPECT_FALSE(store.Put("c", "1").ok());
  EXPECT_TRUE(store.Get("c").has_value());
  store.faults().Fail("finish", {});
  EXPECT_FALSE((*store.Create("d"))->Finish().ok());
}

}  // namespace
}  // namespace elanus::storage
