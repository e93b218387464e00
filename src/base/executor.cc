#include "base/executor.h"

#include <fmt/core.h>

#include <utility>

namespace elanus {

Executor::Executor(const ExecutorOptions& options) : queue_max_(options.queue_max) {
  threads_.reserve(options.threads);
  for (size_t i = 0; i < options.threads; ++i) {
    threads_.emplace_back(
        fmt::format("{}-{}", options.name, i), [this] { Run(); }, options.priority);
  }
}

Executor::~Executor() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  threads_.clear();
}

bool Executor::TrySubmit(std::move_only_function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(task));
  }
  changed_.NotifyOne();
  return true;
}

size_t Executor::Waiting() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

void Executor::Run() {
  MutexLock lock(mutex_);
  for (;;) {
    while (queue_.empty() && !stopping_) changed_.Wait(mutex_);
    if (queue_.empty()) return;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    lock.Unlock();
    task();
    task = nullptr;  // what it captured goes before the lock is taken again
    lock.Lock();
  }
}

}  // namespace elanus
