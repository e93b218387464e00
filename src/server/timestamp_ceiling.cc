#include "server/timestamp_ceiling.h"

#include "base/codec.h"
#include "base/log.h"

namespace elanus {
namespace {

constexpr const char* kKey = "clock/ceiling";
constexpr model::Timestamp kAhead = model::TimestampFromMs(TimestampCeiling::kAheadMs);

}  // namespace

Result<std::unique_ptr<TimestampCeiling>> TimestampCeiling::Open(storage::MetaStore& meta,
                                                                 model::HybridClock& clock) {
  ASSIGN_OR_RETURN(auto entry, meta.Get(kKey));
  if (entry) {
    ASSIGN_OR_RETURN(const auto last, DecodeBytes<model::Timestamp>(entry->value, kKey));
    clock.AdvanceTo(last);
  }
  std::unique_ptr<TimestampCeiling> ceiling(new TimestampCeiling(meta, clock));
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
  if (wanted_ <= ts + kAhead / 2) {
    wanted_ = ts + kAhead;
    changed_.NotifyAll();
  }
  while (ts >= stored_ && !stopping_) changed_.Wait(mutex_);
  // Below the half it is asked again there, so that the next ceiling comes before this one is
  // reached; above it that one is on its way.
  return ts + kAhead / 2 < stored_ ? stored_ - kAhead / 2 : stored_;
}

void TimestampCeiling::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (wanted_ <= stored_) {
      changed_.Wait(mutex_);
      continue;
    }
    const model::Timestamp next = wanted_;
    lock.Unlock();
    (void)Store(next).ok();
    lock.Lock();
    stored_ = next;
    changed_.NotifyAll();
  }
}

}  // namespace elanus
