// Hybrid timestamps: 46 bits of milliseconds since 1970 above 18 bits of counter, Milvus' form.
#pragma once

#include <atomic>
#include <cstdint>

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

/// Hands out timestamps that only grow: max(last + 1, now). Thread-safe, lock-free.
class HybridClock {
 public:
  explicit HybridClock(const Clock& clock) : clock_(clock) {}
  Timestamp Next();
  /// Makes every later Next() larger than `ts`; called with what recovery found in the log.
  void AdvanceTo(Timestamp ts);

 private:
  const Clock& clock_;
  std::atomic<Timestamp> last_{0};
};

}  // namespace elanus::model
