// Code points at the edges of each length, there and back; bytes that are not UTF-8.
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace elanus {
namespace {

TEST(Utf8, CodePointsAtTheEdgesOfEachLength) {
  const std::pair<uint32_t, std::string> points[] = {{0x00, std::string(1, '\0')},
                                                     {0x7F, "\x7F"},
                                                     {0x80, "\xC2\x80"},
                                                     {0x7FF, "\xDF\xBF"},
                                                     {0x800, "\xE0\xA0\x80"},
                                                     {0xFFFF, "\xEF\xBF\xBF"},
                                                     {0x10000, "\xF0\x90\x80\x80"},
                                                     {0x10FFFF, "\xF4\x8F\xBF\xBF"}};
  for (const auto& [point, bytes] : points) {
    std::string out;
    AppendUtf8(point, out);
    EXPECT_EQ(out, bytes) << point;
    EXPECT_TRUE(IsUtf8(out)) << point;
  }
}

TEST(Utf8, EveryCodePointIsWellFormedUnlessItIsASurrogate) {
  for (uint32_t point = 0; point <= 0x10FFFF; point += point < 0x12000 ? 1 : 97) {
    std::string out;
    AppendUtf8(point, out);
    EXPECT_EQ(IsUtf8(out), point < 0xD800 || point > 0xDFFF) << point;
  }
}

TEST(Utf8, WhatIsNotIsReplacedByteByByte) {
  EXPECT_FALSE(IsUtf8("ok \xC0\x80"));  // overlong
  EXPECT_FALSE(IsUtf8("\xE2\x82"));     // cut off
  EXPECT_FALSE(IsUtf8("seven b\xFF"));
  EXPECT_EQ(ToUtf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(ToUtf8("\xE2\x82\xAC"), "\xE2\x82\xAC");
}

}  // namespace
}  // namespace elanus
