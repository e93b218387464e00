// Jobs held at each of their steps: rows are written, deleted and upserted, the shard is truncated
// or dropped, and then the job goes on, its process is killed, or the power goes off. Afterwards
// every answer must be what a plain list of rows says, and no file may be left over.
#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "worker/build/segment_job.h"
#include "worker/stream/shard_owner_test_support.h"

namespace elanus::worker {
namespace {

enum class Job { kFlush, kMerge, kBuild };
enum class End { kFinish, kKill, kPowerLoss };
using Held = std::tuple<Job, JobStep, End>;

std::vector<Held> AllHeld() {
  std::vector<Held> all;
  for (Job job : {Job::kFlush, Job::kMerge, Job::kBuild}) {
    for (int step = 0; step <= static_cast<int>(JobStep::kSwapped); ++step) {
      const auto at = static_cast<JobStep>(step);
      if (job == Job::kFlush && at == JobStep::kIndexWritten) continue;
      if (job == Job::kBuild && at < JobStep::kIndexWritten) continue;
      for (End end : {End::kFinish, End::kKill, End::kPowerLoss}) all.emplace_back(job, at, end);
    }
  }
  return all;
}

std::string NameOf(const testing::TestParamInfo<Held>& info) {
  static const char* const kJobs[] = {"Flush", "Merge", "Build"};
  static const char* const kSteps[] = {"InputsTaken",    "FileWritten", "IndexWritten",
                                       "DeletesCarried", "RunsWritten", "Committed",
                                       "Swapped"};
  static const char* const kEnds[] = {"Finish", "Kill", "PowerLoss"};
  const auto [job, step, end] = info.param;
  return std::string(kJobs[static_cast<int>(job)]) + kSteps[static_cast<int>(step)] +
         kEnds[static_cast<int>(end)];
}

class JobHeld : public ShardOwnerTest, public testing::WithParamInterface<Held> {
 protected:
  JobHeld() {
    options_.maintenance.threads = false;
    options_.maintenance.flush.growing_bytes = 1 << 30;
    options_.maintenance.flush.log_files = UINT64_MAX;
    options_.maintenance.merge.segments_max = 1;
    options_.maintenance.at_step = [this](JobStep step) { At(step); };
    collection_->indexes[0].params.insert(collection_->indexes[0].params.end(),
                                          {{"M", "4"}, {"efConstruction", "8"}});
    Restart();
    Insert(0, 600);
    if (job() != Job::kBuild) Flush();
    Insert(600, 1200);
    if (job() != Job::kFlush) Flush();
    Delete({4, 604});
  }

  static Job job() { return std::get<0>(GetParam()); }
  static End end() { return std::get<2>(GetParam()); }

  void Insert(int64_t from, int64_t to) {
    std::vector<int64_t> keys(static_cast<size_t>(to - from));
    std::iota(keys.begin(), keys.end(), from);
    Upsert(keys, 1);
  }
  void Upsert(const std::vector<int64_t>& keys, int64_t version) {
    auto reply = Write(Rows(keys, version), keys);
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    for (int64_t key : keys) expected_[key] = version;
    last_write_ = reply->timestamp;
  }
  void Delete(const std::vector<int64_t>& keys) {
    auto reply = Write({}, keys);
    ASSERT_TRUE(reply.has_value()) << reply.error().message();
    for (int64_t key : keys) expected_.erase(key);
    last_write_ = reply->timestamp;
  }
  void Change(service::ShardChange::Kind kind) {
    const Status done =
        process_->owner->Change({.kind = kind, .shard = {1}, .collection = collection_});
    ASSERT_TRUE(done.ok()) << done.message();
  }

  /// Runs the job; at its step `under` happens, then what the parameter says.
  void Run(std::function<void()> under) {
    under_ = std::move(under);
    if (job() == Job::kFlush) {
      const auto flushed = process_->owner->Flush({1}, {});
      if (end() == End::kFinish && !dropped_) {
        EXPECT_TRUE(flushed.has_value()) << flushed.error().message();
      }
    } else {
      process_->owner->RunMaintenance();
    }
    EXPECT_EQ(under_, nullptr) << "the job never came to the step";
    if (end() == End::kFinish) return;
    process_.reset();
    end() == End::kKill ? files_.Resume()
                        : files_.Crash(std::get<1>(GetParam()) == JobStep::kInputsTaken);
    dropped_ ? RestartWithout() : Restart();
  }

  void At(JobStep step) {
    if (under_ == nullptr || step != std::get<1>(GetParam())) return;
    std::exchange(under_, nullptr)();
    if (end() != End::kFinish) files_.Stop();
  }

  void RestartWithout() {
    process_ = std::make_unique<Process>(files_, *meta_, options_,
                                         std::vector<service::CollectionPtr>{}, ++term_);
  }

  void ComeToRest() {
    Flush();
    while (process_->owner->RunMaintenance()) {
    }
    EXPECT_EQ(process_->owner->counters().maintenance.failures, 0u);
  }

  void ExpectOnlyNamedFiles() {
    const auto committed = *ShardFiles(*meta_, *process_->objects, {1}).Load({1});
    std::set<std::string> named{committed.name};
    for (const format::SegmentRef& segment : committed.manifest->segments) {
      for (const std::string& name : FilesOf(segment)) named.insert(name);
    }
    const auto there = *process_->objects->List({.prefix = "shard/"});
    EXPECT_EQ(std::set<std::string>(there.begin(), there.end()), named);
    EXPECT_EQ(meta_->Range("shard/")->size(), 2u) << "head and mark, no intent, no garbage";
  }

  void ExpectRows() {
    EXPECT_EQ(Shown(), expected_);
    EXPECT_EQ(Count(), static_cast<int64_t>(expected_.size()));
    for (int64_t key : {2, 604, 1199}) {
      const std::vector<int64_t> found = Search(key, 1);
      if (expected_.contains(key)) EXPECT_EQ(found, std::vector<int64_t>{key});
    }
  }

  std::function<void()> under_;
  bool dropped_ = false;
  std::map<int64_t, int64_t> expected_;
  model::Timestamp last_write_ = 0;
};

TEST_P(JobHeld, KeepsWhatIsWrittenAndDeletedUnderIt) {
  const std::map<int64_t, int64_t> before = expected_;
  const model::Timestamp before_at = last_write_;
  Run([&] {
    Delete({1, 601, 1198});
    Upsert({2, 602, 1199}, 2);
    Insert(5000, 5010);
    Upsert({3, 603, 5000}, 2);
    Delete({3, 603, 5000, 9999});
    EXPECT_EQ(Shown(), expected_) << "while it is held";
    EXPECT_EQ(Shown(before_at), before) << "while it is held";
  });
  ExpectRows();
  EXPECT_EQ(Shown(before_at), before);
  ComeToRest();
  ExpectRows();
  ExpectOnlyNamedFiles();
  Restart();
  ExpectRows();
  EXPECT_EQ(Shown(before_at), before);
}

TEST_P(JobHeld, BringsNoRowBackAfterATruncationUnderIt) {
  Run([&] {
    Change(service::ShardChange::Kind::kTruncate);
    expected_.clear();
    EXPECT_EQ(Count(), 0);
    Insert(1190, 1210);
  });
  ExpectRows();
  ComeToRest();
  ExpectRows();
  ExpectOnlyNamedFiles();
  Restart();
  ExpectRows();
}

TEST_P(JobHeld, LeavesNoFileOfAShardDroppedUnderIt) {
  Run([&] {
    dropped_ = true;
    Change(service::ShardChange::Kind::kDrop);
  });
  EXPECT_TRUE(process_->objects->List({.prefix = "shard/"})->empty());
  EXPECT_TRUE(meta_->Range("shard/")->empty());
  EXPECT_EQ(process_->owner->counters().maintenance.failures, 0u);
}

INSTANTIATE_TEST_SUITE_P(AtEachStep, JobHeld, testing::ValuesIn(AllHeld()), NameOf);

}  // namespace
}  // namespace elanus::worker
