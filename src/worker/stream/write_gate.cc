#include "worker/stream/write_gate.h"

#include <utility>

namespace elanus::worker {
namespace {

Status Refusal() {
  return {Code::kQuotaExceeded,
          "quota exceeded[reason=memory quota exceeded, please allocate more resources]"};
}

Status Closed() { return {Code::kNotReady, "the server is stopping: service not ready"}; }

}  // namespace

void WriteGate::Start() {
  thread_ = Thread("write-gate", [this] { Run(); });
}

void WriteGate::Close() {
  std::deque<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    waiting.swap(waiting_);
    bytes_waiting_ = 0;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.Join();
  for (Waiting& writer : waiting) writer.go(Closed());
}

bool WriteGate::Enter(uint64_t bytes, Go go) {
  const bool room = unflushed_() <= options_.unflushed_bytes_max;
  Status refused;
  {
    MutexLock lock(mutex_);
    if (closed_) {
      refused = Closed();
    } else if (!room || !waiting_.empty() || looking_) {
      if (bytes_waiting_ + bytes <= options_.waiting_bytes_max && options_.wait_ms > 0) {
        const int64_t now_us = options_.clock->MonotonicUs();
        waiting_.push_back({bytes, now_us + options_.wait_ms * 1000, std::move(go)});
        bytes_waiting_ += bytes;
        changed_.NotifyAll();
        return false;
      }
      refused = Refusal();
    }
  }
  const bool entered = refused.ok();
  go(std::move(refused));
  return entered;
}

void WriteGate::Look() {
  MutexLock lock(mutex_);
  look_again_ = true;
  if (looking_) return;  // that thread looks once more
  looking_ = true;
  while (std::exchange(look_again_, false)) {
    for (;;) {
      lock.Unlock();
      const uint64_t unflushed = unflushed_();  // what was let in before is part of it
      lock.Lock();
      if (waiting_.empty()) break;
      Waiting& first = waiting_.front();
      const bool room = unflushed <= options_.unflushed_bytes_max;
      if (!room && options_.clock->MonotonicUs() < first.until_us) break;
      Waiting writer = std::move(first);
      waiting_.pop_front();
      bytes_waiting_ -= writer.bytes;
      lock.Unlock();
      writer.go(room ? Status::Ok() : Refusal());
      lock.Lock();
    }
  }
  looking_ = false;
}

uint64_t WriteGate::writers_waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

void WriteGate::Run() {
  MutexLock lock(mutex_);
  while (!closed_) {
    if (waiting_.empty()) {
      changed_.Wait(mutex_);
      continue;
    }
    const int64_t wait_us = waiting_.front().until_us - options_.clock->MonotonicUs();
    if (wait_us > 0) {
      changed_.WaitFor(mutex_, wait_us);
      continue;
    }
    lock.Unlock();
    Look();
    lock.Lock();
  }
}

}  // namespace elanus::worker
