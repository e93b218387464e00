#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace elanus {
namespace {

// What the kernel takes (include/uapi/linux/sched/types.h); glibc has it from 2.41 on.
struct SchedulingAttributes {
  uint32_t size = sizeof(SchedulingAttributes);
  uint32_t policy = 0;  // SCHED_OTHER
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};

/// A search that wakes waits until the thread on its core has used up its slice, 3 ms unless told:
/// the least there is, for the calling thread and those it starts. Kernels before 6.12 take the
/// niceness alone.
bool SetShortSlices(int nice) {
  const SchedulingAttributes attributes{.nice = nice, .runtime_ns = 100'000};
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

constexpr int64_t kOfferUs = 100;  // between two offers of a core

id_t CurrentThreadId() { return static_cast<id_t>(syscall(SYS_gettid)); }

}  // namespace

Thread::Thread(std::string name, std::move_only_function<void()> run, ThreadPriority priority)
    : thread_([name = std::move(name), run = std::move(run), priority]() mutable {
        SetCurrentThread(name, priority);
        run();
      }) {}

void Thread::Join() {
  if (thread_.joinable()) thread_.join();
}

void SetCurrentThread(const std::string& name, ThreadPriority priority) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  if (priority == ThreadPriority::kNormal) return;
  // SCHED_IDLE gets nothing at all on a busy machine: it would hold a lock, or keep a stopping
  // server waiting, for as long as that lasts. Niceness gives a tenth, or a sixtieth, of a
  // contested core.
  const int nice = priority == ThreadPriority::kReduced ? 10 : 19;
  // Best effort: a container may forbid it, and then work is merely less polite.
  if (!SetShortSlices(nice)) setpriority(PRIO_PROCESS, CurrentThreadId(), nice);
}

void OfferCore() {
  // The whole process may run at a niceness.
  thread_local const bool low = getpriority(PRIO_PROCESS, CurrentThreadId()) >
                                getpriority(PRIO_PROCESS, static_cast<id_t>(getpid()));
  if (!low) return;
  thread_local int64_t next_us = 0;
  const int64_t now_us = SystemClock().MonotonicUs();
  if (now_us < next_us) return;
  next_us = now_us + kOfferUs;
  sched_yield();
}

}  // namespace elanus
