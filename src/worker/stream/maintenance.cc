#include "worker/stream/maintenance.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace elanus::worker {
namespace {

constexpr int64_t kCancelSliceUs = 20'000;  // between two looks at a waiting caller's cancel flag

}  // namespace

Maintenance::Maintenance(const MaintenanceOptions& options, model::HybridClock& clock,
                         ShardList shards, std::function<void()> flushed)
    : options_(options), clock_(clock), shards_(std::move(shards)), flushed_(std::move(flushed)) {
  if (!options_.threads) return;
  flush_thread_ = Thread("flush", [this] { RunFlush(); });
  build_thread_ = Thread("build", [this] { RunBuild(); }, ThreadPriority::kLow);
}

Maintenance::~Maintenance() { Stop(); }

void Maintenance::Stop() {
  stop_.request_stop();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  flush_changed_.NotifyAll();
  build_changed_.NotifyAll();
  if (flush_thread_.joinable()) flush_thread_.Join();
  if (build_thread_.joinable()) build_thread_.Join();
}

void Maintenance::KickFlush() {
  {
    MutexLock lock(mutex_);
    if (flush_kicked_) return;
    flush_kicked_ = true;
  }
  flush_changed_.NotifyAll();
}

void Maintenance::KickBuild() {
  {
    MutexLock lock(mutex_);
    build_kicked_ = true;
  }
  build_changed_.NotifyAll();
}

Status Maintenance::Flush(const std::shared_ptr<Shard>& shard, const Cancel& cancel) {
  if (!options_.threads) {
    Status status = FlushCounted(*shard);
    flushed_();
    return status;
  }
  auto request = std::make_shared<Request>();
  request->shard = shard;
  MutexLock lock(mutex_);
  requests_.push_back(request);
  flush_changed_.NotifyAll();
  while (!request->done) {
    if (stopping_) return {Code::kNotReady, "the server is stopping: service not ready"};
    RETURN_IF_ERROR(cancel.Check());
    request_done_.WaitFor(mutex_, kCancelSliceUs);
  }
  return request->status;
}

Maintenance::Counters Maintenance::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

void Maintenance::Report(const Shard& shard, std::string_view job, const Status& status) {
  if (status.code() == Code::kCanceled) return;  // dropped meanwhile, or the server stops
  if (!shard.fault().ok()) return;  // the whole shard was dropped, its files under the job too
  LogError("{} failed shard={} error={}", job, shard.id().value, status.message());
  MutexLock lock(mutex_);
  ++counters_.failures;
}

JobContext Maintenance::Context() const {
  return {.clock = &clock_,
          .retention_ms = options_.retention_ms,
          .build_threads = options_.build_threads,
          .stop = stop_.get_token(),
          .at_step = options_.at_step};
}

Status Maintenance::FlushCounted(Shard& shard) {
  Status status = FlushShard(shard, Context());
  // A partition that was dropped meanwhile took its rows along; the others are to be flushed.
  while (status.code() == Code::kCanceled && shard.fault().ok() && !stop_.stop_requested()) {
    status = FlushShard(shard, Context());
  }
  if (!status.ok()) {
    if (!shard.fault().ok()) return shard.fault();

    Report(shard, "flush", status);
    return status;
  }
  MutexLock lock(mutex_);
  ++counters_.flushes;
  return status;
}

void Maintenance::FlushRequested(std::vector<std::shared_ptr<Request>>& requests) {
  for (const auto& request : requests) {
    Status status = FlushCounted(*request->shard);
    MutexLock lock(mutex_);
    request->status = std::move(status);
    request->done = true;
  }
  request_done_.NotifyAll();
}

int64_t Maintenance::FlushDue() {
  int64_t next_us = -1;
  const int64_t now_us = SystemClock().MonotonicUs();
  for (const auto& shard : shards_()) {
    if (!shard->fault().ok()) continue;
    if (shard->first_unflushed_seq() == 0) {
      unflushed_since_us_.erase(shard->id());
      continue;
    }
    const int64_t since_us = unflushed_since_us_.try_emplace(shard->id(), now_us).first->second;
    const int64_t due_us = since_us + options_.flush.age_ms * 1000;
    if (shard->unflushed_bytes() >= options_.flush.growing_bytes || now_us >= due_us) {
      const bool ok = FlushCounted(*shard).ok();
      unflushed_since_us_[shard->id()] = now_us;
      if (ok) KickBuild();
    } else if (next_us < 0 || due_us - now_us < next_us) {
      next_us = due_us - now_us;
    }
  }
  return next_us;
}

void Maintenance::RunFlush() {
  int64_t wait_us = -1;
  for (;;) {
    std::vector<std::shared_ptr<Request>> requests;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !flush_kicked_ && requests_.empty()) {
        if (wait_us < 0) {
          flush_changed_.Wait(mutex_);
        } else if (!flush_changed_.WaitFor(mutex_, wait_us)) {
          break;
        }
      }
      if (stopping_) return;
      flush_kicked_ = false;
      requests.swap(requests_);
    }
    FlushRequested(requests);
    if (!requests.empty()) KickBuild();
    wait_us = FlushDue();
    flushed_();
  }
}

bool Maintenance::Merge(const std::shared_ptr<Shard>& shard) {
  const auto manifest = shard->committed().manifest;
  const model::Timestamp now = clock_.Next();
  const model::Timestamp kept = model::TimestampFromMs(options_.retention_ms);
  const model::Timestamp horizon = now > kept ? now - kept : 0;
  std::vector<MergeCandidate> candidates;
  for (const SealedPtr& segment : shard->sealed()) {
    auto ref = std::ranges::find(manifest->segments, segment->id(), &format::SegmentRef::id);
    if (ref == manifest->segments.end()) continue;
    candidates.push_back({.id = ref->id,
                          .partition = ref->partition,
                          .bytes = ref->file.bytes,
                          .rows = ref->rows,
                          .deleted_rows = segment->deletes().UpTo(horizon).size()});
  }
  const std::vector<SegmentId> picked = PickMerge(candidates, options_.merge);
  if (picked.empty()) return false;
  const Status status = MergeSegments(*shard, picked, Context());
  if (!status.ok()) {
    Report(*shard, "merge", status);
    return false;
  }
  MutexLock lock(mutex_);
  ++counters_.merges;
  return true;
}

bool Maintenance::BuildOne(const std::shared_ptr<Shard>& shard) {
  if (!shard->fault().ok()) return false;
  if (const Status status = ApplyLoadState(*shard); !status.ok()) {
    Report(*shard, "load", status);
    return false;
  }
  if (Merge(shard)) return true;
  auto built = BuildMissingIndex(*shard, Context());
  if (!built.has_value()) {
    Report(*shard, "index build", built.error());
    return false;
  }
  if (!*built) return false;
  MutexLock lock(mutex_);
  ++counters_.index_builds;
  return true;
}

bool Maintenance::RunOnce() {
  ELANUS_CHECK(!options_.threads);
  FlushDue();
  flushed_();
  bool built = false;
  for (const auto& shard : shards_()) built |= BuildOne(shard);
  return built;
}

void Maintenance::RunBuild() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !build_kicked_) build_changed_.Wait(mutex_);
      if (stopping_) return;
      build_kicked_ = false;
    }
    bool again = false;
    for (const auto& shard : shards_()) {
      if (stop_.stop_requested()) return;
      again |= BuildOne(shard);
    }
    if (again) KickBuild();
  }
}

}  // namespace elanus::worker
