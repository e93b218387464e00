// CHECK: stops the process when something holds that only a mistake of ours can cause. On in
// release builds too. Errors that a user, a disk or a network can cause are Status values
// (base/status.h), never a CHECK.
#pragma once

namespace elanus {

/// Prints `file:line: check failed: text` to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* text);

}  // namespace elanus

#define ELANUS_CHECK(condition)                              \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::elanus::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
