// When a search or a build must stop: the caller has gone, or its deadline has passed. Asked every
// few thousand distances, well under 50 ms of work. Threads: any number may ask.
#pragma once

#include <limits>
#include <stop_token>
#include <utility>

#include "base/clock.h"
#include "base/status.h"

namespace elanus::index {

class Cancel {
 public:
  /// Never.
  Cancel() = default;
  explicit Cancel(std::stop_token stop) : stop_(std::move(stop)) {}
  /// \param deadline_us  on the monotonic axis of `clock`
  Cancel(std::stop_token stop, const Clock& clock, int64_t deadline_us)
      : stop_(std::move(stop)), clock_(&clock), deadline_us_(deadline_us) {}

  /// kCanceled after a stop was asked for, kTimeout past the deadline, else ok.
  Status Check() const {
    if (stop_.stop_requested()) return Status(Code::kCanceled, "search canceled");
    if (clock_ != nullptr && clock_->MonotonicUs() > deadline_us_) {
      return Status(Code::kTimeout, "search deadline exceeded");
    }
    return Status::Ok();
  }

 private:
  std::stop_token stop_;
  const Clock* clock_ = nullptr;
  int64_t deadline_us_ = std::numeric_limits<int64_t>::max();
};

}  // namespace elanus::index
