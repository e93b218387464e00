// Remembers in the MetaStore a timestamp above every one handed out, half a minute ahead, as
// timestamp services do: a reader's timestamp is in no log, and a wall clock that goes back across
// a restart would otherwise hand it out again, to a write. Holds: the clock's next timestamp is
// below what the store has; after a clean stop it goes on where it ended, after a kill at most
// kAheadMs ahead of the wall clock, however often it is killed.
// Nobody waits for it: a thread of its own stores the next ceiling long before the last is reached,
// also while the server is idle. Cost: one small commit in kAheadMs / 2.
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
  static constexpr int64_t kAheadMs = 30'000;

  /// Moves the clock past what an earlier process may have handed out and bounds it from now on.
  /// Both outlive this. Errors: the store's, kDataIntegrity.
  static Result<std::unique_ptr<TimestampCeiling>> Open(storage::MetaStore& meta,
                                                        model::HybridClock& clock,
                                                        int64_t ahead_ms = kAheadMs);
  /// \pre nobody uses the clock any more
  ~TimestampCeiling() override;

  /// Waits only when the thread could not store in time: a disk that hangs, a machine that slept.
  model::Timestamp RaiseAbove(model::Timestamp ts) override;

 private:
  TimestampCeiling(storage::MetaStore& meta, model::HybridClock& clock, int64_t ahead_ms)
      : meta_(meta), clock_(clock), ahead_(model::TimestampFromMs(ahead_ms)) {}
  model::Timestamp CeilingAbove(model::Timestamp ts) const;
  Status Store(model::Timestamp ceiling);
  void Run() EXCLUDES(mutex_);

  storage::MetaStore& meta_;
  model::HybridClock& clock_;
  const model::Timestamp ahead_;
  Mutex mutex_;
  CondVar changed_;
  model::Timestamp stored_ GUARDED_BY(mutex_) = 0;
  model::Timestamp wanted_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace elanus
