// What a scalar index is asked, and when it is not; equal answers on random filters are
// filter_test.cc's.
#include "query/filter_index.h"
#include "query/filter_matches.h"

#include <bit>
#include <cmath>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "model/array_value.h"
#include "query/filter.h"
#include "query/filter_reference.h"

namespace elanus::query {
namespace {

using index::KeyType;
using index::KeyUse;

/// Rows of one column whose schema says more than filter_reference.h's.
struct Table {
  model::CollectionSchema schema{.name = "t"};
  Rows rows;

  Table() {
    schema.fields = {
        {.id = FieldId{1}, .name = "pk", .type = DataType::kInt64, .is_primary = true},
        {.id = FieldId{2},
         .name = "tags",
         .type = DataType::kArray,
         .element_type = DataType::kVarChar,
         .nullable = true},
        {.id = FieldId{3},
         .name = "numbers",
         .type = DataType::kArray,
         .element_type = DataType::kInt32},
        {.id = FieldId{4}, .name = "real", .type = DataType::kDouble, .nullable = true},
        {.id = FieldId{5}, .name = "text", .type = DataType::kVarChar, .nullable = true},
        {.id = FieldId{6}, .name = "doc", .type = DataType::kJson}};
  }
  model::Column& Add(int64_t id) {
    const model::FieldSchema* field = schema.FindField(FieldId{id});
    return rows.columns.emplace(field->id, model::MakeColumn(field->id, field->type)).first->second;
  }
  expr::BoundFilter Bind(const std::string& text) const {
    auto filter = expr::ParseFilter(text, schema, {});
    EXPECT_TRUE(filter) << text << ": " << filter.error().message();
    return filter ? *filter : expr::BoundFilter{};
  }
  Truth Filtered(const std::string& text, IndexUse use) const {
    auto truth = Evaluate(Bind(text), rows, schema, {.index_use = use});
    EXPECT_TRUE(truth) << text << ": " << truth.error().message();
    return truth ? *truth : Truth{};
  }
  void ExpectSame(const std::string& text) const {
    const Truth scan = Filtered(text, IndexUse::kNever);
    const Truth indexed = Filtered(text, IndexUse::kWheneverPossible);
    EXPECT_EQ(scan.is_true, indexed.is_true) << text;
    EXPECT_EQ(scan.is_unknown, indexed.is_unknown) << text;
    const auto few = FewRowsByIndex(Bind(text), rows, schema, 8 * rows.count, {});
    ASSERT_TRUE(few) << text << ": " << few.error().message();
    if (!*few) return;
    std::vector<uint64_t> bits(scan.is_true.size());
    for (const uint32_t row : **few) bits[row / 64] |= uint64_t{1} << (row % 64);
    EXPECT_EQ(bits, scan.is_true) << text;
    EXPECT_TRUE(std::ranges::is_sorted(**few)) << text;
  }
  std::optional<IndexMatch> Match(const std::string& text) const {
    const expr::BoundFilter filter = Bind(text);
    return MatchIndex(*filter.root, rows, nullptr).value();
  }
};

std::string Word(std::mt19937& random, size_t length) {
  std::string word;
  for (size_t i = 0; i < length; ++i) word += static_cast<char>('a' + random() % 3);
  return word;
}

TEST(FilterIndex, AnswersForElementsOfArrays) {
  std::mt19937 random(1);
  Table table;
  table.rows.count = 3000;
  model::Column& tags = table.Add(2);
  model::Column& numbers = table.Add(3);
  for (size_t row = 0; row < table.rows.count; ++row) {
    model::ArrayBuilder words(DataType::kVarChar);
    model::ArrayBuilder ints(DataType::kInt32);
    for (size_t i = random() % 6; i > 0; --i) words.Append(Word(random, 1 + random() % 2));
    for (size_t i = random() % 6; i > 0; --i) {
      const auto number = static_cast<int32_t>(random() % 20);
      ints.Append({reinterpret_cast<const char*>(&number), sizeof(number)});
    }
    if (random() % 7 == 0) {
      tags.AppendNull();
    } else {
      tags.AppendValue(words.Take());
    }
    numbers.AppendValue(ints.Take());
  }
  table.rows.Index({.field = FieldId{2}, .type = KeyType::kText, .use = KeyUse::kElements});
  table.rows.Index({.field = FieldId{3}, .type = KeyType::kInt, .use = KeyUse::kElements});
  for (const char* text :
       {"array_contains(tags, 'a')", "not array_contains(tags, 'ab')",
        "array_contains(tags, 'nowhere')", "array_contains_any(tags, ['a', 'bb', 'zz'])",
        "array_contains_all(tags, ['a', 'b', 'c'])", "array_contains_all(tags, ['a', 'zz'])",
        "array_contains_all(tags, [])", "array_contains_any(tags, [])",
        "array_contains(numbers, 7)", "array_contains_any(numbers, [1, 3, 2, 3, 19])",
        "array_contains_all(numbers, [1, 3, 5])",
        "array_contains(tags, 'a') and array_contains(numbers, 3) or numbers[0] == 5",
        "tags[0] == 'a'", "array_length(tags) > 2"}) {
    table.ExpectSame(text);
  }
  EXPECT_EQ(table.Match("array_contains(tags, 'nowhere')")->rows_max, 0u);
  EXPECT_FALSE(table.Match("tags[0] == 'a'"));
  EXPECT_FALSE(table.Match("array_length(tags) > 2"));
}

TEST(FilterIndex, KeepsNotANumberAndNegativeZeroAsAScanDoes) {
  Table table;
  table.rows.count = 400;
  model::Column& real = table.Add(4);
  const double values[] = {0.0, -0.0, std::nan(""), 1.5, -1.5, INFINITY, -INFINITY};
  for (size_t row = 0; row < table.rows.count; ++row) {
    if (row % 11 == 0) {
      real.AppendNull();
    } else {
      real.Append(values[row % 7]);
    }
  }
  table.rows.Index({.field = FieldId{4}, .type = KeyType::kReal});
  for (const char* op : {"==", "!=", "<", "<=", ">", ">="}) {
    for (const char* value : {"0.0", "-0.0", "1.5", "2", "1e308"})
      table.ExpectSame(fmt::format("real {} {}", op, value));
  }
  table.ExpectSame("-2 < real < 2");
  table.ExpectSame("real in [0.0, 1.5, 7]");
  table.ExpectSame("real not in [0.0, 1.5]");
}

TEST(FilterIndex, TriesTextsOnceWhenRowsShareThem) {
  std::mt19937 random(2);
  Table table;
  table.rows.count = 5000;
  model::Column& text = table.Add(5);
  for (size_t row = 0; row < table.rows.count; ++row) {
    if (row % 13 == 0) {
      text.AppendNull();
    } else {
      text.AppendValue(Word(random, 1 + random() % 5));
    }
  }
  table.rows.Index({.field = FieldId{5}, .type = KeyType::kText});
  for (const char* filter :
       {"text like 'ab%'", "text like 'ab%c'", "text like '%ab%'", "text like 'a_c'",
        "text like 'abc'", "text like '%'", "text like ''", "text =~ '^a.*c$'", "text !~ 'aa'",
        "'ab' <= text < 'b'", "text > 'b' and text < 'ba'", "text not in ['a', 'b', 'zz']"}) {
    table.ExpectSame(filter);
    const auto match = table.Match(filter);
    if (match) EXPECT_TRUE(match->exact) << filter;
  }
  ASSERT_TRUE(table.Match("text like '%ab%'"));
  EXPECT_EQ(table.Match("text like 'ab%'")->sets.front().ranges.size(), 1u);
}

TEST(FilterIndex, NarrowsPatternsByTheirGrams) {
  std::mt19937 random(3);
  Table table;
  table.rows.count = 4000;
  model::Column& text = table.Add(5);
  for (size_t row = 0; row < table.rows.count; ++row) {
    if (row % 13 == 0) {
      text.AppendNull();
    } else {
      text.AppendValue(Word(random, random() % 12) +
                       (row % 5 == 0 ? "\xE4\xB8\xAD\xE6\x96\x87" : ""));
    }
  }
  table.rows.Index({.field = FieldId{5},
                    .type = KeyType::kText,
                    .use = KeyUse::kGrams,
                    .gram_min = 2,
                    .gram_max = 3});
  for (const char* filter :
       {"text like '%abcab%'", "text like '%ab%'", "text like 'ab%ca'", "text like '%zz%'",
        "text like '%a_b%'", "text like '%\xE6\x96\x87%'", "text like 'abc%'", "text == 'abc'",
        "not (text like '%abc%')", "text like '%a%'"}) {
    table.ExpectSame(filter);
  }
  EXPECT_TRUE(table.Match("text like '%ab%'")->exact);
  EXPECT_FALSE(table.Match("text like '%abcab%'")->exact);
  EXPECT_EQ(table.Match("text like '%zz%'")->rows_max, 0u);
  EXPECT_FALSE(table.Match("text like '%a%'"));  // shorter than every gram
  EXPECT_FALSE(table.Match("text == 'abc'"));
}

TEST(FilterIndex, LeavesJsonValuesOfAnotherTypeUnknown) {
  Table table;
  const char* documents[] = {R"({"x": 1})",    R"({"x": 2.5})",   R"({"x": "1"})",
                             R"({"x": true})", R"({"x": [1]})",   "{}",
                             R"({"x": null})", R"({"x": "a\"b"})"};
  table.rows.count = 800;
  model::Column& doc = table.Add(6);
  for (size_t row = 0; row < table.rows.count; ++row) doc.AppendValue(documents[row % 8]);
  for (const KeyType type : {KeyType::kReal, KeyType::kText, KeyType::kBool}) {
    table.rows.Index({.field = FieldId{6}, .path = {"x"}, .type = type});
    for (const char* filter :
         {"doc['x'] == 1", "doc['x'] != 1", "doc['x'] < 2.5", "doc['x'] == '1'", "doc['x'] != '1'",
          "doc['x'] == true", "doc['x'] in [1, 2.5]", "doc['x'] in ['1', 'a\"b']",
          "doc['x'] in [1, '1']", "doc['x'] not in [1]", "doc['x'] like 'a%'", "exists doc['x']",
          "doc['x'] is null", "1 <= doc['x'] < 3", "doc['x'] not in [true]"}) {
      table.ExpectSame(filter);
    }
  }
  table.rows.Index({.field = FieldId{6}, .path = {"x"}, .type = KeyType::kReal});
  EXPECT_TRUE(table.Match("doc['x'] == 1"));
  EXPECT_FALSE(table.Match("doc['x'] == '1'"));
  EXPECT_FALSE(table.Match("doc['x'] in [1, '1']"));
  EXPECT_FALSE(table.Match("doc['y'] == 1"));
}

TEST(FilterIndex, IsNotTakenForNumbersThatItsKeysCannotHold) {
  Table table;
  table.rows.count = 2;
  model::Column& doc = table.Add(6);
  doc.AppendValue(R"({"x": 9007199254740993})");
  doc.AppendValue(R"({"x": 9007199254740992})");
  table.rows.Index({.field = FieldId{6}, .path = {"x"}, .type = KeyType::kReal});
  EXPECT_FALSE(table.Match("doc['x'] == 9007199254740992"));
  table.ExpectSame("doc['x'] == 9007199254740993");
}

TEST(FilterIndex, IsTakenWhereItReadsLessThanAScan) {
  std::mt19937 random(5);
  Table table;
  table.rows.count = 100'000;
  model::Column& pk = table.Add(1);
  model::Column& text = table.Add(5);
  for (size_t row = 0; row < table.rows.count; ++row) {
    pk.Append(static_cast<int64_t>(row % 50'000));
    text.AppendValue(Word(random, 8));
  }
  table.rows.Index({.field = FieldId{1}, .type = KeyType::kInt});
  const auto at_most = [&](const std::string& filter) {
    const expr::BoundFilter bound = table.Bind(filter);
    return Matches(table.rows, nullptr, IndexUse::kWhenCheaper).RowsAtMost(*bound.root).value();
  };
  EXPECT_EQ(at_most("pk == 77"), 2u);
  EXPECT_EQ(at_most("pk in [1, 2, 3] and text != 'a'"), 6u);
  EXPECT_EQ(at_most("pk == 1 or pk == 2"), 4u);
  EXPECT_EQ(at_most("pk == 1 or text == 'a'"), 100'000u);
  EXPECT_EQ(at_most("not (pk == 1)"), 100'000u);
  table.ExpectSame("pk == 77 and text like '%a%'");
  const auto few = [&](const std::string& filter, uint64_t most) {
    return FewRowsByIndex(table.Bind(filter), table.rows, table.schema, most, {}).value();
  };
  EXPECT_EQ(few("pk == 77", 9), (std::vector<uint32_t>{77, 50'077}));
  EXPECT_EQ(few("pk in [5, 3, 999999999]", 9), (std::vector<uint32_t>{3, 5, 50'003, 50'005}));
  EXPECT_FALSE(few("pk == 77", 1));
  EXPECT_FALSE(few("pk != 77", 1'000'000));
  EXPECT_EQ(few("pk == 77 and text != 'a'", 16), (std::vector<uint32_t>{77, 50'077}));
  EXPECT_EQ(few("pk == 77 and text == 'a'", 16), std::vector<uint32_t>());
  EXPECT_FALSE(few("pk == 77 and text != 'a'", 15));
  EXPECT_EQ(few("pk == 77 or (pk == 78 and text != 'a')", 32),
            (std::vector<uint32_t>{77, 78, 50'077, 50'078}));
  EXPECT_FALSE(few("pk == 77 or text == 'a'", 1'000'000));
  EXPECT_FALSE(few("not (pk == 77)", 1'000'000));
}

TEST(FilterIndex, StopsWhileItTriesTexts) {
  Table table;
  table.rows.count = 300;
  model::Column& text = table.Add(5);
  for (size_t row = 0; row < table.rows.count; ++row) text.AppendValue(row % 2 == 0 ? "a" : "b");
  table.rows.Index({.field = FieldId{5}, .type = KeyType::kText});
  std::stop_source source;
  source.request_stop();
  const Cancel cancel{.stop = source.get_token()};
  const auto filter = table.Bind("text like '%a%'");
  const auto match = MatchIndex(*filter.root, table.rows, &cancel);
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().code(), Code::kCanceled);
}

TEST(FilterIndex, CountsARowOnceForALeafOfAnOr) {
  Rows rows = RandomRows(5000, 4);
  rows.Index({.field = Schema().FindField("i64")->id, .type = KeyType::kInt});
  rows.Index({.field = Schema().FindField("t")->id, .type = KeyType::kText});
  // Both are exact by their indexes; what they propose is looked at again for i16's sake.
  const auto filter = expr::ParseFilter("i64 == 3 or (t == 'zzz' and i16 > 0)", Schema(), {});
  ASSERT_TRUE(filter);
  SegmentTrace trace;
  const auto few = FewRowsByIndex(*filter, rows, Schema(), rows.rows() * 8,
                                  {.index_use = IndexUse::kWheneverPossible, .trace = &trace});
  ASSERT_TRUE(few);
  ASSERT_TRUE(*few);
  ASSERT_EQ(trace.leaves.size(), 3U);
  EXPECT_EQ(trace.leaves[0].way, LeafTrace::Way::kIndex);
  for (const LeafTrace& leaf : trace.leaves) {
    expr::BoundFilter alone{.root = std::make_shared<const expr::Node>(*leaf.leaf)};
    const auto truth = Evaluate(alone, rows, Schema(), {.index_use = IndexUse::kNever});
    ASSERT_TRUE(truth);
    uint64_t kept = 0;
    for (const uint64_t word : truth->is_true) kept += static_cast<uint64_t>(std::popcount(word));
    EXPECT_LE(leaf.rows_asked, rows.rows());
    EXPECT_LE(leaf.rows_kept, kept);
    if (leaf.way == LeafTrace::Way::kIndex) {
      EXPECT_EQ(leaf.rows_asked, rows.rows());
      EXPECT_EQ(leaf.rows_kept, kept);
    }
  }
}

}  // namespace
}  // namespace elanus::query
