#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
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
  // Best effort: a container may forbid it, and then work is merely less polite.
  const auto self = static_cast<id_t>(syscall(SYS_gettid));
  if (priority == ThreadPriority::kReduced) {
    setpriority(PRIO_PROCESS, self, 10);
    return;
  }
  sched_param none{};
  if (sched_setscheduler(0, SCHED_IDLE, &none) != 0) setpriority(PRIO_PROCESS, self, 19);
}

}  // namespace elanus
