// Locks that Clang's thread-safety analysis understands: data says GUARDED_BY(mutex_), private
// functions say REQUIRES(mutex_), and -Wthread-safety refuses an access without the lock.
// Holds: no lock is kept across I/O or a callback (house rule). Called by every class that several
// threads may touch.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#if defined(__clang__)
#define ELANUS_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define ELANUS_THREAD_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) ELANUS_THREAD_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY ELANUS_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(mutex) ELANUS_THREAD_ATTRIBUTE(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) ELANUS_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
#define REQUIRES(...) ELANUS_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) ELANUS_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) ELANUS_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) ELANUS_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES(...) ELANUS_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS ELANUS_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace elanus {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }
  bool TryLock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

/// Holds a Mutex for a scope; Unlock and Lock again inside it for I/O or a callback.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASE() {
    if (held_) mutex_.Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() RELEASE() {
    held_ = false;
    mutex_.Unlock();
  }
  void Lock() ACQUIRE() {
    mutex_.Lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// Wakes may be spurious: always wait in a loop over the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    changed_.wait(lock);
    lock.release();
  }
  /// False when `timeout_us` passed without a wake.
  bool WaitFor(Mutex& mutex, int64_t timeout_us) REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    bool woken = changed_.wait_for(lock, std::chrono::microseconds(timeout_us)) ==
                 std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void NotifyOne() { changed_.notify_one(); }
  void NotifyAll() { changed_.notify_all(); }

 private:
  std::condition_variable changed_;
};

}  // namespace elanus
