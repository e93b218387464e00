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
  return next;
}

void HybridClock::AdvanceTo(Timestamp ts) {
  Timestamp last = last_.load(std::memory_order_relaxed);
  while (last < ts && !last_.compare_exchange_weak(last, ts)) {
  }
}

}  // namespace elanus::model
