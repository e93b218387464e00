#include "worker/stream/job_tally.h"

#include "base/log.h"
#include "base/program_pages.h"

namespace elanus::worker {
namespace {

std::string_view NameOf(JobTally::Kind kind) {
  switch (kind) {
    case JobTally::Kind::kFlush: return "flush";
    case JobTally::Kind::kMerge: return "merge";
    case JobTally::Kind::kIndexBuild: return "index build";
    case JobTally::Kind::kLoad: return "load";
  }
  return "job";
}

uint64_t* RunningOf(JobCounts& counts, JobTally::Kind kind) {
  switch (kind) {
    case JobTally::Kind::kFlush: return &counts.flushes_running;
    case JobTally::Kind::kMerge: return &counts.merges_running;
    case JobTally::Kind::kIndexBuild: return &counts.index_builds_running;
    case JobTally::Kind::kLoad: return nullptr;
  }
  return nullptr;
}

uint64_t* TotalOf(JobCounts& counts, JobTally::Kind kind) {
  switch (kind) {
    case JobTally::Kind::kFlush: return &counts.flushes;
    case JobTally::Kind::kMerge: return &counts.merges;
    case JobTally::Kind::kIndexBuild: return &counts.index_builds;
    case JobTally::Kind::kLoad: return nullptr;
  }
  return nullptr;
}

}  // namespace

void JobTally::Began(Kind kind) {
  MutexLock lock(mutex_);
  if (uint64_t* running = RunningOf(counts_, kind)) ++*running;
}

void JobTally::Ended(Kind kind, const Shard& shard, const Status& status) {
  const bool canceled = status.code() == Code::kCanceled;  // the server stops, or it was in vain
  const bool failed = !status.ok() && !canceled && !shard.dropped();
  if (failed) {
    LogError("{} failed shard={} error={}", NameOf(kind), shard.id().value, status.message());
  } else if (!status.ok() && !canceled) {
    LogInfo("{} given up, collection dropped shard={} error={}", NameOf(kind), shard.id().value,
            status.message());
  }
  MutexLock lock(mutex_);
  if (uint64_t* running = RunningOf(counts_, kind)) --*running;
  if (uint64_t* total = TotalOf(counts_, kind); total != nullptr && status.ok()) ++*total;
  if (failed) ++counts_.failures;
}

JobCounts JobTally::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

}  // namespace elanus::worker
