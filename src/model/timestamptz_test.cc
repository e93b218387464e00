#include "model/timestamptz.h"

#include <gtest/gtest.h>

namespace elanus::model {
namespace {

constexpr int64_t kSecond = 1'000'000;

int64_t Micros(std::string_view text, std::string_view zone = "UTC") {
  const auto parsed = ParseTimestamptz(text, zone);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(-1);
}

TEST(Timestamptz, ReadsTheFormsThatMilvusReads) {
  constexpr int64_t kNewYear = 1'735'689'600 * kSecond;  // 2025-01-01 in UTC
  for (const char* text : {"2025-01-01T00:00:00Z", "2025-01-01 00:00:00", "2025-01-01T00:00:00",
                           "2025-01-01 00:00:00Z", "2025-01-01T08:00:00+08:00",
                           "2024-12-31 19:00:00-05", "2025-01-01T00:00:00.000Z"}) {
    EXPECT_EQ(Micros(text), kNewYear) << text;
  }
  EXPECT_EQ(Micros("2025-01-01T00:00:00.25"), kNewYear + kSecond / 4);
  EXPECT_EQ(Micros("2025-01-01T00:00:00.123456789Z"), kNewYear + 123'456);
  EXPECT_EQ(Micros("1969-12-31T23:59:59.5Z"), -kSecond / 2);
}

TEST(Timestamptz, TakesTimesWithoutOffsetInTheZone) {
  EXPECT_EQ(Micros("2025-01-01 08:00:00", "Asia/Shanghai"), Micros("2025-01-01T00:00:00Z"));
  EXPECT_EQ(Micros("2025-07-01 02:00:00", "Europe/Berlin"), Micros("2025-07-01T00:00:00Z"));
  EXPECT_FALSE(ParseTimestamptz("2025-01-01 08:00:00", "Nowhere/City").has_value());
}

TEST(Timestamptz, TimesThatAZoneSkipsOrRepeatsAreTakenAsMilvusDoes) {
  EXPECT_EQ(Micros("2024-03-10 02:30:00", "America/New_York"), Micros("2024-03-10T06:30:00Z"));
  EXPECT_EQ(Micros("2024-11-03 01:30:00", "America/New_York"), Micros("2024-11-03T05:30:00Z"));
  EXPECT_EQ(Micros("2024-03-31 02:30:00", "Europe/Berlin"), Micros("2024-03-31T01:30:00Z"));
  EXPECT_EQ(Micros("2024-10-27 02:30:00", "Europe/Berlin"), Micros("2024-10-27T01:30:00Z"));
  EXPECT_EQ(Micros("2024-03-31 01:30:00", "Europe/London"), Micros("2024-03-31T01:30:00Z"));
  EXPECT_EQ(Micros("2024-10-27 01:30:00", "Europe/London"), Micros("2024-10-27T01:30:00Z"));
  EXPECT_EQ(Micros("2024-11-03 03:30:00", "America/New_York"), Micros("2024-11-03T08:30:00Z"));
}

TEST(Timestamptz, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "timestamp", "1234", "2025-01-01", "2025-04-31 00:00:00", "2025-02-29 00:00:00",
        "2025-13-01 00:00:00", "2025-01-01 24:00:00", "2025-01-01 00:60:00", "2025-01-01T00:00:00+",
        "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00Zx", "2025-01-01T00:00:00.1234567890Z"}) {
    const auto parsed = ParseTimestamptz(text, "UTC");
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().message().find("Does not match any known format"), std::string::npos);
  }
  const auto far = ParseTimestamptz("2025-01-01T00:00:00+24:00", "UTC");
  ASSERT_FALSE(far.has_value());
  EXPECT_NE(far.error().message().find("UTC offset hour 24 is out of the valid range [-12, 14]"),
            std::string::npos);
}

TEST(Timestamptz, WritesRfc3339InTheZone) {
  const int64_t at = Micros("2025-07-01T00:00:00.120Z");
  EXPECT_EQ(FormatTimestamptz(at, "UTC"), "2025-07-01T00:00:00.12Z");
  EXPECT_EQ(FormatTimestamptz(at, "Asia/Shanghai"), "2025-07-01T08:00:00.12+08:00");
  EXPECT_EQ(FormatTimestamptz(at - at % kSecond, "America/St_Johns"), "2025-06-30T21:30:00-02:30");
  EXPECT_EQ(FormatTimestamptz(-1, "UTC"), "1969-12-31T23:59:59.999999Z");
}

// From the year 0 on: no text says an earlier one. Before the first time zones clocks were off by
// seconds, which the text cannot say either.
TEST(Timestamptz, ReadsBackWhatItWrites) {
  for (int64_t at = -62'000'000'000'000'000; at < 250'000'000'000'000'000;
       at += 7'654'321'012'345'678) {
    for (const char* zone : {"UTC", "Asia/Kolkata", "America/New_York"}) {
      if (at < 0 && std::string_view(zone) != "UTC") continue;
      EXPECT_EQ(Micros(FormatTimestamptz(at, zone)), at) << zone;
    }
  }
}

TEST(Timestamptz, KnowsZonesOfTheDatabaseAndNoFilesOutsideIt) {
  EXPECT_TRUE(IsTimeZone("UTC"));
  EXPECT_TRUE(IsTimeZone("Europe/Berlin"));
  for (const char* zone : {"Nowhere/City", "../../etc/passwd", "/etc/localtime", "file:x"}) {
    EXPECT_FALSE(IsTimeZone(zone)) << zone;
  }
}

TEST(Interval, AddsAsACalendarDoes) {
  const auto add = [](std::string_view time, std::string_view interval, int sign) {
    return FormatTimestamptz(AddInterval(Micros(time), *ParseInterval(interval), sign), "UTC");
  };
  EXPECT_EQ(add("2025-01-31T00:00:00Z", "P1M", 1), "2025-03-03T00:00:00Z");
  EXPECT_EQ(add("2025-01-01T00:00:00Z", "P1DT2H3M4S", 1), "2025-01-02T02:03:04Z");
  EXPECT_EQ(add("2024-02-29T12:00:00.5Z", "P1Y", 1), "2025-03-01T12:00:00.5Z");
  EXPECT_EQ(add("2025-01-01T00:00:00Z", "PT1S", -1), "2024-12-31T23:59:59Z");
}

TEST(Interval, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "1D", "P1", "P1W", "P1D1M", "PT1D", "P1DT1H1H", "P-1D", "P1.5D",
                           "PTT1H", "P99999999999D", "P 1D"}) {
    const auto parsed = ParseInterval(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().message().find("invalid ISO 8601 duration"), std::string::npos);
  }
  EXPECT_TRUE(ParseInterval("P").has_value());
}

}  // namespace
}  // namespace elanus::model
