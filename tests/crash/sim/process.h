// A server process on a simulated machine: what Standalone opens below the network, on files that
// can be lost. Holds: one process at a time uses a machine; everything it does to the disk happens
// on the caller's thread or while the caller waits, in an order that the caller's choices decide.
// Called by the lives of crash_sim. Threads: one.
#pragma once

#include <functional>
#include <memory>

#include "base/sim_file_system.h"
#include "coordinator/coordinator_service.h"
#include "storage/log/log.h"
#include "storage/meta/meta_store.h"
#include "storage/object/object_store.h"
#include "worker/stream/shard_owner.h"

namespace elanus::crash {

inline constexpr int64_t kRetentionMs = 1000;

/// What outlives a process: the disk and the time.
struct Machine {
  SimFileSystem files;
  FakeClock wall;
  uint64_t term = 0;
};

class Process {
 public:
  /// Opens and recovers everything, in the order Standalone does. Errors: whatever refuses.
  static Result<std::unique_ptr<Process>> Open(Machine& machine,
                                               std::function<void(worker::JobStep)> at_step);
  ~Process();

  storage::MetaStore& meta() { return *meta_; }
  storage::ObjectStore& objects() { return *objects_; }
  storage::Log& log() { return *log_; }
  worker::ShardOwner& owner() { return *owner_; }
  coordinator::CoordinatorService& coordinator() { return *coordinator_; }

 private:
  explicit Process(Machine& machine) : clock_(machine.wall) {}
  Status OpenAll(Machine& machine, std::function<void(worker::JobStep)> at_step);

  model::HybridClock clock_;
  std::unique_ptr<storage::MetaStore> meta_;
  std::unique_ptr<storage::ObjectStore> objects_;
  std::unique_ptr<storage::Log> log_;
  std::unique_ptr<worker::ShardOwner> owner_;
  std::unique_ptr<coordinator::CoordinatorService> coordinator_;
};

}  // namespace elanus::crash
