// What a filter may cost: memory goes by the words and signs of its text, whatever it says, and
// both have a limit; the work ends with its deadline, however long the filter.
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/counted_allocations.h"
#include "expr/lexer.h"
#include "query/filter.h"
#include "query/filter_reference.h"

namespace elanus::query {
namespace {

/// The most that `work` held beyond what was there before it.
int64_t PeakOf(const std::function<void()>& work) {
  const int64_t before = allocations.bytes_held;
  allocations.bytes_peak = before;
  work();
  return allocations.bytes_peak - before;
}

using Term = std::function<std::string(size_t)>;

/// Terms joined by `between` until the text is long.
std::string Long(size_t bytes, std::string_view between, const Term& term) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) {
    if (i != 0) text += between;
    text += term(i);
  }
  return text;
}

size_t TokensOf(std::string_view text) {
  expr::Lexer lexer(text);
  size_t tokens = 0;
  while (lexer.Next().kind != expr::TokenKind::kEnd) ++tokens;
  return tokens;
}

struct LongFilter {
  std::string what;
  std::string text;
};

std::vector<LongFilter> LongFilters(size_t bytes) {
  std::vector<LongFilter> filters;
  const auto chain = [&](const std::string& what, const Term& term) {
    filters.push_back({what + ", or", Long(bytes, " or ", term)});
    filters.push_back({what + ", and", Long(bytes, " and ", term)});
  };
  const auto list = [&](const std::string& what, const std::string& before, const Term& value) {
    filters.push_back({what, before + " in [" + Long(bytes, ",", value) + "]"});
  };
  chain("comparisons", [](size_t i) { return fmt::format("i64>{}", i % 10); });
  chain("two columns", [](size_t) { return "i64>f32"; });
  chain("ranges", [](size_t i) { return fmt::format("{}<i8<9", i % 8); });
  chain("arithmetic", [](size_t i) { return fmt::format("i8+{}>1", i % 10); });
  chain("null tests", [](size_t) { return "s is null"; });
  chain("negations", [](size_t i) { return fmt::format("not(i8>{})", i % 10); });
  chain("prefixes", [](size_t i) { return fmt::format("s like 'a{}%'", i % 10); });
  chain("patterns", [](size_t i) { return fmt::format("s like '%a_{}%'", i % 10); });
  chain("JSON", [](size_t i) { return fmt::format("j['a']>{}", i % 10); });
  chain("dynamic keys", [](size_t i) { return fmt::format("x>{}", i % 10); });
  chain("JSON arrays", [](size_t i) { return fmt::format("json_contains(j,{})", i % 10); });
  list("one of numbers", "pk", [](size_t i) { return fmt::format("{}", i); });
  list("one of texts", "t", [](size_t i) { return fmt::format("'{}'", i); });
  list("one of JSON", "j['a']", [](size_t i) { return fmt::format("{}", i); });
  filters.push_back({"lists in a list", "json_contains_any(j,[" +
                                            Long(bytes, ",", [](size_t) { return "[1]"; }) + "])"});
  return filters;
}

TEST(FilterBounds, MemoryGoesByWordsAndSigns) {
  if (!kAllocationsAreCounted) GTEST_SKIP() << "the sanitizer has an allocator of its own";
  const Rows rows = RandomRows(2000, 11);
  for (const LongFilter& one : LongFilters(40'000)) {
    const auto tokens = static_cast<int64_t>(TokensOf(one.text));
    Result<expr::BoundFilter> filter = expr::BoundFilter();
    const int64_t parse = PeakOf([&] { filter = expr::ParseFilter(one.text, Schema(), {}); });
    ASSERT_TRUE(filter.has_value()) << one.what;
    const int64_t run = PeakOf([&] { ASSERT_TRUE(Evaluate(*filter, rows, Schema()).has_value()); });
    EXPECT_LE(parse / tokens, 500) << one.what;
    EXPECT_LE(run / tokens, 200) << one.what;
  }
}

TEST(FilterBounds, AThousandRegularExpressionsFitAndTenThousandDoNot) {
  if (!kAllocationsAreCounted) GTEST_SKIP() << "the sanitizer has an allocator of its own";
  const Rows rows = RandomRows(500, 12);
  const auto expressions = [](size_t count) {
    std::string text = "s =~ 'a.*0'";
    for (size_t i = 1; i < count; ++i) text += fmt::format(" or s =~ 'a.*{}'", i);
    return text;
  };
  Result<expr::BoundFilter> filter = expr::ParseFilter(expressions(1000), Schema(), {});
  ASSERT_TRUE(filter.has_value()) << filter.error().message().substr(0, 300);
  const int64_t run = PeakOf([&] { ASSERT_TRUE(Evaluate(*filter, rows, Schema()).has_value()); });
  EXPECT_LE(run, int64_t{540} << 20);
  const auto refused = expr::ParseFilter(expressions(10'000), Schema(), {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().message().ends_with(
      "regular expressions of a filter may take 540 MiB together"));
  // One that is longer than it looks has more.
  EXPECT_TRUE(expr::ParseFilter("s =~ '.{1000}'", Schema(), {}).has_value());
}

TEST(FilterBounds, TooLongATextIsRefused) {
  std::string list = "pk in [";
  for (int i = 0; i < 1'100'000; ++i) list += "7,";
  const auto refused = expr::ParseFilter(list + "7]", Schema(), {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(
      refused.error().message().ends_with("expression has more than 2000000 words and signs"));
  EXPECT_TRUE(expr::ParseFilter(list.substr(0, 7 + 2 * 900'000) + "7]", Schema(), {}).has_value());
}

/// A millisecond passes with each look at it.
class LookedAtClock final : public Clock {
 public:
  int64_t WallMs() const override { return 0; }
  int64_t MonotonicUs() const override { return looks_ += 1000; }

 private:
  mutable int64_t looks_ = 0;
};

TEST(FilterBounds, ADeadlineEndsTheWorkWithinABlockOfRows) {
  const Rows rows = RandomRows(1000, 13);  // less than a block
  for (const std::string_view term : {"j['a'] > 3", "i64 + 1 == 7", "s like '%a_c%'"}) {
    const std::string text = Long(200'000, " or ", [&](size_t) { return std::string(term); });
    const auto filter = expr::ParseFilter(text, Schema(), {});
    ASSERT_TRUE(filter.has_value());
    const LookedAtClock clock;
    const Cancel cancel{.deadline_us = 4000, .clock = &clock};
    const auto truth = Evaluate(*filter, rows, Schema(), {.cancel = &cancel});
    ASSERT_FALSE(truth.has_value()) << term;
    EXPECT_EQ(truth.error().code(), Code::kTimeout);
  }
}

}  // namespace
}  // namespace elanus::query
