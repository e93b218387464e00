// When to give up a call: the client went away (stop token) or its deadline passed.
#pragma once

#include <cstdint>
#include <limits>
#include <stop_token>

#include "base/clock.h"
#include "base/status.h"

namespace elanus {

/// Cheap to copy. Work that takes long asks Stopped() every few thousand distances or rows, so that
/// a cancelled call frees its core within 50 ms.
struct Cancel {
  static constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

  std::stop_token stop;
  int64_t deadline_us = kNoDeadline;  ///< of the clock's MonotonicUs()
  const Clock* clock = nullptr;       ///< null: the machine's

  bool Stopped() const { return stop.stop_requested() || Late(); }
  /// kCanceled or kTimeout once stopped, ok before.
  Status Check() const {
    if (stop.stop_requested()) return {Code::kCanceled, "the call was canceled: canceled"};
    if (Late()) return {Code::kTimeout, "the call's deadline passed: timeout"};
    return Status::Ok();
  }

 private:
  bool Late() const {
    if (deadline_us == kNoDeadline) return false;
    return (clock != nullptr ? *clock : SystemClock()).MonotonicUs() >= deadline_us;
  }
};

}  // namespace elanus
