// bloom_match and roaring_match over rows: every integer type, strings, JSON, nulls; by index and
// without.
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "base/codec.h"
#include "expr/members_build.h"
#include "query/filter.h"
#include "query/filter_reference.h"

namespace elanus::query {
namespace {

expr::Templates Set(std::string blob) {
  expr::Templates templates;
  templates.blobs["set"] = std::make_shared<const std::string>(std::move(blob));
  return templates;
}

std::string Answers(const Truth& truth, size_t rows) {
  std::string text;
  for (size_t row = 0; row < rows; ++row) {
    const bool is_true = (truth.is_true[row / 64] >> (row % 64) & 1) != 0;
    const bool is_unknown = (truth.is_unknown[row / 64] >> (row % 64) & 1) != 0;
    text += is_true ? 'T' : is_unknown ? '?' : 'F';
  }
  return text;
}

std::string Filtered(const Rows& rows, const std::string& text, const expr::Templates& templates,
                     IndexUse use = IndexUse::kNever) {
  const auto filter = expr::ParseFilter(text, Schema(), templates);
  EXPECT_TRUE(filter) << filter.error().message();
  if (!filter) return "";
  const auto truth = Evaluate(*filter, rows, Schema(), {.index_use = use});
  EXPECT_TRUE(truth) << truth.error().message();
  return truth ? Answers(*truth, rows.rows()) : "";
}

TEST(MembershipFilter, TakesNarrowNumbersByTheirValue) {
  const Rows rows = RandomRows(5000, 3);
  const expr::Templates set = Set(expr::RoaringBlob({-128, -7, -5, 0, 300, INT64_MIN, INT32_MAX}));
  for (const std::string field : {"i8", "i16", "i32", "i64", "pk"}) {
    const std::string by_list =
        Filtered(rows, field + " in [-128, -7, -5, 0, 300, -9223372036854775808, 2147483647]", {});
    EXPECT_EQ(Filtered(rows, fmt::format("roaring_match({}, {{set}})", field), set), by_list)
        << field;
    std::string negated = by_list;
    for (char& c : negated) c = c == 'T' ? 'F' : c == 'F' ? 'T' : '?';
    EXPECT_EQ(Filtered(rows, fmt::format("not roaring_match({}, {{set}})", field), set), negated);
    EXPECT_NE(by_list.find('T'), std::string::npos) << field;
  }
}

TEST(MembershipFilter, FindsEveryMemberOfALargeSet) {
  Rows rows;
  rows.count = 20'000;
  std::mt19937_64 random(5);
  std::vector<int64_t> members;
  std::string wanted;
  model::Column& column = rows.Add("pk");
  for (size_t row = 0; row < rows.count; ++row) {
    const auto value = static_cast<int64_t>(random());
    column.Append(value);
    if (row % 3 == 0) members.push_back(value);
    wanted += row % 3 == 0 ? 'T' : 'F';
  }
  EXPECT_EQ(Filtered(rows, "roaring_match(pk, {set})", Set(expr::RoaringBlob(members))), wanted);
  const std::string got =
      Filtered(rows, "bloom_match(pk, {set})", Set(expr::BloomBlob(members, {}, 512)));
  size_t false_hits = 0;
  for (size_t row = 0; row < rows.count; ++row) {
    ASSERT_TRUE(wanted[row] == 'F' || got[row] == 'T') << row;
    false_hits += wanted[row] == 'F' && got[row] == 'T' ? 1 : 0;
  }
  EXPECT_LT(false_hits, rows.count / 100);
}

TEST(MembershipFilter, LooksAtWhatAJsonValueIsStoredAs) {
  Rows rows;
  const std::vector<std::string> documents = {
      R"({"a": 5})",    R"({"a": 5.0})",     R"({"a": "5"})", R"({"a": 18446744073709551615})",
      R"({"a": null})", R"({"a": true})",    R"({"a": [5]})", R"({})",
      R"({"a": 6})",    R"({"a": "\u0035"})"};
  rows.count = documents.size();
  model::Column& column = rows.Add("j");
  for (const std::string& document : documents) column.AppendValue(document);
  EXPECT_EQ(Filtered(rows, "bloom_match(j['a'], {set})", Set(expr::BloomBlob({5}, {}, 4))),
            "TFFF????FF");
  EXPECT_EQ(Filtered(rows, "bloom_match(j['a'], {set})", Set(expr::BloomBlob({}, {"5"}, 4))),
            "FFTF????FT");
  EXPECT_EQ(Filtered(rows, "not bloom_match(j['a'], {set})", Set(expr::BloomBlob({5}, {}, 4))),
            "FTTT????TT");
  EXPECT_EQ(Filtered(rows, "bloom_match(j['a'], {set})", Set(expr::BloomBlob({}, {}, 4))),
            "FFFF????FF");
}

TEST(MembershipFilter, IsTheSameByIndex) {
  Rows rows = RandomRows(3000, 9);
  rows.Index({.field = Schema().FindField("i32")->id, .type = index::KeyType::kInt});
  rows.Index({.field = Schema().FindField("s")->id, .type = index::KeyType::kText});
  const std::vector<std::pair<std::string, expr::Templates>> cases = {
      {"roaring_match(i32, {set})", Set(expr::RoaringBlob({-5, 7, 1000}))},
      {"bloom_match(i32, {set})", Set(expr::BloomBlob({-5, 7, 1000}, {}, 1))},
      {"not bloom_match(s, {set})", Set(expr::BloomBlob({}, {"ab", "zzz"}, 1))},
  };
  for (const auto& [text, set] : cases) {
    const auto filter = expr::ParseFilter(text, Schema(), set);
    ASSERT_TRUE(filter);
    SegmentTrace trace;
    const auto truth = Evaluate(*filter, rows, Schema(),
                                {.index_use = IndexUse::kWheneverPossible, .trace = &trace});
    ASSERT_TRUE(truth);
    EXPECT_EQ(Answers(*truth, rows.rows()), Filtered(rows, text, set)) << text;
    ASSERT_EQ(trace.leaves.size(), 1U);
    EXPECT_EQ(trace.leaves[0].way, LeafTrace::Way::kIndex) << text;
  }
}

TEST(MembershipFilter, RefusesSetsThatAreNone) {
  const auto filter =
      expr::ParseFilter("roaring_match(i8, {set})", Schema(), Set(expr::RoaringBlob({1})));
  ASSERT_TRUE(filter);
  const Rows rows = RandomRows(10, 1);
  std::string bytes = EncodeBytes(*filter);
  const auto same = DecodeBytes<expr::BoundFilter>(bytes, "filter");
  ASSERT_TRUE(same);
  EXPECT_TRUE(Evaluate(*same, rows, Schema()));
  bytes[bytes.find("MRB1")] = 'X';
  const auto damaged = DecodeBytes<expr::BoundFilter>(bytes, "filter");
  ASSERT_TRUE(damaged);
  const auto truth = Evaluate(*damaged, rows, Schema());
  ASSERT_FALSE(truth);
  EXPECT_EQ(truth.error().code(), Code::kInternal);
}

}  // namespace
}  // namespace elanus::query
