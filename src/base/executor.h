// A bounded pool of named threads. Holds: the queue never grows above its bound (a caller that is
// refused answers "queue full"); tasks start in the order they came; destruction runs what was
// accepted, then joins. Called by whoever has short tasks; a task must not wait for another task of
// its own executor. Threads: TrySubmit from any.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"

namespace elanus {

struct ExecutorOptions {
  std::string name;
  size_t threads = 1;
  size_t queue_max = 1024;  ///< tasks waiting, those that run not counted
  ThreadPriority priority = ThreadPriority::kNormal;
};

class Executor {
 public:
  explicit Executor(const ExecutorOptions& options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// False when the queue is full or the executor is being destroyed; the task is then dropped.
  [[nodiscard]] bool TrySubmit(std::move_only_function<void()> task) EXCLUDES(mutex_);
  size_t Waiting() const EXCLUDES(mutex_);
  size_t threads() const { return threads_.size(); }

 private:
  void Run() EXCLUDES(mutex_);

  const size_t queue_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<std::move_only_function<void()>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_;
};

}  // namespace elanus
