#include "worker/stream/flusher.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace elanus::worker {
namespace {

constexpr int64_t kCancelSliceUs = 20'000;  // between two looks at a waiting caller's cancel flag
constexpr int64_t kRetryUs = 1'000'000;  // after a flush that failed: the disk may have space again

}  // namespace

Flusher::Flusher(const FlushLimits& limits, ShardList shards, JobContext context, JobTally& tally,
                 Events events)
    : limits_(limits),
      shards_(std::move(shards)),
      context_(std::move(context)),
      tally_(tally),
      events_(std::move(events)) {}

void Flusher::Start() {
  thread_ = Thread("flush", [this] { Run(); });
}

void Flusher::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  done_.NotifyAll();
  if (thread_.joinable()) thread_.Join();
}

void Flusher::Kick() {
  {
    MutexLock lock(mutex_);
    if (kicked_) return;
    kicked_ = true;
  }
  changed_.NotifyAll();
}

Status Flusher::Flush(const std::shared_ptr<Shard>& shard, const Cancel& cancel) {
  if (!thread_.joinable()) {
    Status status = FlushOne(*shard);
    events_.looked();
    return status;
  }
  auto request = std::make_shared<Request>();
  request->shard = shard;
  MutexLock lock(mutex_);
  requests_.push_back(request);
  changed_.NotifyAll();
  while (!request->done) {
    if (stopping_) return {Code::kNotReady, "the server is stopping: service not ready"};
    RETURN_IF_ERROR(cancel.Check());
    done_.WaitFor(mutex_, kCancelSliceUs);
  }
  return request->status;
}

Status Flusher::FlushOne(Shard& shard) {
  tally_.Began(JobTally::Kind::kFlush);
  Status status = FlushShard(shard, context_);
  // A partition that was dropped meanwhile took its rows along; the others are to be flushed.
  while (status.code() == Code::kCanceled && shard.fault().ok() && !context_.stop.stop_requested())
    status = FlushShard(shard, context_);
  tally_.Ended(JobTally::Kind::kFlush, shard, status);
  if (!status.ok() && !shard.fault().ok()) return shard.fault();
  if (status.ok()) events_.flushed();
  return status;
}

void Flusher::FlushRequested(const std::vector<std::shared_ptr<Request>>& requests) {
  for (const auto& request : requests) {
    Status status = FlushOne(*request->shard);
    MutexLock lock(mutex_);
    request->status = std::move(status);
    request->done = true;
  }
  done_.NotifyAll();
}

int64_t Flusher::FlushDue() {
  int64_t next_us = -1;
  const int64_t now_us = SystemClock().MonotonicUs();
  const std::shared_ptr<Shard> largest = LargestUnderPressure();
  const std::shared_ptr<Shard> holder = HolderOfLog();
  for (const auto& shard : shards_()) {
    if (!shard->fault().ok()) continue;
    if (shard->first_unflushed_seq() == 0) {
      unflushed_since_us_.erase(shard->id());
      continue;
    }
    const int64_t since_us = unflushed_since_us_.try_emplace(shard->id(), now_us).first->second;
    const int64_t due_us = since_us + limits_.age_ms * 1000;
    int64_t again_us = due_us - now_us;
    if (shard == largest || shard == holder || shard->unflushed_bytes() >= limits_.growing_bytes ||
        now_us >= due_us) {
      const bool ok = FlushOne(*shard).ok();
      unflushed_since_us_[shard->id()] = now_us;
      if (ok && shard != largest && shard != holder) continue;  // the next rows kick
      again_us = ok ? 0 : kRetryUs;                             // one shard may not be enough
    }
    if (next_us < 0 || again_us < next_us) next_us = again_us;
  }
  return next_us;
}

std::shared_ptr<Shard> Flusher::LargestUnderPressure() const {
  std::shared_ptr<Shard> largest;
  uint64_t all_bytes = 0;
  uint64_t largest_bytes = 0;
  for (const auto& shard : shards_()) {
    const uint64_t bytes = shard->fault().ok() ? shard->unflushed_bytes() : 0;
    all_bytes += bytes;
    if (bytes > largest_bytes) {
      largest = shard;
      largest_bytes = bytes;
    }
  }
  return all_bytes > limits_.all_bytes ? largest : nullptr;
}

std::shared_ptr<Shard> Flusher::HolderOfLog() const {
  const storage::LogStats log = events_.log();
  if (log.files <= limits_.log_files) return nullptr;
  std::shared_ptr<Shard> holder;
  uint64_t oldest = log.newest_file_seq;  // what is in the newest file keeps no other
  for (const auto& shard : shards_()) {
    const uint64_t first = shard->fault().ok() ? shard->first_unflushed_seq() : 0;
    if (first == 0 || first >= oldest) continue;
    holder = shard;
    oldest = first;
  }
  return holder;
}

void Flusher::Run() {
  int64_t wait_us = -1;
  for (;;) {
    std::vector<std::shared_ptr<Request>> requests;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && !kicked_ && requests_.empty()) {
        if (wait_us < 0) {
          changed_.Wait(mutex_);
        } else if (!changed_.WaitFor(mutex_, wait_us)) {
          break;
        }
      }
      if (stopping_) return;
      kicked_ = false;
      requests.swap(requests_);
    }
    FlushRequested(requests);
    wait_us = FlushDue();
    events_.looked();
  }
}

}  // namespace elanus::worker
