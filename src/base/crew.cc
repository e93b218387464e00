#include "base/crew.h"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "base/mutex.h"

namespace elanus {
namespace {

/// Whose reader or helper this thread is.
thread_local const Crew* works_for = nullptr;

}  // namespace

Crew::Turn::Turn(Crew& crew) : crew_(crew), before_(std::exchange(works_for, &crew)) {
  if (before_ != &crew_) crew_.busy_.fetch_add(1);
}

Crew::Turn::~Turn() {
  if (before_ != &crew_) crew_.busy_.fetch_sub(1);
  works_for = before_;
}

// Kept by the last who knows it: a helper that comes too late finds no piece left and touches
// nothing of the caller's.
struct Crew::Work {
  Work(size_t pieces, const std::function<Status(size_t)>& one) : count(pieces), piece(one) {}

  void Run() EXCLUDES(mutex) {
    for (;;) {
      const size_t mine = next.fetch_add(1);
      if (mine >= count) return;
      Status status = failed.load(std::memory_order_relaxed) ? Status::Ok() : RunPiece(mine);
      const MutexLock lock(mutex);
      if (!status.ok() && first_error.ok()) {
        first_error = std::move(status);
        failed.store(true, std::memory_order_relaxed);
      }
      if (++done == count) all_done.NotifyAll();
    }
  }

  /// Whoever throws, the caller must not leave while others still run its pieces.
  Status RunPiece(size_t i) const {
    try {
      return piece(i);
    } catch (const std::exception& e) {
      return {Code::kUnexpected, fmt::format("unexpected error: {}", e.what())};
    }
  }

  Status Wait() EXCLUDES(mutex) {
    MutexLock lock(mutex);
    while (done < count) all_done.Wait(mutex);
    return first_error;
  }

  const size_t count;
  const std::function<Status(size_t)>& piece;  // the caller's, which waits until all are done
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  Mutex mutex;
  CondVar all_done;
  size_t done GUARDED_BY(mutex) = 0;
  Status first_error GUARDED_BY(mutex) = Status::Ok();
};

Crew::Crew(size_t cores)
    : cores_(std::max<size_t>(cores, 1)),
      helpers_({.name = "helper", .threads = cores_ - 1, .queue_max = cores_}) {}

size_t Crew::TakeHelpers(size_t wanted) {
  size_t busy = busy_.load();
  for (;;) {
    const size_t taken = std::min(wanted, cores_ - std::min(cores_, busy));
    if (taken == 0 || busy_.compare_exchange_weak(busy, busy + taken)) return taken;
  }
}

Status Crew::InTurn(size_t count, const std::function<Status(size_t)>& piece) {
  for (size_t i = 0; i < count; ++i) RETURN_IF_ERROR(piece(i));
  return Status::Ok();
}

Status Crew::ForEach(size_t count, const std::function<Status(size_t)>& piece) {
  const size_t helpers = count > 1 ? TakeHelpers(count - 1) : 0;
  if (helpers == 0) return InTurn(count, piece);
  const auto work = std::make_shared<Work>(count, piece);
  for (size_t i = 0; i < helpers; ++i) {
    const bool accepted = helpers_.TrySubmit([this, work] {
      works_for = this;
      work->Run();
      busy_.fetch_sub(1);
    });
    if (!accepted) busy_.fetch_sub(1);
  }
  work->Run();
  return work->Wait();
}

}  // namespace elanus
