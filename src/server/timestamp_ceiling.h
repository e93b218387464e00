// Remembers in the MetaStore a timestamp above every one handed out, a few seconds ahead, as
// timestamp services do: a reader's timestamp is in no log, and a wall clock that goes back across
// a restart would otherwise hand it out again, to a write. Holds: the clock's next timestamp is
// below what the store has; after a clean stop it goes on where it ended. Cost: one small commit in
// kAheadMs / 2 of use, ahead of need by a thread of its own; none while nobody uses the clock.
// Called by standalone.cc. Threads: RaiseAbove from any.
#pragma once

#include <memory>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread.h"
#include "model/hybrid_time.h"
#include "storage/meta/meta_store.h"

namespace elanus {

class TimestampCeiling final : public model::TimestampBound {
 public:
  static constexpr int64_t kAheadMs = 3000;

  /// Moves the clock past what an earlier process may have handed out and bounds it from now on.
  /// Both outlive this. Errors: the store's, kDataIntegrity.
  static Result<std::unique_ptr<TimestampCeiling>> Open(storage::MetaStore& meta,
                                                        model::HybridClock& clock);
  /// \pre nobody uses the clock any more
  ~TimestampCeiling() override;

  /// Half-way to the stored ceiling it only asks its thread for a higher one; above it, it waits.
  model::Timestamp RaiseAbove(model::Timestamp ts) override;

 private:
  TimestampCeiling(storage::MetaStore& meta, model::HybridClock& clock)
      : meta_(meta), clock_(clock) {}
  Status Store(model::Timestamp ceiling);
  void Run() EXCLUDES(mutex_);

  storage::MetaStore& meta_;
  model::HybridClock& clock_;
  Mutex mutex_;
  CondVar changed_;
  model::Timestamp stored_ GUARDED_BY(mutex_) = 0;
  model::Timestamp wanted_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace elanus
