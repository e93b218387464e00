// Hybrid timestamps: 46 bits of milliseconds since 1970 above 18 bits of counter, Milvus' form.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/clock.h"

namespace elanus::model {

/// Orders every write; 0 is before all of them.
using Timestamp = uint64_t;

inline constexpr int kTimestampCounterBits = 18;
inline constexpr Timestamp kTimestampMax = ~Timestamp{0};

constexpr Timestamp TimestampFromMs(int64_t wall_ms) {
  return static_cast<Timestamp>(wall_ms) << kTimestampCounterBits;
}
constexpr int64_t TimestampMs(Timestamp ts) {
  return static_cast<int64_t>(ts >> kTimestampCounterBits);
}

/// What a clock may hand out without being remembered across a restart. Threads: any.
class TimestampBound {
 public:
  virtual ~TimestampBound() = default;
  /// A bound above `ts` that is remembered for good. May block.
  virtual Timestamp RaiseAbove(Timestamp ts) = 0;
};

/// Hands out timestamps that only grow: max(last + 1, now). Thread-safe, lock-free below the bound.
class HybridClock {
 public:
  explicit HybridClock(const Clock& clock) : clock_(clock) {}
  Timestamp Next();
  /// Makes every later Next() larger than `ts`; called with what recovery found in the log.
  void AdvanceTo(Timestamp ts);
  /// From now on a timestamp at or above `first` is handed out only once `bound` remembers it.
  /// nullptr: none is remembered. Called while nobody else uses the clock.
  void SetBound(TimestampBound* bound, Timestamp first);
  Timestamp last() const { return last_.load(std::memory_order_relaxed); }
  /// What the wall clock says now; last() may be ahead of it.
  Timestamp wall() const { return TimestampFromMs(clock_.WallMs()); }

 private:
  const Clock& clock_;
  std::atomic<Timestamp> last_{0};
  std::atomic<Timestamp> below_{kTimestampMax};  // what may be handed out without asking
  TimestampBound* bound_ = nullptr;
  std::mutex raising_;
};

}  // namespace elanus::model
