// Which calls of a faulty wrapper fail, and how: the n-th call of an operation answers an error,
// either instead of being done or after it was done (the caller then cannot know).
// Called by the faulty forms of the three doors, which tests wrap round any other form.
// Threads: safe from any.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/status.h"

namespace elanus::storage {

class FaultPlan {
 public:
  enum class When { kInstead, kAfter };

  /// The n-th call of `operation` from now (0 = the next) and, if `forever`, all after it.
  struct Fault {
    uint64_t n = 0;
    Status status{Code::kIoFailed, "injected fault"};
    When when = When::kInstead;
    bool forever = false;
  };
  void Fail(const std::string& operation, Fault fault) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    faults_[operation] = std::move(fault);
  }
  void Clear() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    faults_.clear();
  }

  /// The fault of this call of `operation`; ok status when it is to succeed.
  Fault Next(const std::string& operation) EXCLUDES(mutex_) {
    static const Fault kNone{.status = Status::Ok()};
    MutexLock lock(mutex_);
    auto it = faults_.find(operation);
    if (it == faults_.end()) return kNone;
    if (it->second.n > 0) {
      --it->second.n;
      return kNone;
    }
    Fault fault = it->second;
    if (!fault.forever) faults_.erase(it);
    return fault;
  }

  /// Makes the call unless the plan says otherwise. `call` returns Status or Result<T>.
  template <class Call>
  auto Run(const std::string& operation, Call call) -> decltype(call()) {
    Fault fault = Next(operation);
    if (fault.status.ok()) return call();
    if (fault.when == When::kAfter) std::ignore = call();
    return StatusReturn(std::move(fault.status));
  }

 private:
  Mutex mutex_;
  std::map<std::string, Fault> faults_ GUARDED_BY(mutex_);
};

}  // namespace elanus::storage
