// Ids that only grow and are never handed out twice, across restarts: taken from blocks whose end
// is stored before the first id of the block is used. A block starts no lower than the timestamp of
// its day, as Milvus' ids do: an auto id then is no key that a person would choose, which an upsert
// into a collection with auto ids would delete. Called by CoordinatorService for objects and,
// through the proxy, for auto ids of rows. Threads: any; a call waits for I/O once in kIdBlock ids.
#pragma once

#include <cstdint>

#include "base/mutex.h"
#include "base/status.h"
#include "model/hybrid_time.h"
#include "storage/meta/meta_store.h"

namespace elanus::coordinator {

inline constexpr int64_t kIdBlock = 1 << 20;

class IdAllocator {
 public:
  IdAllocator(storage::MetaStore& store, model::HybridClock& clock)
      : store_(store), clock_(clock) {}

  /// The first of `count` consecutive ids. kIoFailed and others when the end of a new block cannot
  /// be stored.
  Result<int64_t> Allocate(int64_t count) EXCLUDES(mutex_);

 private:
  Status Reserve(int64_t count) REQUIRES(mutex_);

  storage::MetaStore& store_;
  model::HybridClock& clock_;
  // Held across the store's I/O: whoever needs ids of the next block has to wait for it anyway.
  Mutex mutex_;
  int64_t next_ GUARDED_BY(mutex_) = 0;
  int64_t end_ GUARDED_BY(mutex_) = 0;
};

}  // namespace elanus::coordinator
