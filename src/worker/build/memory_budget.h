// The memory that merges and index builds may take together. Holds: what is out never exceeds the
// budget, but for a job that is larger than all of it and then goes alone. Jobs get their turn in
// the order they asked, so that small ones do not keep a large one waiting for ever. Called by
// Compactor. Threads: any.
#pragma once

#include <cstdint>
#include <list>
#include <stop_token>

#include "base/mutex.h"

namespace elanus::worker {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  /// Bytes taken from the budget, given back when this goes.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class MemoryBudget;
    Lease(MemoryBudget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}
    MemoryBudget* budget_ = nullptr;
    uint64_t bytes_ = 0;
  };

  /// Waits for the bytes. An empty lease when `stop` was requested meanwhile.
  Lease Take(uint64_t bytes, const std::stop_token& stop) EXCLUDES(mutex_);

  uint64_t bytes_max() const { return bytes_max_; }
  uint64_t bytes_taken() const EXCLUDES(mutex_);
  uint64_t jobs_waiting() const EXCLUDES(mutex_);

 private:
  void GiveBack(uint64_t bytes) EXCLUDES(mutex_);

  const uint64_t bytes_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t bytes_taken_ GUARDED_BY(mutex_) = 0;
  std::list<const Lease*> waiting_ GUARDED_BY(mutex_);  // in the order they asked
};

}  // namespace elanus::worker
