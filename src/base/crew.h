// Threads that help a reader while cores are idle. A reader splits what it has into independent
// pieces and works through them itself; others join only while fewer are at work than there are
// cores, so that a busy server answers each call on one core, as if there were no crew. A piece may
// be split in turn: its thread is at work already and is counted once.
// Called by proxy/ (a read's shards), worker/ (its reads) and query/ (the pieces). Threads: any
// number of readers at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include "base/executor.h"
#include "base/status.h"

namespace elanus {

class Crew {
 public:
  /// \param cores  how many may be at work at once, readers among them; 1: nobody ever helps
  explicit Crew(size_t cores);

  /// A reader at work, from construction to destruction: helpers leave it its core.
  class Turn {
   public:
    explicit Turn(Crew& crew);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Crew& crew_;
    const Crew* const before_;  // whom the thread worked for
  };

  size_t cores() const { return cores_; }

  /// The pieces in order on the caller alone; no further one after an error.
  static Status InTurn(size_t count, const std::function<Status(size_t)>& piece);

  /// Runs piece(0) to piece(count - 1), each at most once, in no order, on the caller (which has a
  /// Turn) and on helpers; returns when none runs any more. After a piece failed no further one
  /// begins. Cost of a helper: some ten microseconds until it begins.
  /// \param piece  called from several threads at once
  /// Errors: one of those that pieces gave.
  Status ForEach(size_t count, const std::function<Status(size_t)>& piece);

 private:
  struct Work;

  size_t TakeHelpers(size_t wanted);

  const size_t cores_;
  std::atomic<size_t> busy_{0};  // readers, and helpers from when they are asked to when they end
  Executor helpers_;
};

}  // namespace elanus
