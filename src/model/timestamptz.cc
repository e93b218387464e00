#include "model/timestamptz.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/core.h>

#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>

#include "base/mutex.h"

namespace elanus::model {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr size_t kZoneBytesMax = 64;

/// Zones are files: each is read once. Names that are no zone are remembered as well, so many.
constexpr size_t kZonesKept = 1024;

std::optional<absl::TimeZone> FindZone(std::string_view name) {
  if (name.empty() || name == "UTC") return absl::UTCTimeZone();
  // Files outside the database are none of a client's business.
  if (name.size() > kZoneBytesMax || name.front() == '/' || name.find("..") != name.npos ||
      name.find(':') != name.npos) {
    return std::nullopt;
  }
  static Mutex mutex;
  static std::map<std::string, std::optional<absl::TimeZone>, std::less<>> known;
  MutexLock lock(mutex);
  if (auto found = known.find(name); found != known.end()) return found->second;
  absl::TimeZone zone;
  const bool loaded = absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &zone);
  std::optional<absl::TimeZone> result = loaded ? std::optional(zone) : std::nullopt;
  if (known.size() < kZonesKept) known.emplace(name, result);
  return result;
}

/// Reads a text from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  /// A number of exactly `digits` digits.
  bool Digits(size_t digits, int* out) {
    if (text_.size() < digits) return false;
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      value = value * 10 + (text_[i] - '0');
    }
    *out = value;
    text_.remove_prefix(digits);
    return true;
  }
  /// One to nine digits after a point, as microseconds; finer ones are cut.
  bool Fraction(int* micros) {
    size_t digits = 0;
    int value = 0;
    while (digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9') {
      if (digits < 6) value = value * 10 + (text_[digits] - '0');
      ++digits;
    }
    if (digits == 0 || digits > 9) return false;
    for (size_t i = digits; i < 6; ++i) value *= 10;
    *micros = value;
    text_.remove_prefix(digits);
    return true;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

struct LocalTime {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
};

bool ScanLocal(Scanner& in, LocalTime* out) {
  if (!in.Digits(4, &out->year) || !in.Take('-') || !in.Digits(2, &out->month) || !in.Take('-') ||
      !in.Digits(2, &out->day) || (!in.Take('T') && !in.Take('t') && !in.Take(' ')) ||
      !in.Digits(2, &out->hour) || !in.Take(':') || !in.Digits(2, &out->minute) || !in.Take(':') ||
      !in.Digits(2, &out->second)) {
    return false;
  }
  if (in.Take('.') && !in.Fraction(&out->micros)) return false;
  // The civil calendar normalises what is out of range: a changed date was none.
  const absl::CivilSecond civil(out->year, out->month, out->day, out->hour, out->minute,
                                out->second);
  return civil.month() == out->month && civil.day() == out->day && civil.hour() == out->hour &&
         civil.minute() == out->minute && civil.second() == out->second;
}

struct Offset {
  int minutes = 0;
  int hours = 0;  // as written, with the sign
};

/// Z, +hh:mm or +hh to the end of the text; nullopt when it is something else.
std::optional<Offset> ScanOffset(Scanner& in) {
  if (in.Take('Z') || in.Take('z')) return in.done() ? std::optional(Offset{}) : std::nullopt;
  const bool minus = in.Take('-');
  if (!minus && !in.Take('+')) return std::nullopt;
  int hours = 0;
  int minutes = 0;
  if (!in.Digits(2, &hours)) return std::nullopt;
  if (in.Take(':') && !in.Digits(2, &minutes)) return std::nullopt;
  if (!in.done() || minutes > 59) return std::nullopt;
  const int total = hours * 60 + minutes;
  return Offset{minus ? -total : total, minus ? -hours : hours};
}

absl::CivilSecond CivilOf(const LocalTime& local) {
  return absl::CivilSecond(local.year, local.month, local.day, local.hour, local.minute,
                           local.second);
}

int64_t MicrosOf(absl::CivilSecond utc, int micros) {
  return (utc - absl::CivilSecond(1970, 1, 1)) * kMicros + micros;
}

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

struct ZonedTime {
  absl::CivilSecond civil;
  int64_t micros = 0;
  int offset_seconds = 0;
};

ZonedTime InZone(int64_t micros, std::string_view zone) {
  const int64_t seconds = FloorDivide(micros, kMicros);
  const auto info = FindZone(zone).value_or(absl::UTCTimeZone()).At(absl::FromUnixSeconds(seconds));
  return {info.cs, micros - seconds * kMicros, info.offset};
}

/// Of a clock time that a change of the zone's offset skips or repeats, the one that Milvus takes:
/// by the offset that holds when the clock is read as UTC, unless another holds at the time which
/// that gives. West of UTC a skipped time lies before the change and the first of two counts, east
/// of it a skipped time lies behind and the second counts.
int64_t UtcSeconds(absl::CivilSecond civil, const absl::TimeZone& zone) {
  const auto offset_at = [&](int64_t seconds) {
    return zone.At(absl::FromUnixSeconds(seconds)).offset;
  };
  const int64_t read = civil - absl::CivilSecond();
  const int guess = offset_at(read);
  const int holds = guess == 0 ? 0 : offset_at(read - guess);
  return read - holds;
}

}  // namespace

bool IsTimeZone(std::string_view zone) { return FindZone(zone).has_value(); }

Result<int64_t> ParseTimestamptz(std::string_view text, std::string_view zone) {
  auto unknown = [&] {
    return Error(InvalidParameter(
        fmt::format("invalid timestamp string: '{}'. Does not match any known format", text)));
  };
  Scanner in(text);
  LocalTime local;
  if (!ScanLocal(in, &local)) return unknown();
  if (in.done()) {
    const auto found = FindZone(zone);
    if (!found) {
      return Error(InvalidParameter(
          fmt::format("invalid timezone name; must be a valid IANA Time Zone ID: {}", zone)));
    }
    return UtcSeconds(CivilOf(local), *found) * kMicros + local.micros;
  }
  const auto offset = ScanOffset(in);
  if (!offset) return unknown();
  if (offset->minutes < -12 * 60 || offset->minutes > 14 * 60) {
    return Error(InvalidParameter(
        fmt::format("UTC offset hour {} is out of the valid range [-12, 14]", offset->hours)));
  }
  return MicrosOf(CivilOf(local) - offset->minutes * 60, local.micros);
}

std::string FormatTimestamptz(int64_t micros, std::string_view zone) {
  const ZonedTime at = InZone(micros, zone);
  std::string text =
      fmt::format("{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}", at.civil.year(), at.civil.month(),
                  at.civil.day(), at.civil.hour(), at.civil.minute(), at.civil.second());
  if (at.micros != 0) {
    std::string fraction = fmt::format(".{:06d}", at.micros);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  if (at.offset_seconds == 0) return text + "Z";
  const int minutes = (at.offset_seconds < 0 ? -at.offset_seconds : at.offset_seconds) / 60;
  return text + fmt::format("{}{:02d}:{:02d}", at.offset_seconds < 0 ? '-' : '+', minutes / 60,
                            minutes % 60);
}

bool TimestamptzPart(int64_t micros, std::string_view zone, std::string_view part, int64_t* out) {
  const ZonedTime at = InZone(micros, zone);
  const std::pair<std::string_view, int64_t> parts[] = {
      {"year", at.civil.year()},  {"month", at.civil.month()},   {"day", at.civil.day()},
      {"hour", at.civil.hour()},  {"minute", at.civil.minute()}, {"second", at.civil.second()},
      {"microsecond", at.micros},
  };
  for (const auto& [name, value] : parts) {
    if (name != part) continue;
    *out = value;
    return true;
  }
  return false;
}

Result<Interval> ParseInterval(std::string_view text) {
  auto invalid = [&] {
    return Error(InvalidParameter(fmt::format("invalid ISO 8601 duration: {}", text)));
  };
  if (!text.starts_with('P')) return invalid();
  Interval interval;
  struct Part {
    char unit;
    bool of_day;
    int32_t* value;
  };
  const std::array<Part, 6> parts = {{{'Y', false, &interval.years},
                                      {'M', false, &interval.months},
                                      {'D', false, &interval.days},
                                      {'H', true, &interval.hours},
                                      {'M', true, &interval.minutes},
                                      {'S', true, &interval.seconds}}};
  size_t next = 0;
  bool of_day = false;
  const char* at = text.data() + 1;
  const char* const end = text.data() + text.size();
  while (at != end) {
    if (*at == 'T') {
      if (of_day) return invalid();
      of_day = true;
      ++at;
      continue;
    }
    int32_t number = 0;
    const auto [after, error] = std::from_chars(at, end, number);
    if (error != std::errc() || after == end || *at == '-') return invalid();
    while (next < parts.size() && (parts[next].unit != *after || parts[next].of_day != of_day)) {
      ++next;
    }
    if (next == parts.size()) return invalid();
    *parts[next++].value = number;
    at = after + 1;
  }
  return interval;
}

int64_t AddInterval(int64_t micros, const Interval& interval, int sign) {
  const int64_t seconds = FloorDivide(micros, kMicros);
  const absl::CivilSecond at = absl::CivilSecond(1970, 1, 1) + seconds;
  const absl::CivilSecond moved(
      at.year() + int64_t{sign} * interval.years, at.month() + int64_t{sign} * interval.months,
      at.day() + int64_t{sign} * interval.days, at.hour() + int64_t{sign} * interval.hours,
      at.minute() + int64_t{sign} * interval.minutes,
      at.second() + int64_t{sign} * interval.seconds);
  const int64_t total = moved - absl::CivilSecond(1970, 1, 1);
  // Years beyond what microseconds can count stay at the end of time.
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kMicros - 1;
  if (total > kSecondsMax) return std::numeric_limits<int64_t>::max();
  if (total < -kSecondsMax) return std::numeric_limits<int64_t>::min();
  return total * kMicros + (micros - seconds * kMicros);
}

}  // namespace elanus::model
