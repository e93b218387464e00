#include "worker/build/memory_budget.h"

#include <utility>

namespace elanus::worker {

MemoryBudget::Lease::Lease(Lease&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}

MemoryBudget::Lease::~Lease() {
  if (budget_ != nullptr) budget_->GiveBack(bytes_);
}

MemoryBudget::Lease MemoryBudget::Take(uint64_t bytes, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    // The lock, so that a waiter which has just looked at `stop` is asleep already.
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  Lease lease;
  MutexLock lock(mutex_);
  const auto self = waiting_.insert(waiting_.end(), &lease);
  auto fits = [&]() REQUIRES(mutex_) {
    if (waiting_.front() != &lease) return false;
    return bytes_taken_ == 0 || (bytes <= bytes_max_ && bytes_taken_ <= bytes_max_ - bytes);
  };
  while (!stop.stop_requested() && !fits()) changed_.Wait(mutex_);
  waiting_.erase(self);
  changed_.NotifyAll();
  if (stop.stop_requested()) return lease;
  bytes_taken_ += bytes;
  return {this, bytes};
}

void MemoryBudget::GiveBack(uint64_t bytes) {
  {
    MutexLock lock(mutex_);
    bytes_taken_ -= bytes;
  }
  changed_.NotifyAll();
}

uint64_t MemoryBudget::bytes_taken() const {
  MutexLock lock(mutex_);
  return bytes_taken_;
}

uint64_t MemoryBudget::jobs_waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

}  // namespace elanus::worker
