#include "server/timestamp_ceiling.h"

#include <algorithm>

#include "base/codec.h"
#include "base/log.h"

namespace elanus {
namespace {

constexpr const char* kKey = "clock/ceiling";
// While the clock is ahead of the wall clock, as after a kill, it only counts: so little then
// lasts for 26 million timestamps, and a process that is killed again and again does not run away
// from the wall clock.
constexpr model::Timestamp kCounting = model::TimestampFromMs(100);

}  // namespace

Result<std::unique_ptr<TimestampCeiling>> TimestampCeiling::Open(storage::MetaStore& meta,
                                                                 model::HybridClock& clock,
                                                                 int64_t ahead_ms) {
  ASSIGN_OR_RETURN(auto entry, meta.Get(kKey));
  if (entry) {
    ASSIGN_OR_RETURN(const auto last, DecodeBytes<model::Timestamp>(entry->value, kKey));
    clock.AdvanceTo(last);
  }
  std::unique_ptr<TimestampCeiling> ceiling(new TimestampCeiling(meta, clock, ahead_ms));
  ceiling->thread_ = Thread("timestamps", [self = ceiling.get()] { self->Run(); });
  clock.SetBound(ceiling.get(), 0);
  return ceiling;
}

TimestampCeiling::~TimestampCeiling() {
  clock_.SetBound(nullptr, 0);
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.Join();
  // Not needed for safety: the next start does not begin seconds ahead of the wall clock.
  (void)Store(clock_.last()).ok();
}

model::Timestamp TimestampCeiling::CeilingAbove(model::Timestamp ts) const {
  return std::max(clock_.wall() + ahead_, ts + kCounting);
}

Status TimestampCeiling::Store(model::Timestamp ceiling) {
  Status status = StatusOf(meta_.Commit({.puts = {{kKey, EncodeBytes(ceiling)}}}));
  if (!status.ok()) {
    // The log would stop a process whose disk fails; without its store only a wall clock that goes
    // back could do harm.
    LogError("timestamp ceiling not stored error={}", status.message());
  }
  return status;
}

model::Timestamp TimestampCeiling::RaiseAbove(model::Timestamp ts) {
  MutexLock lock(mutex_);
  if (stored_ <= ts + kCounting / 2 && wanted_ <= stored_) {
    wanted_ = CeilingAbove(ts);
    changed_.NotifyAll();
  }
  while (ts >= stored_ && !stopping_) changed_.Wait(mutex_);
  // Shortly before the ceiling it is asked again, for a clock that counts quicker than its wall.
  return ts + kCounting / 2 < stored_ ? stored_ - kCounting / 2 : stored_;
}

void TimestampCeiling::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    const model::Timestamp wall = clock_.wall();
    const model::Timestamp due = stored_ - std::min(stored_, ahead_ / 2);
    const model::Timestamp next = wall >= due ? CeilingAbove(clock_.last()) : wanted_;
    if (next <= stored_) {
      const int64_t ms = model::TimestampMs(due) - model::TimestampMs(wall) + 1;
      changed_.WaitFor(mutex_, std::min(ms, model::TimestampMs(ahead_)) * 1000);
      continue;
    }
    lock.Unlock();
    (void)Store(next).ok();
    lock.Lock();
    stored_ = next;
    changed_.NotifyAll();
  }
}

}  // namespace elanus
