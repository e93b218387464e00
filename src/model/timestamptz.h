// TIMESTAMPTZ values: microseconds since 1970 in UTC, their text forms and calendar intervals.
// Called by the proxy (rows in and out), by expr (literals) and by query (filters). Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::model {

/// True for UTC and every name of the system's time zone database (IANA), whatever its case.
bool IsTimeZone(std::string_view zone);

/// The microseconds of a text: RFC 3339 with an offset, or date and time separated by `T` or a
/// blank, with an offset (Z, +hh:mm, +hh) or without one; then `zone` says where it is told.
/// Errors: kInvalidParameter, `invalid timestamp string: 'X'. Does not match any known format`, or
/// the offset's text when it lies outside [-12, 14] hours.
Result<int64_t> ParseTimestamptz(std::string_view text, std::string_view zone);

/// RFC 3339 in a zone: at most six digits of fraction, none when it is zero, `Z` for UTC.
/// \pre IsTimeZone(zone)
std::string FormatTimestamptz(int64_t micros, std::string_view zone);

/// One part of the local date and time in a zone: year, month, day, hour, minute, second or
/// microsecond. \return false for another name
bool TimestamptzPart(int64_t micros, std::string_view zone, std::string_view part, int64_t* out);

/// An ISO 8601 duration of whole numbers.
struct Interval {
  int32_t years = 0;
  int32_t months = 0;
  int32_t days = 0;
  int32_t hours = 0;
  int32_t minutes = 0;
  int32_t seconds = 0;

  template <class V>
  void Visit(V& v) {
    v(years);
    v(months);
    v(days);
    v(hours);
    v(minutes);
    v(seconds);
  }
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// `P1Y2M3DT4H5M6S` with any of its parts. Errors: kInvalidParameter, `invalid ISO 8601 duration:
/// X`.
Result<Interval> ParseInterval(std::string_view text);

/// The calendar's sum in UTC: months first, then a day that the month has not flows over into the
/// next, as timegm does it. `sign` is 1 or -1.
int64_t AddInterval(int64_t micros, const Interval& interval, int sign);

}  // namespace elanus::model
