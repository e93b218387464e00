#include "query/filter_json_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace elanus::query {
namespace {

using Path = std::vector<std::string>;

TEST(FindJson, FollowsKeysAndPositions) {
  const std::string doc = R"( { "a" : [10, {"b": "x", "0": true}, [ ] ] , "a":2, "n": null } )";
  EXPECT_EQ(FindJson(doc, {"a", "0"}).number, 10);
  EXPECT_EQ(FindJson(doc, {"a", "1", "b"}).text, "x");
  EXPECT_EQ(FindJson(doc, {"a", "1", "0"}).kind, JsonKind::kTrue);
  EXPECT_EQ(FindJson(doc, {"a", "2"}).kind, JsonKind::kArray);
  EXPECT_EQ(FindJson(doc, {"a", "3"}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson(doc, {"a", "2", "0"}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson(doc, {"a", "01"}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson(doc, {"a"}).kind, JsonKind::kArray);
  EXPECT_EQ(FindJson(doc, {"n"}).kind, JsonKind::kNull);
  EXPECT_EQ(FindJson(doc, {"n", "x"}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson(doc, {"z"}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson(doc, {}).kind, JsonKind::kObject);
}

TEST(FindJson, KeepsEveryKindOfNumber) {
  EXPECT_EQ(FindJson("-9223372036854775808", {}).number, INT64_MIN);
  EXPECT_EQ(FindJson("9223372036854775808", {}).kind, JsonKind::kUnsigned);
  EXPECT_EQ(FindJson("18446744073709551616", {}).kind, JsonKind::kDouble);
  EXPECT_EQ(FindJson("1.5e3", {}).fraction, 1500.0);
  EXPECT_EQ(FindJson("1e999", {}).fraction, std::numeric_limits<double>::infinity());
  EXPECT_EQ(FindJson("-0", {}).kind, JsonKind::kInt);
  EXPECT_EQ(FindJson("1x", {}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson("tru", {}).kind, JsonKind::kMissing);
}

TEST(FindJson, SeesThroughEscapes) {
  const std::string doc = R"({"a\"b": 1, "\u0063": "x\n\u00e9\ud83d\ude00\\"})";
  EXPECT_EQ(FindJson(doc, {"a\"b"}).number, 1);
  const JsonValue value = FindJson(doc, {"c"});
  std::string buffer;
  EXPECT_EQ(Unescaped(value, buffer), "x\n\xC3\xA9\xF0\x9F\x98\x80\\");
}

TEST(FindJson, CallsDamagedTextMissing) {
  const std::string doc = R"({"a": {"b": [1, "x\\", {"c": "\u00e9"}]}, "d": -1.5e3})";
  for (size_t n = 0; n < doc.size(); ++n) {
    for (const Path& path : {Path{"d"}, Path{"a", "b", "2", "c"}, Path{}}) {
      // A copy of the exact size: a sanitizer sees any read beyond it.
      const std::vector<char> cut(doc.begin(), doc.begin() + static_cast<std::ptrdiff_t>(n));
      const JsonValue value = FindJson({cut.data(), cut.size()}, path);
      EXPECT_TRUE(!path.empty() || value.kind == JsonKind::kMissing);
    }
  }
  EXPECT_EQ(FindJson("[1,]", {"1"}).kind, JsonKind::kMissing);
  EXPECT_EQ(FindJson("{\"a\" 1}", {"a"}).kind, JsonKind::kMissing);
}

TEST(IsEmptyJson, LooksForAnythingButNulls) {
  auto empty = [](std::string_view text) { return IsEmptyJson(FindJson(text, {})); };
  EXPECT_TRUE(empty("null"));
  EXPECT_TRUE(empty("{}"));
  EXPECT_TRUE(empty("[]"));
  EXPECT_TRUE(empty(R"({"a": {"5": [null, {}]}, "b\"t" : []})"));
  EXPECT_FALSE(empty(R"({"a": [0]})"));
  EXPECT_FALSE(empty(R"(["x"])"));
  EXPECT_FALSE(empty(R"([""])"));
  EXPECT_FALSE(empty("[false]"));
  EXPECT_FALSE(empty("0"));
  EXPECT_FALSE(empty("\"\""));
}

}  // namespace
}  // namespace elanus::query
