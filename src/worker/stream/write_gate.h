// Where writers wait while too many rows are in memory only, for a flush to make room.
// Holds: writers pass in the order they came; who has waited its time, or finds too many waiting
// bytes before it, is refused with Milvus' text; nobody's thread waits. Called by ShardOwner.
// Threads: any; `go` runs on the thread that finds room, under no lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/thread.h"

namespace elanus::worker {

struct WriteGateOptions {
  uint64_t unflushed_bytes_max = 512 << 20;  ///< above it the gate is closed
  int64_t wait_ms = 10'000;                  ///< of a writer, at most
  uint64_t waiting_bytes_max = 128 << 20;    ///< of the rows that wait
  const Clock* clock = &SystemClock();
};

class WriteGate {
 public:
  /// Called once: ok when the rows may be written, else why not.
  using Go = std::move_only_function<void(Status)>;

  /// \param unflushed  bytes of rows that no file has, those on their way into the log included
  WriteGate(const WriteGateOptions& options, std::function<uint64_t()> unflushed)
      : options_(options), unflushed_(std::move(unflushed)) {}
  ~WriteGate() { Close(); }

  /// Starts the thread that refuses those whose time is over; without it, Look does.
  void Start();
  /// Refuses whoever waits and whoever comes. Idempotent.
  void Close() EXCLUDES(mutex_);

  /// Runs `go` at once when there is room and nobody waits. False: it waits, a flush is due.
  bool Enter(uint64_t bytes, Go go) EXCLUDES(mutex_);
  /// Lets in whom there is room for, refuses those who have waited too long. Called after a flush.
  void Look() EXCLUDES(mutex_);

  uint64_t writers_waiting() const EXCLUDES(mutex_);

 private:
  struct Waiting {
    uint64_t bytes = 0;
    int64_t until_us = 0;
    Go go;
  };

  void Run() EXCLUDES(mutex_);

  const WriteGateOptions options_;
  const std::function<uint64_t()> unflushed_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> waiting_ GUARDED_BY(mutex_);
  uint64_t bytes_waiting_ GUARDED_BY(mutex_) = 0;
  bool looking_ GUARDED_BY(mutex_) = false;  // one at a time, so that writers keep their order
  bool look_again_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace elanus::worker
