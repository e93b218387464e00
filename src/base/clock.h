// Time as an argument: whoever needs the time takes a Clock, so that tests and simulation give
// their own.
#pragma once

#include <atomic>
#include <cstdint>

namespace elanus {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since 1970, may jump.
  virtual int64_t WallMs() const = 0;
  /// Microseconds of a clock that never goes back; its zero is arbitrary.
  virtual int64_t MonotonicUs() const = 0;
};

/// The machine's clock.
const Clock& SystemClock();

/// A clock that stands still until told. Safe for use from several threads.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t wall_ms = 1'700'000'000'000) : wall_ms_(wall_ms) {}
  int64_t WallMs() const override { return wall_ms_.load(); }
  int64_t MonotonicUs() const override { return monotonic_us_.load(); }
  void AdvanceMs(int64_t ms) {
    wall_ms_ += ms;
    monotonic_us_ += ms * 1000;
  }

 private:
  std::atomic<int64_t> wall_ms_;
  std::atomic<int64_t> monotonic_us_{0};
};

}  // namespace elanus
