#include "worker/stream/log_partition.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace elanus::worker {
namespace {

constexpr int64_t kWaitSliceUs = 10'000;  // between two looks at a client's cancel flag
constexpr int64_t kWaitMaxUs =
    60'000'000;  // a guarantee timestamp in the future is not waited for longer

Status QueueFull(uint64_t bytes) {
  return {
      Code::kQueueFull,
      fmt::format("{} bytes wait for the log: too many concurrent requests, queue is full", bytes)};
}

}  // namespace

LogPartition::LogPartition(storage::Log& log, model::HybridClock& clock, Apply apply,
                           LogPartitionOptions options)
    : log_(log),
      clock_(clock),
      apply_(std::move(apply)),
      options_(std::move(options)),
      thread_("apply", [this] { Run(); }) {}

LogPartition::~LogPartition() {
  std::deque<Entry> waiting;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    waiting.swap(waiting_);
    bytes_waiting_ = 0;
  }
  changed_.NotifyAll();
  for (Entry& entry : waiting) {
    entry.applied(Error(Code::kNotReady, "the server is stopping: service not ready"));
  }
}

void LogPartition::Append(ShardId shard, format::LogRecord record, std::function<Status()> check,
                          Applied applied) {
  std::string payload = format::EncodeLogRecord(record);
  Entry entry{.shard = shard,
              .record = std::move(record),
              .payload = std::move(payload),
              .check = std::move(check),
              .applied = std::move(applied)};
  std::vector<Refused> refused;
  {
    MutexLock lock(mutex_);
    std::optional<Refused> one = waiting_.empty() && HasRoom(entry) ? AppendToLog(std::move(entry))
                                                                    : Queue(std::move(entry));
    if (!one.has_value()) return;
    refused.push_back(*std::move(one));
  }
  Tell(std::move(refused));
}

bool LogPartition::HasRoom(const Entry& entry) const {
  return bytes_ == 0 || bytes_ + entry.payload.size() <= options_.bytes_in_flight_max;
}

// Puts the entry behind those that wait.
std::optional<LogPartition::Refused> LogPartition::Queue(Entry entry) {
  const uint64_t bytes = entry.payload.size();
  if (bytes_waiting_ + bytes > options_.bytes_waiting_max || options_.wait_ms == 0) {
    return Refused{std::move(entry.applied), QueueFull(bytes_ + bytes_waiting_)};
  }
  entry.until_us = options_.clock->MonotonicUs() + options_.wait_ms * 1000;
  bytes_waiting_ += bytes;
  waiting_.push_back(std::move(entry));
  if (waiting_.size() == 1) changed_.NotifyAll();  // the apply thread watches its time
  return std::nullopt;
}

std::optional<LogPartition::Refused> LogPartition::AppendToLog(Entry entry) {
  Status refused = entry.check();
  if (refused.ok()) {
    const uint64_t bytes = entry.payload.size();
    const model::Timestamp ts = clock_.Next();
    entry.record.timestamp = ts;
    format::StampLogRecord(entry.payload, ts);
    auto seq = log_.Append(entry.shard, std::move(entry.payload),
                           [this](Status status) { OnDurable(std::move(status)); });
    if (seq.has_value()) {
      in_flight_.push_back({ts, *seq, entry.shard, std::move(entry.record), bytes,
                            std::move(entry.applied), Status::Ok()});
      bytes_ += bytes;
      return std::nullopt;
    }
    refused = seq.error();
  }
  return Refused{std::move(entry.applied), std::move(refused)};
}

// Lets in whom there is room for; those that the log refuses, or whose time is over, are returned.
std::vector<LogPartition::Refused> LogPartition::Admit() {
  std::vector<Refused> refused;
  while (!waiting_.empty()) {
    const bool room = HasRoom(waiting_.front());
    if (!room && options_.clock->MonotonicUs() < waiting_.front().until_us) break;
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_waiting_ -= entry.payload.size();
    if (!room) {
      refused.push_back({std::move(entry.applied), QueueFull(bytes_ + bytes_waiting_)});
    } else if (auto one = AppendToLog(std::move(entry))) {
      refused.push_back(*std::move(one));
    }
  }
  return refused;
}

void LogPartition::Tell(std::vector<Refused> refused) {
  if (!refused.empty()) TellIfBroken();
  for (Refused& one : refused) one.applied(Error(std::move(one.why)));
}

void LogPartition::TellIfBroken() {
  if (!options_.broken) return;
  // A full disk or a full queue passes; what the log calls broken does not.
  const Status status = log_.Stats().broken;
  if (!status.ok() && !told_broken_.exchange(true)) options_.broken(status);
}

void LogPartition::OnDurable(Status status) {
  // Told under the lock: once the apply thread is done with the entry the partition may be gone.
  MutexLock lock(mutex_);
  ELANUS_CHECK(durable_ < in_flight_.size());
  in_flight_[durable_].durable = std::move(status);
  ++durable_;
  changed_.NotifyAll();
}

// Until there is something to apply or to refuse, or all is done.
void LogPartition::WaitForWork() {
  while (durable_ == 0 && !(stopping_ && in_flight_.empty())) {
    if (waiting_.empty()) {
      changed_.Wait(mutex_);
      continue;
    }
    const int64_t left_us = waiting_.front().until_us - options_.clock->MonotonicUs();
    if (left_us <= 0) return;
    changed_.WaitFor(mutex_, left_us);
  }
}

void LogPartition::Run() {
  MutexLock lock(mutex_);
  for (;;) {
    WaitForWork();
    if (durable_ == 0) {
      if (stopping_) return;
      std::vector<Refused> late = Admit();
      lock.Unlock();
      Tell(std::move(late));
      lock.Lock();
      continue;
    }
    InFlight& first = in_flight_.front();  // stays in place while others are added behind it
    lock.Unlock();
    if (first.durable.ok()) apply_(first.shard, first.record, first.seq);
    lock.Lock();
    InFlight done = std::move(in_flight_.front());
    in_flight_.pop_front();
    --durable_;
    bytes_ -= done.bytes;
    if (done.durable.ok()) applied_seq_ = done.seq;
    std::vector<Refused> refused = Admit();
    lock.Unlock();
    changed_.NotifyAll();
    if (done.durable.ok()) {
      done.applied(done.timestamp);
    } else {
      TellIfBroken();
      done.applied(Error(done.durable));
    }
    Tell(std::move(refused));
    lock.Lock();
  }
}

model::Timestamp LogPartition::ReadTimestampLocked() {
  // Nothing in flight: a fresh timestamp, which every later write will exceed.
  if (in_flight_.empty()) return clock_.Next();
  return in_flight_.front().timestamp - 1;
}

model::Timestamp LogPartition::ReadTimestamp() {
  MutexLock lock(mutex_);
  return ReadTimestampLocked();
}

Result<model::Timestamp> LogPartition::WaitApplied(model::Timestamp t, const Cancel& cancel) {
  const int64_t give_up_us = SystemClock().MonotonicUs() + kWaitMaxUs;
  MutexLock lock(mutex_);
  for (;;) {
    const model::Timestamp applied = ReadTimestampLocked();
    if (applied >= t) return applied;
    RETURN_IF_ERROR(cancel.Check());
    if (SystemClock().MonotonicUs() > give_up_us) {
      return Error(Code::kTimeout, "the guarantee timestamp lies too far in the future: timeout");
    }
    changed_.WaitFor(mutex_, kWaitSliceUs);
  }
}

uint64_t LogPartition::applied_seq() const {
  MutexLock lock(mutex_);
  return applied_seq_;
}

void LogPartition::SetRecovered(uint64_t seq) {
  MutexLock lock(mutex_);
  applied_seq_ = std::max(applied_seq_, seq);
}

uint64_t LogPartition::bytes_in_flight() const {
  MutexLock lock(mutex_);
  return bytes_;
}

uint64_t LogPartition::writers_waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

}  // namespace elanus::worker
