#include "base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace elanus {

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
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice);
}

}  // namespace elanus
