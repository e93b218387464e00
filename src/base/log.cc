#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <ctime>

#include "base/clock.h"

namespace elanus {
namespace {

std::atomic<int> g_level{static_cast<int>(LogLevel::kInfo)};
constexpr size_t kLineBytesMax = 4096;

constexpr std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "DEBUG";
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarn: return "WARN";
    case LogLevel::kError: return "ERROR";
    case LogLevel::kNone: break;
  }
  return "?";
}

}  // namespace

void SetLogLevel(LogLevel level) { g_level = static_cast<int>(level); }
bool LogEnabled(LogLevel level) {
  return static_cast<int>(level) >= g_level.load(std::memory_order_relaxed);
}

void LogLine(LogLevel level, std::string_view text) {
  const int64_t now_ms = SystemClock().WallMs();
  const time_t seconds = now_ms / 1000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::string line = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} ",
                                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                 utc.tm_min, utc.tm_sec, now_ms % 1000, LevelName(level));
  line += text.substr(0, kLineBytesMax);
  line += '\n';
  // One write a line: lines of several threads do not mix. A log that cannot be written is not
  // worth an error.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

LogPhase::LogPhase(std::string_view name, std::string_view key, int64_t value)
    : name_(name), key_(key), value_(value) {
  if (!LogEnabled(LogLevel::kDebug)) return;
  began_us_ = SystemClock().MonotonicUs();
  LogDebug("{} begin {}={}", name_, key_, value_);
}

LogPhase::~LogPhase() {
  if (began_us_ < 0) return;
  LogDebug("{} end {}={} us={}", name_, key_, value_, SystemClock().MonotonicUs() - began_us_);
}

}  // namespace elanus
