// The vectorised evaluator against the plain one of filter_reference.h, on random filters.
#include "query/filter.h"

#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "base/codec.h"
#include "query/filter_reference.h"

namespace elanus::query {
namespace {

class FilterText {
 public:
  explicit FilterText(std::mt19937& random) : random_(random) {}

  std::string Predicate(int depth) {
    if (depth == 0 || random_() % 4 == 0) return Leaf();
    switch (random_() % 3) {
      case 0: return fmt::format("({} and {})", Predicate(depth - 1), Predicate(depth - 1));
      case 1: return fmt::format("({} or {})", Predicate(depth - 1), Predicate(depth - 1));
      default: return fmt::format("not ({})", Predicate(depth - 1));
    }
  }

 private:
  std::string Pick(const std::vector<std::string>& choices) {
    return choices[random_() % choices.size()];
  }
  std::string Int() {
    return Pick({"0", "1", "2", "-1", "3", "5", "127", "1000", "40000", "9007199254740992",
                 "9007199254740993", "9223372036854775807", "-9223372036854775808"});
  }
  std::string Float() { return Pick({"0.1", "1.0", "2", "-1.5", "9007199254740992.0", "1e300"}); }
  std::string Text() {
    return Pick({"'a'", "'ab'", "''", "'b%'",
                 "'\xE4\xB8\xAD"
                 "a'",
                 "'x'", "'1'", "'zzz'"});
  }
  std::string Pattern() {
    return Pick({"'a%'", "'%a'", "'%b%'", "'a_c'", "'_'", "'%\\\\%'", "'a%c'", "'ab'"});
  }
  std::string Op() { return Pick({"==", "!=", "<", "<=", ">", ">="}); }
  std::string IntColumn() { return Pick({"pk", "i8", "i16", "i32", "i64", "late_int"}); }
  std::string FloatColumn() { return Pick({"f32", "f64"}); }
  std::string TextColumn() { return Pick({"s", "t", "late_null"}); }
  std::string JsonColumn() {
    return Pick({"j['a']", "j['b']", "j['c'][0]", "j['c']", "j['d']['e']", "j", "j[1]", "a",
                 "$meta['b']", "c[1]", "zz", "j['c'][0][1]"});
  }
  std::string JsonLiteral() {
    return random_() % 2 == 0 ? Int()
                              : Pick({Text(), Float(), "true", "false", "9223372036854775808.0",
                                      "18446744073709549568.0", "18446744073709551616.0"});
  }
  std::string Arithmetic() { return Pick({"+", "-", "*", "/", "%", "&", "|", "^"}); }
  std::string Operand() { return Pick({"1", "2", "3", "-1", "7", "-5"}); }
  template <class F>
  std::string List(F element) {
    std::string list = "[";
    for (uint32_t i = random_() % 4 == 0 ? random_() % 14 : random_() % 4; i > 0; --i)
      list += element() + ",";
    return list + "]";
  }

  std::string Leaf() {
    switch (random_() % 22) {
      case 0: return fmt::format("{} {} {}", IntColumn(), Op(), Int());
      case 1: return fmt::format("{} {} {}", FloatColumn(), Op(), Float());
      case 2: return fmt::format("{} {} {}", TextColumn(), Op(), Text());
      case 3: return fmt::format("{} {} {}", JsonColumn(), Op(), JsonLiteral());
      case 4: return fmt::format("{} in {}", IntColumn(), List([&] { return Int(); }));
      case 5: return fmt::format("{} not in {}", TextColumn(), List([&] { return Text(); }));
      case 6: return fmt::format("{} in {}", JsonColumn(), List([&] { return JsonLiteral(); }));
      case 7: return fmt::format("{} in {}", FloatColumn(), List([&] { return Float(); }));
      case 8: return fmt::format("{} like {}", TextColumn(), Pattern());
      case 9: return fmt::format("{} like {}", JsonColumn(), Pattern());
      case 10:
        return fmt::format("{} is null", Pick({"i8", "s", "j", "pk", "a", "j['b']", "late_null"}));
      case 11: return fmt::format("exists {}", Pick({"j['d']", "j['c']", "b", "j['d']['e'][0]"}));
      case 12:
        return fmt::format("({} {} {}) {} {}", IntColumn(), Arithmetic(), Operand(), Op(), Int());
      case 13:
        return fmt::format("{} {} {} {} {}", FloatColumn(), Pick({"+", "-", "*", "/"}),
                           Float() == "0.1" ? "2" : "0.5", Op(), Float());
      case 14:
        return fmt::format("({} {} {}) {} {}", JsonColumn(), Arithmetic(), Operand(), Op(), Int());
      case 15:
        return fmt::format("-1 {} {} {} 40", Pick({"<", "<="}),
                           Pick({"i8", "i64", "f32", "f64", "a", "j['c'][0]"}), Pick({"<", "<="}));
      case 16: return fmt::format("'a' <= {} < 'b'", Pick({"s", "t", "b", "j['b']"}));
      case 17:
        return fmt::format("{} {} {}", Pick({"i8", "i16", "i32", "i64", "f32", "f64"}), Op(),
                           Pick({"pk", "i8", "i64", "f32", "f64", "late_int"}));
      case 18: return fmt::format("s {} t", Op());
      case 19: return fmt::format("flag {} {}", Pick({"==", "!=", "<"}), Pick({"true", "false"}));
      case 20:
        return fmt::format("json_contains{}({}, {})", Pick({"_all", "_any"}), JsonColumn(),
                           List([&] { return JsonLiteral(); }));
      default:
        return Pick({"array_length(j['c']) > 1", "j['c'] == [1, 2]", "j['c'] != [1, 2]",
                     "json_contains(j['c'], [1,2])", "json_contains(c, 3)", "s =~ 'a.b'",
                     "b !~ '^a'", "flag in [true]", "c in [[1,2], 'x']"});
    }
  }

  std::mt19937& random_;
};

Truth Filtered(const std::string& text, const Rows& rows, IndexUse use = IndexUse::kWhenCheaper) {
  auto filter = expr::ParseFilter(text, Schema(), {});
  EXPECT_TRUE(filter) << text << ": " << filter.error().message();
  if (!filter) return {};
  auto truth = Evaluate(*filter, rows, Schema(), {.index_use = use});
  EXPECT_TRUE(truth) << text << ": " << truth.error().message();
  return truth ? *truth : Truth{};
}

void ExpectSame(const std::string& text, const Rows& rows, IndexUse use = IndexUse::kWhenCheaper) {
  const auto filter = expr::ParseFilter(text, Schema(), {});
  ASSERT_TRUE(filter) << text << ": " << filter.error().message();
  const Truth truth = Filtered(text, rows, use);
  ASSERT_EQ(truth.is_true.size(), (rows.count + 63) / 64) << text;
  Reference reference(rows);
  for (size_t r = 0; r < truth.is_true.size() * 64; ++r) {
    const bool is_true = (truth.is_true[r / 64] >> (r % 64) & 1) != 0;
    const bool is_unknown = (truth.is_unknown[r / 64] >> (r % 64) & 1) != 0;
    Answer expected = false;
    if (r < rows.count) {
      expected = filter->root == nullptr ? Answer(true) : reference.Eval(*filter->root, r);
    }
    ASSERT_EQ(is_true, expected == true) << text << " row " << r;
    ASSERT_EQ(is_unknown, !expected.has_value()) << text << " row " << r;
  }
}

TEST(Filter, EqualsTheRowAtATimeReferenceOnRandomFilters) {
  std::mt19937 random(20261125);
  const Rows sealed = RandomRows(700, 1);
  Rows growing = RandomRows(300, 2);
  growing.UseViews();
  for (int i = 0; i < 3000; ++i) {
    const std::string text = FilterText(random).Predicate(static_cast<int>(random() % 4));
    ExpectSame(text, i % 2 == 0 ? sealed : growing);
    if (HasFatalFailure()) return;
  }
}

TEST(Filter, EqualsTheReferenceAtEveryEdgeOfABlock) {
  std::mt19937 random(3);
  for (size_t count : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{4095},
                       size_t{4096}, size_t{4097}, size_t{8200}}) {
    const Rows rows = RandomRows(count, static_cast<uint32_t>(count));
    for (int i = 0; i < 12; ++i) {
      ExpectSame(FilterText(random).Predicate(2), rows);
      if (HasFatalFailure()) return;
    }
  }
}

// Indexes every column, and JSON paths by a type and use that `random` chooses.
void IndexEverything(Rows& rows, std::mt19937& random) {
  for (const model::FieldSchema& field : Schema().fields) {
    if (!rows.columns.contains(field.id)) continue;
    if (const auto type = KeyTypeOf(field.type)) {
      const bool grams = *type == index::KeyType::kText && random() % 2 == 0;
      rows.Index({.field = field.id,
                  .type = *type,
                  .use = grams ? index::KeyUse::kGrams : index::KeyUse::kValues,
                  .gram_min = static_cast<uint16_t>(grams ? 1 + random() % 2 : 0),
                  .gram_max = static_cast<uint16_t>(grams ? 2 + random() % 2 : 0)});
      continue;
    }
    const std::vector<std::vector<std::string>> paths = {{},         {"a"},      {"b"}, {"c"},
                                                         {"c", "0"}, {"d", "e"}, {"1"}, {"c", "1"}};
    for (const auto& path : paths) {
      constexpr index::KeyType kTypes[] = {index::KeyType::kBool, index::KeyType::kReal,
                                           index::KeyType::kText};
      rows.Index({.field = field.id,
                  .path = path,
                  .type = kTypes[random() % 3],
                  .use = random() % 2 == 0 ? index::KeyUse::kValues : index::KeyUse::kElements});
    }
  }
}

TEST(Filter, EqualsTheReferenceThroughIndexes) {
  std::mt19937 random(20261129);
  for (int set = 0; set < 30; ++set) {
    Rows rows = RandomRows(set == 0 ? 5000 : 300 + random() % 500, static_cast<uint32_t>(set));
    IndexEverything(rows, random);
    for (int i = 0; i < 150; ++i) {
      const std::string text = FilterText(random).Predicate(static_cast<int>(random() % 3));
      ExpectSame(text, rows, IndexUse::kWheneverPossible);
      ExpectSame(text, rows, IndexUse::kWhenCheaper);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Filter, FindsEachOfManyListedValues) {
  const Rows rows = RandomRows(3000, 9);
  std::string dense = "pk in [";
  std::string sparse = "pk in [-9223372036854775808,";
  std::string words = "t in [";
  for (int i = 0; i < 1000; ++i) {
    dense += fmt::format("{},", i * 2);
    sparse += fmt::format("{},", static_cast<int64_t>(i) * i * i * 1000003 + i);
    words += fmt::format("'w{}','{}',", i, i % 2 == 0 ? "ab" : "a_c");
  }
  ExpectSame(dense + "]", rows);
  ExpectSame(sparse + "]", rows);
  ExpectSame(words + "]", rows);
}

size_t CountTrue(const Truth& truth) {
  size_t count = 0;
  for (uint64_t word : truth.is_true) count += static_cast<size_t>(__builtin_popcountll(word));
  return count;
}

TEST(Filter, LeavesMissingKeysOutOfANegation) {
  Rows rows;
  rows.count = 4;
  model::Column& json = rows.Add("j");
  for (const char* text : {R"({"x": 1})", R"({"x": 2})", "{}", R"({"x": null})"}) {
    json.AppendValue(text);
  }
  EXPECT_EQ(CountTrue(Filtered("not (j['x'] == 1)", rows)), 1u);
  EXPECT_EQ(CountTrue(Filtered("j['x'] != 1", rows)), 1u);
  EXPECT_EQ(CountTrue(Filtered("not (j['x'] is null)", rows)), 2u);
  EXPECT_EQ(CountTrue(Filtered("j['x'] is null", rows)), 2u);
  EXPECT_EQ(CountTrue(Filtered("j['x'] not in [1]", rows)), 1u);
}

TEST(Filter, ReadsTheDefaultOfAFieldYoungerThanTheRows) {
  Rows rows;
  rows.count = 5000;
  EXPECT_EQ(CountTrue(Filtered("late_int == 7", rows)), 5000u);
  EXPECT_EQ(CountTrue(Filtered("late_int + 1 > 8", rows)), 0u);
  EXPECT_EQ(CountTrue(Filtered("late_null is null", rows)), 5000u);
  EXPECT_EQ(CountTrue(Filtered("late_null == 'a' or late_null != 'a'", rows)), 0u);
  EXPECT_EQ(CountTrue(Filtered("anything is null", rows)), 5000u);
}

TEST(Filter, AnswersOnlyForRowsThatAreNotHidden) {
  std::mt19937 random(8);
  const Rows rows = RandomRows(9000, 6);
  std::vector<uint64_t> hidden((rows.count + 63) / 64);
  for (size_t w = 0; w < hidden.size(); ++w) {
    hidden[w] = w / 64 == 1 ? ~uint64_t{0} : (uint64_t{random()} << 32 | random());
  }
  for (int i = 0; i < 100; ++i) {
    const std::string text = FilterText(random).Predicate(2);
    const auto filter = expr::ParseFilter(text, Schema(), {});
    ASSERT_TRUE(filter);
    const Truth all = Filtered(text, rows);
    const auto some = Evaluate(*filter, rows, Schema(), {.hidden = hidden.data()});
    ASSERT_TRUE(some);
    for (size_t w = 0; w < hidden.size(); ++w) {
      ASSERT_EQ(some->is_true[w], all.is_true[w] & ~hidden[w]) << text;
      ASSERT_EQ(some->is_unknown[w], all.is_unknown[w] & ~hidden[w]) << text;
    }
  }
}

TEST(Filter, StopsWhenCancelled) {
  const Rows rows = RandomRows(100, 6);
  std::stop_source source;
  source.request_stop();
  const Cancel cancel{.stop = source.get_token()};
  const auto filter = expr::ParseFilter("i8 == 1", Schema(), {});
  const auto truth = Evaluate(*filter, rows, Schema(), {.cancel = &cancel});
  ASSERT_FALSE(truth);
  EXPECT_EQ(truth.error().code(), Code::kCanceled);
}

TEST(Filter, RefusesATreeThatDoesNotFitTheSchema) {
  const Rows rows = RandomRows(100, 4);
  auto fails = [&](expr::Node node) {
    expr::BoundFilter filter{.root = std::make_shared<const expr::Node>(std::move(node))};
    return !Evaluate(filter, rows, Schema()).has_value();
  };
  const expr::ColumnRef pk{FieldId{100}, DataType::kInt64, {}};
  const expr::ColumnRef text{FieldId{108}, DataType::kVarChar, {}};
  EXPECT_TRUE(fails({.form = expr::And{}}));
  EXPECT_TRUE(fails({.form = expr::Not{}}));
  EXPECT_TRUE(fails({.form = expr::Compare{pk, expr::CompareOp::kEq, Value{1.5}}}));
  EXPECT_TRUE(
      fails({.form = expr::Compare{pk, static_cast<expr::CompareOp>(9), Value{int64_t{1}}}}));
  EXPECT_TRUE(fails({.form = expr::Compare{{FieldId{999}, DataType::kInt64, {}}, {}, Value{}}}));
  EXPECT_TRUE(fails({.form = expr::Compare{{FieldId{100}, DataType::kInt8, {}}, {}, Value{}}}));
  EXPECT_TRUE(fails({.form = expr::Like{pk, "a"}}));
  EXPECT_TRUE(fails({.form = expr::Regex{text, "("}}));
  EXPECT_TRUE(
      fails({.form = expr::ArithmeticCompare{
                 pk, expr::ArithmeticOp::kModulo, Value{int64_t{0}}, {}, Value{int64_t{0}}}}));
  EXPECT_TRUE(fails({.form = expr::Exists{text}}));
}

TEST(Filter, RunsOrRefusesWhateverDamagedBytesDecodeTo) {
  const Rows rows = RandomRows(130, 5);
  const char* source =
      "(i8 in [1,2] or not (s like 'a%')) and j['a'] in [1,'x',true] and 1 < f32 < 2 and i64 % 2 "
      "== 1 and i8 < i64 and exists color and json_contains(j['b'], 1) and s =~ 'a'";
  const auto filter = expr::ParseFilter(source, Schema(), {});
  ASSERT_TRUE(filter);
  const std::string bytes = EncodeBytes(*filter);
  for (size_t n = 0; n < bytes.size(); ++n) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[n] = static_cast<char>(damaged[n] ^ (1 << bit));
      auto decoded = DecodeBytes<expr::BoundFilter>(damaged, "filter");
      if (decoded) (void)Evaluate(*decoded, rows, Schema());
    }
  }
}

}  // namespace
}  // namespace elanus::query
