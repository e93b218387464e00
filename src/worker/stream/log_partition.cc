#include "worker/stream/log_partition.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace elanus::worker {
namespace {

constexpr int64_t kWaitSliceUs = 10'000;  // between two looks at a client's cancel flag
constexpr int64_t kWaitMaxUs =
    60'000'000;  // a guarantee timestamp in the future is not waited for longer

}  // namespace

LogPartition::LogPartition(storage::Log& log, model::HybridClock& clock, Apply apply,
                           std::function<void(const Status&)> broken)
    : log_(log),
      clock_(clock),
      apply_(std::move(apply)),
      broken_(std::move(broken)),
      thread_("apply", [this] { Run(); }) {}

LogPartition::~LogPartition() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
}

void LogPartition::Append(ShardId shard, format::LogRecord record, std::function<Status()> check,
                          Applied applied) {
  std::string payload = format::EncodeLogRecord(record);
  const uint64_t bytes = payload.size();
  Status refused;
  {
    MutexLock lock(mutex_);
    refused = check();
    if (refused.ok()) {
      const model::Timestamp ts = clock_.Next();
      record.timestamp = ts;
      format::StampLogRecord(payload, ts);
      auto seq = log_.Append(shard, std::move(payload),
                             [this](Status status) { OnDurable(std::move(status)); });
      if (seq.has_value()) {
        in_flight_.push_back(
            {ts, *seq, shard, std::move(record), bytes, std::move(applied), Status::Ok()});
        bytes_ += bytes;
        return;
      }
      refused = seq.error();
    }
  }
  TellIfBroken();
  applied(Error(refused));
}

void LogPartition::TellIfBroken() {
  if (!broken_) return;
  // A full disk or a full queue passes; what the log calls broken does not.
  const Status status = log_.Stats().broken;
  if (!status.ok() && !told_broken_.exchange(true)) broken_(status);
}

void LogPartition::OnDurable(Status status) {
  {
    MutexLock lock(mutex_);
    ELANUS_CHECK(durable_ < in_flight_.size());
    in_flight_[durable_].durable = std::move(status);
    ++durable_;
  }
  changed_.NotifyAll();
}

void LogPartition::Run() {
  MutexLock lock(mutex_);
  for (;;) {
    while (durable_ == 0 && !(stopping_ && in_flight_.empty())) changed_.Wait(mutex_);
    if (durable_ == 0) return;
    InFlight& first = in_flight_.front();  // stays in place while others are added behind it
    lock.Unlock();
    if (first.durable.ok()) apply_(first.shard, first.record, first.seq);
    lock.Lock();
    InFlight done = std::move(in_flight_.front());
    in_flight_.pop_front();
    --durable_;
    bytes_ -= done.bytes;
    if (done.durable.ok()) applied_seq_ = done.seq;
    lock.Unlock();
    changed_.NotifyAll();
    if (done.durable.ok()) {
      done.applied(done.timestamp);
    } else {
      TellIfBroken();
      done.applied(Error(done.durable));
    }
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

}  // namespace elanus::worker
