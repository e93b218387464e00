#include "model/hybrid_time.h"

#include <algorithm>

namespace elanus::model {

Timestamp HybridClock::Next() {
  const Timestamp now = TimestampFromMs(clock_.WallMs());
  Timestamp last = last_.load(std::memory_order_relaxed);
  Timestamp next;
  do {
    next = std::max(last + 1, now);
  } while (!last_.compare_exchange_weak(last, next));
  if (next < below_.load(std::memory_order_acquire)) return next;
  const std::lock_guard lock(raising_);
  if (bound_ != nullptr && next >= below_.load(std::memory_order_relaxed))
    below_.store(bound_->RaiseAbove(next), std::memory_order_release);
  return next;
}

void HybridClock::SetBound(TimestampBound* bound, Timestamp first) {
  bound_ = bound;
  below_.store(bound == nullptr ? kTimestampMax : first, std::memory_order_release);
}

void HybridClock::AdvanceTo(Timestamp ts) {
  Timestamp last = last_.load(std::memory_order_relaxed);
  while (last < ts && !last_.compare_exchange_weak(last, ts)) {
  }
}

}  // namespace elanus::model
