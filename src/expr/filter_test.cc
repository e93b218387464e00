// Filters as trees and as errors, against the texts of the contract. Long: the whole language is
// here.
#include "expr/filter.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "base/codec.h"

namespace elanus::expr {
namespace {

using model::DataType;

model::CollectionSchema TestSchema() {
  model::CollectionSchema schema{.name = "c", .enable_dynamic_field = true, .version = 7};
  int64_t id = 100;
  auto add = [&](std::string name, DataType type, bool nullable = false) {
    schema.fields.push_back(
        {.id = FieldId{id++}, .name = name, .type = type, .nullable = nullable});
  };
  add("pk", DataType::kInt64);
  schema.fields.back().is_primary = true;
  add("flag", DataType::kBool);
  add("int8", DataType::kInt8);
  add("int64", DataType::kInt64, true);
  add("float", DataType::kFloat);
  add("double", DataType::kDouble);
  add("varchar", DataType::kVarChar, true);
  add("json", DataType::kJson);
  add("vector", DataType::kFloatVector);
  add("text", DataType::kText);
  add("array", DataType::kArray);
  schema.fields.back().element_type = DataType::kInt64;
  add("time", DataType::kTimestamptz, true);
  add("$meta", DataType::kJson);
  schema.fields.back().is_dynamic = true;
  return schema;
}

Result<BoundFilter> Parse(std::string_view text, const Templates& templates = {}) {
  static const model::CollectionSchema schema = TestSchema();
  return ParseFilter(text, schema, templates);
}

std::string Show(const Value& value) {
  if (const auto* b = std::get_if<bool>(&value.data)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<int64_t>(&value.data)) return fmt::format("{}", *i);
  if (const auto* d = std::get_if<double>(&value.data)) return fmt::format("{}f", *d);
  if (const auto* s = std::get_if<std::string>(&value.data)) return fmt::format("\"{}\"", *s);
  std::string text = "[";
  for (const Value& v : std::get<std::vector<Value>>(value.data)) text += Show(v) + " ";
  return text + "]";
}

std::string Show(const ColumnRef& column) {
  std::string text(TestSchema().FindField(column.field)->name);
  for (const std::string& key : column.path) text += "/" + key;
  return text;
}

std::string_view Show(CompareOp op) {
  constexpr std::string_view kTexts[] = {"==", "!=", "<", "<=", ">", ">="};
  return kTexts[static_cast<int>(op)];
}

std::string_view Show(ArithmeticOp op) {
  constexpr std::string_view kTexts[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
  return kTexts[static_cast<int>(op)];
}

struct Shower {
  const Node& node;
  std::string Children(std::string_view name) const;
  std::string operator()(const Constant& f) const { return f.value ? "TRUE" : "FALSE"; }
  std::string operator()(const And&) const { return Children("and"); }
  std::string operator()(const Or&) const { return Children("or"); }
  std::string operator()(const Not&) const { return Children("not"); }
  std::string operator()(const Compare& f) const {
    return fmt::format("({} {} {})", Show(f.column), Show(f.op), Show(f.value));
  }
  std::string operator()(const CompareColumns& f) const {
    return fmt::format("({} {} {})", Show(f.left), Show(f.op), Show(f.right));
  }
  std::string operator()(const Range& f) const {
    return fmt::format("({} {} {} {} {})", Show(f.lower), f.lower_inclusive ? "<=" : "<",
                       Show(f.column), f.upper_inclusive ? "<=" : "<", Show(f.upper));
  }
  std::string operator()(const In& f) const {
    std::string text = fmt::format("({} in", Show(f.column));
    for (int64_t v : f.values.ints) text += fmt::format(" {}", v);
    for (double v : f.values.doubles) text += fmt::format(" {}f", v);
    for (const std::string& v : f.values.strings) text += fmt::format(" \"{}\"", v);
    if (f.values.has_false) text += " false";
    if (f.values.has_true) text += " true";
    for (const Value& v : f.values.arrays) text += " " + Show(v);
    return text + ")";
  }
  std::string operator()(const Like& f) const {
    return fmt::format("({} like {})", Show(f.column), f.pattern);
  }
  std::string operator()(const Regex& f) const {
    return fmt::format("({} =~ {})", Show(f.column), f.pattern);
  }
  std::string operator()(const ArithmeticCompare& f) const {
    return fmt::format("({} {} {} {} {})", Show(f.column), Show(f.arithmetic), Show(f.operand),
                       Show(f.op), Show(f.value));
  }
  std::string operator()(const IsNull& f) const { return fmt::format("(null {})", Show(f.column)); }
  std::string operator()(const Exists& f) const {
    return fmt::format("(exists {})", Show(f.column));
  }
  std::string operator()(const Contains& f) const {
    std::string text = fmt::format("({} has {}", Show(f.column), f.all ? "all" : "any");
    for (const Value& v : f.values) text += " " + Show(v);
    return text + ")";
  }
  std::string operator()(const LengthCompare& f) const {
    return fmt::format("(length {} {} {})", Show(f.column), Show(f.op), f.value);
  }
  std::string operator()(const TimeCompare& f) const {
    return fmt::format("({} {} P{}Y{}M{}DT{}H{}M{}S {} {})", Show(f.column), f.sign > 0 ? "+" : "-",
                       f.interval.years, f.interval.months, f.interval.days, f.interval.hours,
                       f.interval.minutes, f.interval.seconds, Show(f.op), f.value);
  }
  std::string operator()(const MatchElements& f) const {
    return Children(fmt::format("match{}/{}", static_cast<int>(f.mode), f.count));
  }
  std::string operator()(const GeometryCompare& f) const {
    return fmt::format("({} shape{} {}m)", Show(f.column), static_cast<int>(f.op), f.metres);
  }
  std::string operator()(const BloomMatch& f) const {
    return fmt::format("({} bloom)", Show(f.column));
  }
  std::string operator()(const RoaringMatch& f) const {
    return fmt::format("({} roaring)", Show(f.column));
  }
};

std::string Show(const Node& node) { return std::visit(Shower{node}, node.form); }
std::string Shower::Children(std::string_view name) const {
  std::string text = fmt::format("({}", name);
  for (const Node& child : node.children) text += " " + Show(child);
  return text + ")";
}

std::string Tree(std::string_view text, const Templates& templates = {}) {
  Result<BoundFilter> filter = Parse(text, templates);
  if (!filter) return filter.error().message();
  return filter->root == nullptr ? "ALL" : Show(*filter->root);
}

// The cause alone, without `cannot parse expression: TEXT: `.
std::string Cause(std::string_view text, const Templates& templates = {}) {
  Result<BoundFilter> filter = Parse(text, templates);
  if (filter) return "parsed: " + Tree(text, templates);
  const std::string head = fmt::format("cannot parse expression: {}: ", text);
  if (filter.error().message().starts_with("predicate is not")) return filter.error().message();
  EXPECT_TRUE(filter.error().message().starts_with(head)) << filter.error().message();
  return filter.error().message().substr(head.size());
}

TEST(Filter, KeepsAllRowsWhenBlankOrTrue) {
  EXPECT_EQ(Tree(""), "ALL");
  EXPECT_EQ(Tree(" \t\n"), "ALL");
  EXPECT_EQ(Tree("true"), "ALL");
  EXPECT_EQ(Tree("1 < 2"), "ALL");
  EXPECT_EQ(Tree("false"), "FALSE");
}

TEST(Filter, BindsComparisonsToColumnsAndTypes) {
  EXPECT_EQ(Tree("int64 == 5"), "(int64 == 5)");
  EXPECT_EQ(Tree("5 < int64"), "(int64 > 5)");
  EXPECT_EQ(Tree("float >= 1"), "(float >= 1f)");
  EXPECT_EQ(Tree("varchar != 'a\\'b'"), "(varchar != \"a'b\")");
  EXPECT_EQ(Tree("flag == true"), "(flag == true)");
  EXPECT_EQ(Tree("int8 < int64"), "(int8 < int64)");
  EXPECT_EQ(Tree("json['a'][0] == 1.5"), "(json/a/0 == 1.5f)");
  EXPECT_EQ(Tree("color == 'red'"), "($meta/color == \"red\")");
  EXPECT_EQ(Tree("$meta['color'] == 'red'"), "($meta/color == \"red\")");
  EXPECT_EQ(Tree("a['x']['y'] == [1, 2]"), "($meta/a/x/y == [1 2 ])");
  EXPECT_EQ(Tree("int64 == -9223372036854775808"), "(int64 == -9223372036854775808)");
}

TEST(Filter, HasMilvusPrecedence) {
  EXPECT_EQ(Tree("pk == 1 or pk == 2 and pk == 3"), "(or (pk == 1) (and (pk == 2) (pk == 3)))");
  EXPECT_EQ(Tree("pk == 1 || pk == 2 && !(pk == 3)"),
            "(or (pk == 1) (and (pk == 2) (not (pk == 3))))");
  EXPECT_EQ(Tree("not varchar like 'x%'"), "(not (varchar like x%))");
  EXPECT_EQ(Tree("not exists json['b']"), "(not (exists json/b))");
  EXPECT_EQ(Tree("not int64 is null"), "(not (null int64))");
  EXPECT_EQ(Tree("pk == -2**2"), "(pk == -4)");
  EXPECT_EQ(Tree("pk == 2**3**2"), "(pk == 64)");
  EXPECT_EQ(Tree("pk == 1 + 2 * 3 << 1"), "(pk == 14)");
  EXPECT_EQ(Tree("pk + 1 == 2 - 3 - 4"), "(pk + 1 == -5)");
  EXPECT_EQ(Cause("not pk == 1"), "not op can only be applied on boolean expression");
  EXPECT_EQ(Cause("not pk in [1]"), "not op can only be applied on boolean expression");
  EXPECT_NE(Cause("pk & 3 == 1"), "parsed");
  EXPECT_FALSE(Parse("pk & 3 == 1"));
  EXPECT_FALSE(Parse("pk == 1 | pk == 2"));
  EXPECT_EQ(Tree("(pk & 3) == 1"), "(pk & 3 == 1)");
}

TEST(Filter, ReadsRangeChainsBothWays) {
  EXPECT_EQ(Tree("1 < int64 <= 5"), "(1 < int64 <= 5)");
  EXPECT_EQ(Tree("5 >= int64 > 1"), "(1 < int64 <= 5)");
  EXPECT_EQ(Tree("1 < float < 5"), "(1f < float < 5f)");
  EXPECT_EQ(Tree("'a' <= varchar <= 'a'"), "(\"a\" <= varchar <= \"a\")");
  EXPECT_EQ(Tree("1 <= json['a'] < 2.5"), "(1 <= json/a < 2.5f)");
  EXPECT_EQ(Tree("1 < pk < 5 and 0 < a < 3"), "(and (1 < pk < 5) (0 < $meta/a < 3))");
  EXPECT_EQ(Cause("5 < pk < 1"), "invalid range: lowerbound is greater than upperbound");
  EXPECT_EQ(Cause("1 < pk <= 1"), "invalid range: lowerbound is greater than upperbound");
  EXPECT_EQ(Cause("true < flag < false"), "invalid range operations on boolean expr");
  EXPECT_EQ(Cause("'a' < pk < 'b'"), "invalid range operations");
  EXPECT_EQ(Cause("1 < json['a'] < 'b'"), "invalid range operations");
  EXPECT_EQ(Cause("pk < int64 < 5"), "lowerbound cannot be a non-const expression: pk");
  EXPECT_EQ(Cause("1 < pk < int8 + 1"), "upperbound cannot be a non-const expression: int8+1");
  EXPECT_EQ(Cause("1 < pk > 5"), "comparisons between Bool and Int64 are not supported");
}

TEST(Filter, SortsAndDeduplicatesInLists) {
  EXPECT_EQ(Tree("pk in [3, 1, 3, 2]"), "(pk in 1 2 3)");
  EXPECT_EQ(Tree("pk not in [3,1,]"), "(not (pk in 1 3))");
  EXPECT_EQ(Tree("pk in []"), "(pk in)");
  EXPECT_EQ(Tree("varchar in ['b', \"a\"]"), "(varchar in \"a\" \"b\")");
  EXPECT_EQ(Tree("double in [1, 0.5]"), "(double in 0.5f 1f)");
  EXPECT_EQ(Tree("json['k'] in [1, 'x', true, 2.5]"), "(json/k in 1 2.5f \"x\" true)");
  EXPECT_EQ(Cause("pk in [1.0]"), "value 'float_val:1' in list cannot be casted to Int64");
  EXPECT_EQ(Cause("pk in ['x']"), "value 'string_val:\"x\"' in list cannot be casted to Int64");
  EXPECT_EQ(Cause("varchar in [0]"), "value 'int64_val:0' in list cannot be casted to VarChar");
  EXPECT_EQ(Cause("flag in [1]"), "value 'int64_val:1' in list cannot be casted to Bool");
  EXPECT_EQ(Cause("pk in [int8]"), "value 'int8' in list cannot be a non-const expression");
  EXPECT_EQ(Cause("pk in 5"), "the right-hand side of 'in' must be a list, but got: 5");
  EXPECT_EQ(Cause("1 in [1]"), "'term' can only be used on non-const expression, but got: 1");
  EXPECT_EQ(Cause("pk + 1 in [1]"), "'term' can only be used on single field, but got: pk+1");
  EXPECT_EQ(Cause("vector in [1]"), "term expression is not supported for data type FloatVector");
}

TEST(Filter, MakesOneListOfEqualities) {
  EXPECT_EQ(Tree("pk == 3 or pk == 1 or pk in [2, 3]"), "(pk in 1 2 3)");
  EXPECT_EQ(Tree("pk == 3 or int8 == 1 or pk == 1"), "(or (pk in 1 3) (int8 == 1))");
  EXPECT_EQ(Tree("varchar == 'b' or (varchar == 'a' or varchar > 'x')"),
            "(or (varchar in \"a\" \"b\") (varchar > \"x\"))");
  EXPECT_EQ(Tree("json['a'] == 1 or json['a'] == 2"), "(or (json/a == 1) (json/a == 2))");
  EXPECT_EQ(Tree("pk == 1 or pk != 2"), "(or (pk == 1) (pk != 2))");
  EXPECT_EQ(Tree("flag == true or flag == false"), "(flag in false true)");
}

TEST(Filter, ComputesOnOneColumn) {
  EXPECT_EQ(Tree("int64 % 2 == 0"), "(int64 % 2 == 0)");
  EXPECT_EQ(Tree("2 * pk > 6"), "(pk * 2 > 6)");
  EXPECT_EQ(Tree("7 <= pk / 2"), "(pk / 2 >= 7)");
  EXPECT_EQ(Tree("double + 1 == 2"), "(double + 1f == 2f)");
  EXPECT_EQ(Tree("(pk << 2) == 4"), "(pk << 2 == 4)");
  EXPECT_EQ(Tree("~pk == -1"), "(pk ^ -1 == -1)");
  EXPECT_EQ(Cause("2 - pk == 1"), "module field is not yet supported");
  EXPECT_EQ(Cause("pk + int8 == 1"),
            "not supported to do arithmetic operations between multiple fields");
  EXPECT_EQ(Cause("pk + 1 == int8 + 2"),
            "not supported to do arithmetic operations between multiple fields");
  EXPECT_EQ(Cause("pk + 1 + 2 == 3"), "complicated arithmetic operations are not supported");
  EXPECT_EQ(Cause("int64 + 1.5 == 3"),
            "'add' cannot perform arithmetic between Int64 field and Double");
  EXPECT_EQ(Cause("double % 2 == 0"), "modulo can only apply on integer types");
  EXPECT_EQ(Cause("(float & 2) == 0"), "bitwise operations can only apply on integer types");
  EXPECT_EQ(Cause("varchar + 1 == 2"), "cannot perform arithmetic between VarChar field and Int64");
  EXPECT_EQ(Cause("pk / 0 == 2"), "division or modulus by zero");
  EXPECT_EQ(Cause("pk % 0 == 2"), "division or modulus by zero");
  EXPECT_EQ(Cause("(pk << 64) == 2"), "shift amount must be in range [0, 64), got 64");
}

TEST(Filter, FoldsConstants) {
  EXPECT_EQ(Tree("pk == 9223372036854775807 + 1"), "(pk == -9223372036854775808)");
  EXPECT_EQ(Tree("double == 7 / 2"), "(double == 3f)");
  EXPECT_EQ(Tree("double == 7 / 2.0"), "(double == 3.5f)");
  EXPECT_EQ(Tree("pk == -7 % 3"), "(pk == -1)");
  EXPECT_EQ(Tree("double == 2 ** -1"), "(double == 0.5f)");
  EXPECT_EQ(Tree("double == 0x1.8p3"), "(double == 12f)");
  EXPECT_EQ(Tree("pk == 0x1F + 017 + 0b11"), "(pk == 49)");
  EXPECT_EQ(Tree("'a' < 'b' and pk == 1"), "(pk == 1)");
  EXPECT_EQ(Tree("1 == 1.0 or pk == 1"), "ALL");
  EXPECT_EQ(Tree("false and pk == 1"), "FALSE");
  EXPECT_EQ(Tree("not false"), "ALL");
  EXPECT_EQ(Cause("1 / 0 == pk"), "cannot divide by zero");
  EXPECT_EQ(Cause("1 % 0 == pk"), "cannot modulo by zero");
  EXPECT_EQ(Cause("1.5 % 2 == pk"), "modulo can only apply on integer");
  EXPECT_EQ(Cause("pk == 1 + 'a'"), "add cannot apply on string field");
  EXPECT_EQ(Cause("pk == 2 * true"), "multiply cannot apply on bool field");
  EXPECT_EQ(Cause("pk == (1 & 1.5)"), "bitand can only apply on integer fields");
  EXPECT_EQ(Cause("pk == 1 << 64"), "shift amount must be in range [0, 64), got 64");
  EXPECT_EQ(Cause("pk ** 2 == 4"), "power can only apply on constants: pk**2");
  EXPECT_EQ(Cause("1 == 'a'"),
            "comparison operations cannot be applied to two incompatible operands: 1=='a'");
  EXPECT_EQ(Cause("1 and 2"), "and can only apply on boolean");
  EXPECT_EQ(Cause("1 or pk == 1"), "'or' can only be used between boolean expressions");
  EXPECT_EQ(Cause("flag and pk == 1"), "'and' can only be used between boolean expressions");
  EXPECT_EQ(Cause("not 1"), "not can only apply on boolean");
}

TEST(Filter, RefusesWhatIsNotAPredicate) {
  EXPECT_EQ(Cause("flag"), "predicate is not a boolean expression: flag, data type: Bool");
  EXPECT_EQ(Cause("pk + 1"), "predicate is not a boolean expression: pk + 1, data type: Int64");
  EXPECT_EQ(Cause("'x'"), "predicate is not a boolean expression: 'x', data type: VarChar");
  EXPECT_EQ(Cause("json['a']"),
            "predicate is not a boolean expression: json['a'], data type: JSON");
}

TEST(Filter, RefusesTypesThatDoNotCompare) {
  EXPECT_EQ(Cause("pk == 'x'"), "comparisons between Int64 and VarChar are not supported");
  EXPECT_EQ(Cause("'x' == pk"), "comparisons between VarChar and Int64 are not supported");
  EXPECT_EQ(Cause("varchar == double"), "comparisons between VarChar and Double are not supported");
  EXPECT_EQ(Cause("int64 == 1.5"), "cannot cast value to Int64: incompatible source type");
  EXPECT_EQ(Cause("json == pk"), "two column comparison with JSON type is not supported");
  EXPECT_EQ(Cause("text == 'a'"), "filter on text field (text) is not supported yet");
  EXPECT_EQ(Cause("vector == 1"), "comparisons between FloatVector and Int64 are not supported");
}

TEST(Filter, TakesTheExpressionsThatUsersWrite) {
  EXPECT_EQ(Tree("(pk > 0 && pk < 400) or (pk > 500 && pk < 1000)"),
            "(or (and (pk > 0) (pk < 400)) (and (pk > 500) (pk < 1000)))");
  EXPECT_EQ(Tree("pk not in [1,2,3] and float != 2"), "(and (not (pk in 1 2 3)) (float != 2f))");
  EXPECT_EQ(Tree("pk == 0 || float == 10**2 || (pk + 1) == 3"),
            "(or (pk == 0) (float == 100f) (pk + 1 == 3))");
  EXPECT_EQ(Tree("0 <= pk < 400 and pk % 100 == 0"), "(and (0 <= pk < 400) (pk % 100 == 0))");
  EXPECT_EQ(Tree("200+300 < pk <= 500+500"), "(500 < pk <= 1000)");
  EXPECT_EQ(Tree("pk in [300/2, 900%40, -10*30+800, (100+200)*2] or float in [+3**6, 2**10/2]"),
            "(or (pk in 20 150 500 600) (float in 512f 729f))");
  EXPECT_EQ(Tree("float <= -4**5/2 && float > 500-1 && float != 500/2+260"),
            "(and (float <= -512f) (float > 499f) (float != 510f))");
  EXPECT_EQ(Tree("flag == True and flag in [False]"), "(and (flag == true) (flag in false))");
  EXPECT_EQ(Tree("pk > 9223372036854775806 and (color == 'red')"),
            "(and (pk > 9223372036854775806) ($meta/color == \"red\"))");
  EXPECT_EQ(Tree("pk < 9223372036854775807"), "(pk < 9223372036854775807)");
  EXPECT_EQ(Tree("varchar != \"\""), "(varchar != \"\")");
  EXPECT_EQ(Cause("pk in mn"), "the right-hand side of 'in' must be a list, but got: mn");
  EXPECT_EQ(Cause("pk not [1]"), "invalid expression: pk not [1]");
  EXPECT_EQ(Cause("pk in [1 2]"), "line 1:9 missing ']' at '2'");
}

TEST(Filter, ComparesTimes) {
  EXPECT_EQ(Tree("time > iso '1970-01-01T00:00:01Z'"), "(time > 1000000)");
  EXPECT_EQ(Tree("ISO '1970-01-01 00:00:01' >= time"), "(time <= 1000000)");
  EXPECT_EQ(Tree("time + INTERVAL 'P1Y2DT3S' < ISO '1970-01-01T00:00:00Z'"),
            "(time + P1Y0M2DT0H0M3S < 0)");
  EXPECT_EQ(Tree("iso '1970-01-01T00:00:00Z' == time - interval 'PT1M'"),
            "(time - P0Y0M0DT0H1M0S == 0)");
  EXPECT_EQ(Cause("pk > iso '1970-01-01T00:00:00Z'"), "field 'pk' is not a timestamptz datatype");
  EXPECT_EQ(Cause("pk + interval 'P1D' > iso '1970-01-01T00:00:00Z'"),
            "field 'pk' is not a timestamptz datatype");
  EXPECT_EQ(Cause("time > iso 'x'"),
            "invalid timestamp string: 'x'. Does not match any known format: invalid parameter");
  EXPECT_EQ(Cause("time + interval '1D' > iso '1970-01-01T00:00:00Z'"),
            "invalid ISO 8601 duration: 1D: invalid parameter");
  EXPECT_EQ(Cause("time == 'a'"), "comparisons between Timestamptz and VarChar are not supported");
}

TEST(Filter, TakesTimesWithoutOffsetInTheGivenZone) {
  const auto bound =
      ParseFilter("time == iso '1970-01-01 08:00:00'", TestSchema(), {}, "Asia/Shanghai");
  ASSERT_TRUE(bound.has_value());
  EXPECT_EQ(Show(*bound->root), "(time == 0)");
}

TEST(Filter, RefusesArrayColumns) {
  EXPECT_EQ(Cause("array == 1"), "can not comparisons array fields directly");
  EXPECT_EQ(Cause("array + 1 == 2"), "can not comparisons array fields directly");
  EXPECT_EQ(Cause("array like 'a'"), "can not comparisons array fields directly");
  EXPECT_EQ(Cause("1 < array < 2"), "can not comparisons array fields directly");
  EXPECT_EQ(Cause("array['a'] == 1"), "can only access array field with integer index");
  EXPECT_EQ(Cause("array == pk"),
            "field-to-field comparison involving ARRAY fields is not supported");
}

TEST(Filter, ResolvesNames) {
  EXPECT_EQ(Cause("pk['a'] == 1"), "Int64 data type not supported accessed with []");
  EXPECT_EQ(Cause("a == null"),
            "NULL literal is not supported in expressions; use '<field> is null' or '<field> is "
            "not null' instead");
  model::CollectionSchema fixed = TestSchema();
  fixed.fields.pop_back();
  Result<BoundFilter> filter = ParseFilter("color == 1", fixed, {});
  ASSERT_FALSE(filter);
  EXPECT_EQ(PlanError("query", filter.error()).message(),
            "failed to create query plan: cannot parse expression: color == 1: field color not "
            "exist: invalid parameter");
  EXPECT_EQ(PlanError("query", filter.error()).code(), Code::kInvalidParameter);
  filter = ParseFilter("array_contains(gone[name], 1)", fixed, {});
  ASSERT_FALSE(filter);
  EXPECT_EQ(filter.error().message(),
            "cannot parse expression: array_contains(gone[name], 1): struct field not found: "
            "gone[name], error: field gone[name] not exist: invalid parameter");
  EXPECT_EQ(Cause("json[''] == 1"), "invalid identifier: json['']");
  EXPECT_EQ(Cause("json[a] == 1"),
            "json key must be enclosed in double quotes or single quotes: \"[a]\"");
}

TEST(Filter, BindsNullTestsAndExists) {
  EXPECT_EQ(Tree("int64 is null"), "(null int64)");
  EXPECT_EQ(Tree("int64 IS NOT NULL"), "(not (null int64))");
  EXPECT_EQ(Tree("pk is null"), "FALSE");
  EXPECT_EQ(Tree("json['a'] is not null"), "(exists json/a)");
  EXPECT_EQ(Tree("color is null"), "(not (exists $meta/color))");
  EXPECT_EQ(Cause("vector is null"),
            "IsNull/IsNotNull operations are not supported on vector fields");
  EXPECT_EQ(Cause("exists pk"), "exists operations are only supportted on json field, got:Int64");
  EXPECT_EQ(Cause("exists json"), "exists operations are only supportted on json key");
}

TEST(Filter, BindsPatterns) {
  EXPECT_EQ(Tree("varchar like 'a\\\\%%'"), "(varchar like a\\%%)");
  EXPECT_EQ(Tree("json['a'] like r\"\\_%\""), "(json/a like \\_%)");
  EXPECT_EQ(Tree(R"(varchar =~ "^\d+$")"), R"((varchar =~ ^\d+$))");
  EXPECT_EQ(Tree(R"(varchar !~ "x")"), "(not (varchar =~ x))");
  EXPECT_EQ(Cause("pk like 'a'"), "like operation on non-string or no-json field is unsupported");
  EXPECT_EQ(Cause("(pk + 1) like 'a'"), "like operation on complicated expr is unsupported");
  EXPECT_EQ(Cause("'a' like 'a'"), "like operation on complicated expr is unsupported");
  EXPECT_EQ(Cause("varchar like 5"),
            "like pattern should be a string literal or template variable, got: 5");
  EXPECT_EQ(Cause("varchar like r'a\\'"), "line 1:13 token recognition error at: 'r'a\\''");
  EXPECT_EQ(Cause("varchar like 'a\\\\'"),
            "Invalid LIKE pattern: trailing backslash with nothing to escape");
  EXPECT_EQ(Cause("varchar =~ '(a'"),
            "invalid regex pattern: error parsing regexp: missing closing ): `(a`");
  EXPECT_EQ(Cause("varchar =~ 'x[b'"),
            "invalid regex pattern: error parsing regexp: missing closing ]: `[b`");
  EXPECT_EQ(Cause("varchar =~ '*'"),
            "invalid regex pattern: error parsing regexp: missing argument to repetition "
            "operator: `*`");
  EXPECT_EQ(Cause("pk =~ 'x'"), "regex match on non-string or non-json field is unsupported");
}

TEST(Filter, BindsContainsAndLength) {
  EXPECT_EQ(Tree("json_contains(json['a'], 1)"), "(json/a has any 1)");
  EXPECT_EQ(Tree("JSON_CONTAINS_ALL(json['a'], [1, 'x'])"), "(json/a has all 1 \"x\")");
  EXPECT_EQ(Tree("array_contains_any(tags, [1])"), "($meta/tags has any 1)");
  EXPECT_EQ(Tree("array_length(json['a']) >= 2"), "(length json/a >= 2)");
  EXPECT_EQ(Cause("json_contains_all(json['a'], 1)"),
            "ContainsAll operation element must be an array");
  EXPECT_EQ(Cause("json_contains(pk, 1)"),
            "contains operation are only supported on json or array fields now, got: pk");
}

TEST(Filter, BindsCallsByName) {
  EXPECT_EQ(Tree("empty(varchar)"), "(varchar == \"\")");
  EXPECT_EQ(Tree("Starts_With(varchar, '5%')"), "(varchar like 5\\%%)");
  EXPECT_EQ(Cause("empty(pk)"), "function empty does not take: pk");
  EXPECT_EQ(Cause("starts_with(varchar, 5)"),
            "function starts_with does not take: starts_with(varchar,5)");
  EXPECT_EQ(Cause("nothing(pk)"), "function nothing(int64_t) not found.");
  EXPECT_EQ(Cause("ST_Nothing(varchar, 'POINT (1 1)', 1.5)"),
            "function st_nothing(varChar, varChar, double) not found.");
  EXPECT_EQ(Cause("match_some(array[0], pk > 1)"), "function match_some(int64_t, bool) not found.");
  EXPECT_EQ(Cause("nothing(pk > 'a')"), "comparisons between Int64 and VarChar are not supported");
}

TEST(Filter, ReservesFunctionNamesOnlyForCalls) {
  EXPECT_EQ(Tree("threshold == 1"), "($meta/threshold == 1)");
  EXPECT_EQ(Tree("1 < match_all < 3"), "(1 < $meta/match_all < 3)");
  EXPECT_EQ(Tree("interval['a'] is not null"), "(exists $meta/interval/a)");
  EXPECT_EQ(Cause("threshold = 2"), "'threshold' is not supported here: threshold=2");
}

TEST(Filter, FillsTemplates) {
  Templates templates;
  templates.values["n"] = Value{int64_t{5}};
  templates.values["s"] = Value{std::string("x%")};
  templates.values["list"] = Value{std::vector<Value>{Value{int64_t{2}}, Value{int64_t{1}}}};
  EXPECT_EQ(Tree("pk > {n}", templates), "(pk > 5)");
  EXPECT_EQ(Tree("pk in {list}", templates), "(pk in 1 2)");
  EXPECT_EQ(Tree("varchar like {s}", templates), "(varchar like x%)");
  EXPECT_EQ(Tree("pk % {n} == 0", templates), "(pk % 5 == 0)");
  EXPECT_EQ(Tree("1 < pk < {n}", templates), "(1 < pk < 5)");
  EXPECT_EQ(Cause("pk > {missing}", templates),
            "the value of expression template variable name {missing} is not found");
  EXPECT_EQ(Cause("pk in {n}", templates),
            "the value of term expression template variable {n} is not array");
  EXPECT_EQ(Cause("1 == {n}", templates),
            "placeholder was not supported between two constants with operator: Equal");
}

TEST(Filter, SaysWhereTheSyntaxBreaks) {
  EXPECT_EQ(Cause("int64 inn [1, 2]"), "invalid expression: int64 inn [1, 2]");
  EXPECT_EQ(Cause("pk == "), "line 1:6 mismatched input '<EOF>' expecting an expression");
  EXPECT_EQ(Cause("pk ==\n # 1"), "line 2:1 token recognition error at: '#'");
  EXPECT_EQ(Cause("(pk == 1"), "line 1:8 missing ')' at '<EOF>'");
  EXPECT_EQ(Cause("pk == 'a\\d'"), "invalid syntax: 'a\\d'");
  EXPECT_EQ(Cause("pk == 9223372036854775808"),
            "strconv.ParseInt: parsing \"9223372036854775808\": value out of range");
}

TEST(Filter, WantsDigitsAfterAnOption) {
  auto broken = [](std::string_view value) {
    return Cause(fmt::format("match_least(s, $[a] > 1, threshold={})", value));
  };
  EXPECT_EQ(broken("-1"), "line 1:35 extraneous input '-' expecting IntegerConstant");
  EXPECT_EQ(broken("1.5"), "line 1:35 mismatched input '1.5' expecting IntegerConstant");
  EXPECT_EQ(broken("{n}"), "line 1:35 mismatched input '{' expecting IntegerConstant");
  EXPECT_EQ(broken(""), "line 1:35 missing IntegerConstant at ')'");
}

TEST(Filter, MeasuresNothingButNames) {
  constexpr std::string_view kWanted =
      "line 1:13 mismatched input '{}' expecting {{Identifier, JSONIdentifier, "
      "StructFieldIdentifier}}";
  EXPECT_EQ(Cause("array_length(s[0][m]) == 1"), fmt::format(kWanted, "s[0][m]"));
  EXPECT_EQ(Cause("array_length($[m]) == 1"), fmt::format(kWanted, "$[m]"));
  EXPECT_EQ(Cause("array_length([1, 2]) == 2"), fmt::format(kWanted, "["));
  EXPECT_EQ(Cause("array_length() == 0"), fmt::format(kWanted, ")"));
}

TEST(Filter, MatchesTextOnlyWhereAFieldEnablesIt) {
  EXPECT_EQ(Cause("text_match(varchar, 'a')"), "field \"varchar\" does not enable match");
  EXPECT_EQ(Cause("PHRASE_MATCH(text, 'a b', 1)"), "field \"text\" does not enable match");
  EXPECT_EQ(Cause("text_match(pk, 'a')"), "text match operation on non-string is unsupported");
  EXPECT_EQ(Cause("phrase_match(json['a'], 'b')"),
            "phrase match operation on non-string is unsupported");
  model::CollectionSchema schema = TestSchema();
  for (model::FieldSchema& field : schema.fields) {
    if (field.name == "varchar") field.type_params.emplace_back("enable_match", "True");
  }
  auto bound = ParseFilter("text_match(varchar, 'a')", schema, {});
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message().find("function text_match is not supported yet"),
            std::string::npos);
}

TEST(Filter, DecodesEscapes) {
  EXPECT_EQ(Tree(R"(varchar == "\x41\101\u4e2d\t")"), "(varchar == \"AA\xE4\xB8\xAD\t\")");
  EXPECT_EQ(Tree("varchar == '\xE4\xB8\xAD'"), "(varchar == \"\xE4\xB8\xAD\")");
  EXPECT_EQ(Tree(R"(json["\u4e2d"] == 1)"), "(json/\xE4\xB8\xAD == 1)");
  EXPECT_EQ(Tree(R"(varchar == r"a\d")"), "(varchar == \"a\\d\")");
  EXPECT_EQ(Cause("varchar == u8'a'"), "invalid syntax: u8'a'");
}

TEST(Filter, TakesLongChainsAndRefusesDeepNests) {
  std::string chain = "pk == 0";
  for (int i = 1; i < 20000; ++i) chain += fmt::format(" or int64 > {}", i);
  Result<BoundFilter> filter = Parse(chain);
  ASSERT_TRUE(filter) << filter.error().message();
  const std::string bytes = EncodeBytes(*filter);
  EXPECT_TRUE(DecodeBytes<BoundFilter>(bytes, "filter"));
  for (const size_t deep : {200, 1000, 100'000}) {
    const std::string open(deep, '(');
    const std::string close(deep, ')');
    EXPECT_EQ(Tree(open + "pk == 1" + close), "(pk == 1)") << deep;
    EXPECT_EQ(Tree(open + "pk" + close + " == 1"), "(pk == 1)") << deep;
    EXPECT_FALSE(Parse(open + "pk == 1" + close.substr(1))) << deep;
    EXPECT_FALSE(Parse(open + "pk == 1" + close + ')')) << deep;
  }
  std::string nested_left = "int64 > 0";
  std::string flat = nested_left;
  for (int i = 1; i < 5000; ++i) {
    nested_left = fmt::format("({} or int64 > {})", nested_left, i);
    flat += fmt::format(" or int64 > {}", i);
  }
  EXPECT_EQ(Tree(nested_left), Tree(flat));
  for (std::string_view opening : {"(", "not ", "-", "[", "~", "exists "}) {
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += opening;
    EXPECT_FALSE(Parse(deep + "1"));
  }
  std::string nest = "pk == 1";
  for (int i = 0; i < 120; ++i) {
    nest = fmt::format("pk == 1 {} ({})", i % 2 == 0 ? "and" : "or", nest);
    Result<BoundFilter> nested = Parse(nest);
    ASSERT_TRUE(nested.has_value() || i >= 90);
    if (!nested) continue;
    ASSERT_TRUE(DecodeBytes<BoundFilter>(EncodeBytes(*nested), "filter").has_value()) << i;
  }
  EXPECT_FALSE(Parse(nest));
}

TEST(Filter, SurvivesItsByteFormAndRefusesDamage) {
  const char* text =
      "(pk in [1,2] or not (varchar like 'a%') and json['a'] in [1,'x',true,[1]]) and 1<float<2 "
      "and int64 % 2 == 1 and int8 < int64 and exists color and json_contains(json['b'],[1,'y'])";
  Result<BoundFilter> filter = Parse(text);
  ASSERT_TRUE(filter) << filter.error().message();
  EXPECT_EQ(filter->schema_version, 7u);
  const std::string bytes = EncodeBytes(*filter);
  Result<BoundFilter> back = DecodeBytes<BoundFilter>(bytes, "filter");
  ASSERT_TRUE(back);
  EXPECT_EQ(Show(*back->root), Show(*filter->root));
  for (size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(DecodeBytes<BoundFilter>(bytes.substr(0, n), "filter"));
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[n] = static_cast<char>(damaged[n] ^ (1 << bit));
      (void)DecodeBytes<BoundFilter>(damaged, "filter");
    }
  }
}

TEST(Filter, FindsTheKeysOfASimpleFilter) {
  const model::CollectionSchema schema = TestSchema();
  auto keys = [&](std::string_view text) { return PrimaryKeysOf(*Parse(text), schema); };
  EXPECT_EQ(keys("pk in [3,1,1]")->ints, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(keys("pk == 5")->ints, (std::vector<int64_t>{5}));
  EXPECT_EQ(keys("5 == pk")->ints, (std::vector<int64_t>{5}));
  EXPECT_TRUE(keys("pk in []")->empty());
  EXPECT_FALSE(keys("pk > 5"));
  EXPECT_FALSE(keys("pk not in [5]"));
  EXPECT_FALSE(keys("pk == 5 and int8 == 1"));
  EXPECT_FALSE(keys("int64 in [1]"));
  EXPECT_FALSE(keys(""));
}

TEST(Filter, FindsWhereAnIteratorStarts) {
  const model::CollectionSchema schema = TestSchema();
  auto bound = [&](std::string_view text) { return LowerBoundOf(*Parse(text), schema); };
  EXPECT_EQ(bound("pk > 5")->key, model::PrimaryKey(int64_t{5}));
  EXPECT_TRUE(bound("pk > 5")->strict);
  EXPECT_FALSE(bound("pk >= 5")->strict);
  EXPECT_EQ(bound("pk > 24 and (int8 == 1 or pk > 30)")->key, model::PrimaryKey(int64_t{24}));
  EXPECT_EQ(bound("pk > 24 and (3 <= pk < 40)")->key, model::PrimaryKey(int64_t{24}));
  EXPECT_FALSE(bound("pk < 5"));
  EXPECT_FALSE(bound("pk > 5 or int8 == 1"));
  EXPECT_FALSE(bound(""));
}

TEST(Filter, TakesASampleOfWhatPasses) {
  auto sample = [](std::string_view text) {
    auto filter = Parse(text);
    EXPECT_TRUE(filter.has_value()) << filter.error().message();
    return std::pair(filter->sample, filter->root != nullptr);
  };
  EXPECT_EQ(sample("random_sample(0.25)"), std::pair(0.25, false));
  EXPECT_EQ(sample("pk > 1 and flag == true and random_sample(0.5)"), std::pair(0.5, true));
  EXPECT_EQ(sample("true and random_sample(0.5)"), std::pair(0.5, false));
  EXPECT_EQ(sample("pk > 1"), std::pair(0.0, true));
  EXPECT_FALSE(PrimaryKeysOf(*Parse("pk in [1] and random_sample(0.5)"), TestSchema()).has_value());
  const std::string last =
      "random sample expression can only be the last expression in the logical and expression";
  EXPECT_EQ(Cause("random_sample(0.5) and pk > 1"), last);
  EXPECT_EQ(Cause("(pk > 1 and random_sample(0.5)) and pk < 9"), last);
  EXPECT_EQ(Cause("pk > 1 or random_sample(0.5)"),
            "random sample expression cannot be used in logical and expression");
  EXPECT_EQ(Cause("not (pk > 1 and random_sample(0.5))"),
            "random sample expression cannot be used in unary expression");
  for (const char* factor : {"1", "0", "0.0", "1.0", "-9", "'x'", "pk"}) {
    EXPECT_TRUE(Cause(fmt::format("random_sample({})", factor))
                    .starts_with("the sample factor should be between 0 and 1"));
  }
}

TEST(Filter, SaysWhatIsWrongWithTheRightSideOfIn) {
  EXPECT_EQ(Cause("pk in (int8)"), "value '(int8)' in list cannot be a non-const expression");
  EXPECT_EQ(Cause("pk in not [1, 2]"), "not can only apply on boolean");
  EXPECT_EQ(Cause("pk in 1"), "the right-hand side of 'in' must be a list, but got: 1");
}

TEST(Filter, LooksAtAConstantMinuendOnlyWhenItIsCompared) {
  EXPECT_EQ(Cause("12 - pk"), "predicate is not a boolean expression: 12 - pk, data type: Int64");
}

TEST(ParseColumn, FindsFieldsPathsAndDynamicKeys) {
  auto path = [](std::string_view text) {
    auto column = ParseColumn(text, TestSchema());
    EXPECT_TRUE(column.has_value()) << column.error().message();
    std::string out = std::to_string(column->field.value);
    for (const std::string& step : column->path) out += "/" + step;
    return out;
  };
  const std::string json = std::to_string(TestSchema().FindField("json")->id.value);
  EXPECT_EQ(path("json['a'][0]"), json + "/a/0");
  EXPECT_EQ(path("flag"), std::to_string(TestSchema().FindField("flag")->id.value));
  for (const char* text : {"21", "", "a b", "json['a'] == 1", "'x'"}) {
    EXPECT_EQ(ParseColumn(text, TestSchema()).error().message(),
              fmt::format("cannot parse identifier: {}: invalid parameter", text));
  }
}

}  // namespace
}  // namespace elanus::expr
