// A named thread that is joined when its owner goes. Holds: the name is visible in `top -H`; the
// owner tells the function to end (its own flag or queue) before the Thread is destroyed.
// Called by whoever needs a thread of its own; for short tasks see base/executor.h.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace elanus {

enum class ThreadPriority {
  kNormal,
  kReduced,  ///< gets about a tenth of a core that others want too: builds that someone waits for
  kLow,      ///< yields to all else, yet never starves: builds, merges, files made ahead
};

class Thread {
 public:
  Thread() = default;
  /// \param name  the kernel keeps 15 bytes of it
  Thread(std::string name, std::move_only_function<void()> run,
         ThreadPriority priority = ThreadPriority::kNormal);
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&&) noexcept = default;

  bool joinable() const { return thread_.joinable(); }
  /// Waits for the function to return. Destruction does the same.
  void Join();
  bool IsCurrent() const { return thread_.get_id() == std::this_thread::get_id(); }

 private:
  std::jthread thread_;
};

/// Gives the calling thread a name and a priority.
void SetCurrentThread(const std::string& name, ThreadPriority priority);

/// For the loops of builds and merges: on a thread of lower priority than the process (its own, or
/// that of the thread that started it) lets others that wait for the core have it, at most once in
/// 100 us. The kernel refuses now and then to cut a turn short for a thread that wakes and looks
/// again only at its next tick, 4 ms later: most of the p99 of searches beside a build. On other
/// threads it does nothing. Cost: some 25 ns.
void OfferCore();

}  // namespace elanus
