// What /healthz answers over the life of the process: recovering, serving, log broken, stopping.
// Called by main.cc. Threads: any.
#pragma once

#include "base/mutex.h"
#include "base/status.h"
#include "server/standalone.h"

namespace elanus {

class Health {
 public:
  void Serves(const Standalone& server) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    server_ = &server;
  }
  /// \pre called before the server goes
  void Stops() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    server_ = nullptr;
    stopping_ = true;
  }
  /// ok while requests are served.
  Status Check() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (stopping_) return {Code::kNotReady, "stopping: service not ready"};
    if (server_ == nullptr) return {Code::kNotReady, "recovering: service not ready"};
    return server_->Health();
  }

 private:
  mutable Mutex mutex_;
  const Standalone* server_ GUARDED_BY(mutex_) = nullptr;
  bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace elanus
