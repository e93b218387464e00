#include "query/filter_like.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace elanus::query {
namespace {

// Plain recursion over code points; the texts here are valid UTF-8.
size_t PointBytes(std::string_view text) {
  size_t n = 1;
  while (n < text.size() && (text[n] & 0xC0) == 0x80) ++n;
  return n;
}
bool Reference(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    if (Reference(pattern.substr(1), text)) return true;
    return !text.empty() && Reference(pattern, text.substr(PointBytes(text)));
  }
  if (text.empty()) return false;
  if (pattern[0] == '_') return Reference(pattern.substr(1), text.substr(PointBytes(text)));
  const size_t skip = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
  return pattern[skip] == text[0] && Reference(pattern.substr(skip + 1), text.substr(1));
}

TEST(LikeMatcher, MatchesTheWholeText) {
  EXPECT_TRUE(LikeMatcher("").Matches(""));
  EXPECT_FALSE(LikeMatcher("").Matches("a"));
  EXPECT_TRUE(LikeMatcher("%").Matches(""));
  EXPECT_TRUE(LikeMatcher("%").Matches("a\nb"));
  EXPECT_TRUE(LikeMatcher("ab%").Matches("abc"));
  EXPECT_FALSE(LikeMatcher("ab%").Matches("aab"));
  EXPECT_TRUE(LikeMatcher("%bc").Matches("abc"));
  EXPECT_FALSE(LikeMatcher("ab%ba").Matches("aba"));
  EXPECT_TRUE(LikeMatcher("a%b%c").Matches("a-b-c"));
  EXPECT_FALSE(LikeMatcher("A").Matches("a"));
}

TEST(LikeMatcher, TakesACodePointForUnderscore) {
  EXPECT_TRUE(LikeMatcher("_").Matches("\xE4\xB8\xAD"));
  EXPECT_FALSE(LikeMatcher("__").Matches("\xE4\xB8\xAD"));
  EXPECT_TRUE(
      LikeMatcher("%_b").Matches("\xC3\xA9"
                                 "b"));
  EXPECT_FALSE(LikeMatcher("_").Matches(""));
  EXPECT_TRUE(LikeMatcher("_").Matches("\xFF"));
  EXPECT_TRUE(LikeMatcher("_").Matches("\xE4"));
}

TEST(LikeMatcher, TakesEscapedCharactersAsTheyAre) {
  EXPECT_TRUE(LikeMatcher("100\\%").Matches("100%"));
  EXPECT_FALSE(LikeMatcher("100\\%").Matches("1000"));
  EXPECT_TRUE(LikeMatcher("a\\_b").Matches("a_b"));
  EXPECT_FALSE(LikeMatcher("a\\_b").Matches("axb"));
  EXPECT_TRUE(LikeMatcher("\\\\").Matches("\\"));
  EXPECT_TRUE(LikeMatcher("\\a").Matches("a"));
}

TEST(FindText, AgreesWithPlainSearchAtEveryLength) {
  std::mt19937 random(4);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t n = random() % 60; n > 0; --n) text += static_cast<char>('a' + random() % 3);
    std::string needle;
    for (size_t n = 1 + random() % 5; n > 0; --n) needle += static_cast<char>('a' + random() % 3);
    const size_t from = random() % (text.size() + 1);
    // A copy of the exact size: a sanitizer sees any read beyond it.
    const std::vector<char> exact(text.begin(), text.end());
    ASSERT_EQ(FindText({exact.data(), exact.size()}, from, needle), text.find(needle, from));
  }
}

TEST(LikeMatcher, SaysWhenOnlyALiteralIsSought) {
  EXPECT_EQ(LikeMatcher("%a\\%b%").SoughtAnywhere(), "a%b");
  for (const char* pattern : {"", "%", "%%", "a%", "%a", "%a_%", "%a%b%", "a%b%"}) {
    EXPECT_EQ(LikeMatcher(pattern).SoughtAnywhere(), "") << pattern;
  }
}

TEST(LikeMatcher, AgreesWithPlainRecursion) {
  std::mt19937 random(7);
  const std::vector<std::string> pattern_parts = {"a",   "b",   "%",        "_",
                                                  "\\%", "\\_", "\xC3\xA9", "ab"};
  const std::vector<std::string> text_parts = {"a", "b", "%", "_", "\xC3\xA9", "\xE4\xB8\xAD",
                                               "ab"};
  auto draw = [&](const std::vector<std::string>& parts, size_t count) {
    std::string out;
    for (size_t i = random() % (count + 1); i > 0; --i) out += parts[random() % parts.size()];
    return out;
  };
  size_t matches = 0;
  for (int i = 0; i < 40000; ++i) {
    const std::string pattern = draw(pattern_parts, 6);
    const std::string text = draw(text_parts, 8);
    const bool expected = Reference(pattern, text);
    matches += expected ? 1 : 0;
    ASSERT_EQ(LikeMatcher(pattern).Matches(text), expected) << pattern << " on " << text;
  }
  EXPECT_GT(matches, 1000u);
}

}  // namespace
}  // namespace elanus::query
