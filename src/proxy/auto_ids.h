// Auto ids for rows: unique, growing, taken from the coordinator in blocks so that an insert does
// not wait for it. Called by the write path. Threads: any.
#pragma once

#include <algorithm>

#include "base/mutex.h"
#include "service/coordinator.h"

namespace elanus::proxy {

class AutoIds {
 public:
  explicit AutoIds(service::Coordinator& coordinator) : coordinator_(coordinator) {}

  /// The first of `count` consecutive ids.
  Result<int64_t> Take(int64_t count) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (end_ - next_ < count) {
      const int64_t block = std::max(count, kBlock);
      ASSIGN_OR_RETURN(next_, coordinator_.AllocateIds(block));
      end_ = next_ + block;
    }
    const int64_t first = next_;
    next_ += count;
    return first;
  }

 private:
  static constexpr int64_t kBlock = 65'536;

  service::Coordinator& coordinator_;
  // Held while a block is fetched, once in kBlock rows: those who come meanwhile need it too.
  Mutex mutex_;
  int64_t next_ GUARDED_BY(mutex_) = 0;
  int64_t end_ GUARDED_BY(mutex_) = 0;
};

}  // namespace elanus::proxy
