// The server's own log: one line an event, `time level event key=value …`, to stderr. Log an event
// once, where it is handled. Bounded: a line longer than 4 KiB is cut. (The log of writes is
// storage/log, not this.)
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace elanus {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kNone };

void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);
void LogLine(LogLevel level, std::string_view text);

template <class... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kDebug))
    LogLine(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kInfo))
    LogLine(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogWarn(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kWarn))
    LogLine(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  if (LogEnabled(LogLevel::kError))
    LogLine(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

/// A stretch of work that can be seen from outside: logs `NAME begin KEY=VALUE` at once and
/// `NAME end KEY=VALUE us=…` when it goes out of scope, both at level debug. The crash test reads
/// them to know what a kill interrupted. Cost when debug lines are off: one relaxed load.
class LogPhase {
 public:
  LogPhase(std::string_view name, std::string_view key, int64_t value);
  ~LogPhase();
  LogPhase(const LogPhase&) = delete;
  LogPhase& operator=(const LogPhase&) = delete;

 private:
  const std::string_view name_;
  const std::string_view key_;
  const int64_t value_;
  int64_t began_us_ = -1;  ///< -1: nobody listens
};

}  // namespace elanus
