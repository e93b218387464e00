// For filter_test.cc and filter_random_test.cc: rows of every type, and the plain slow evaluator
// that the real one must equal: a row at a time, values as variants, JSON by simdjson. Long: a
// function for every form of node.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <simdjson.h>
#include <xxhash.h>
#include "base/bytes.h"
#include "expr/filter.h"
#include "index/scalar/scalar_index.h"
#include "model/array_value.h"
#include "query/filter_like.h"
#include "query/scalar_keys.h"
#include "segment/column_view.h"

namespace elanus::query {

using expr::Value;
using model::DataType;
using Answer = std::optional<bool>;

inline model::CollectionSchema TestSchema() {
  model::CollectionSchema schema{.name = "c", .enable_dynamic_field = true};
  int64_t id = 100;
  auto add = [&](std::string name, DataType type, bool nullable,
                 std::optional<model::Scalar> value = std::nullopt) {
    schema.fields.push_back({.id = FieldId{id++},
                             .name = name,
                             .type = type,
                             .nullable = nullable,
                             .default_value = value});
  };
  add("pk", DataType::kInt64, false);
  schema.fields.back().is_primary = true;
  add("flag", DataType::kBool, true);
  add("i8", DataType::kInt8, true);
  add("i16", DataType::kInt16, false);
  add("i32", DataType::kInt32, true);
  add("i64", DataType::kInt64, true);
  add("f32", DataType::kFloat, true);
  add("f64", DataType::kDouble, false);
  add("s", DataType::kVarChar, true);
  add("t", DataType::kVarChar, false);
  add("j", DataType::kJson, true);
  add("late_int", DataType::kInt32, true, model::Scalar(int64_t{7}));
  add("late_null", DataType::kVarChar, true);
  add("$meta", DataType::kJson, false);
  schema.fields.back().is_dynamic = true;
  return schema;
}

inline const model::CollectionSchema& Schema() {
  static const model::CollectionSchema schema = TestSchema();
  return schema;
}

class Rows final : public segment::RowSource {
 public:
  size_t rows() const override { return count; }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    auto found = columns.find(field);
    if (found == columns.end()) return std::nullopt;
    segment::ColumnView view = segment::ViewOf(found->second);
    if (auto views = growing.find(field); views != growing.end()) {
      view.strings = views->second.data();
      view.offsets = nullptr;
      view.bytes = nullptr;
    }
    return view;
  }
  std::shared_ptr<const index::ScalarIndex> ScalarIndexOn(
      FieldId field, std::span<const std::string> path) const override {
    auto found = indexes.find({field, std::vector<std::string>(path.begin(), path.end())});
    return found == indexes.end() ? nullptr : found->second;
  }
  void Index(const ScalarSpec& spec) {
    auto pieces = BuildScalarFile(*this, spec).value();
    auto bytes = std::make_shared<std::string>();
    for (const index::Buffer& piece : pieces)
      bytes->append(reinterpret_cast<const char*>(piece.data()), piece.size());
    auto aligned =
        std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(*bytes))));
    indexes[{spec.field, spec.path}] = index::ScalarIndex::Open(aligned, aligned->span()).value();
  }
  model::Column& Add(std::string_view name) {
    const model::FieldSchema* field = schema->FindField(name);
    return columns.emplace(field->id, model::MakeColumn(field->id, field->type)).first->second;
  }
  /// Presents the string columns as a growing segment would.
  void UseViews() {
    for (auto& [field, column] : columns) {
      if (column.IsFixed()) continue;
      for (size_t r = 0; r < column.rows; ++r) growing[field].push_back(column.StringAt(r));
    }
  }

  const model::CollectionSchema* schema = &Schema();
  size_t count = 0;
  std::map<FieldId, model::Column> columns;
  std::map<FieldId, std::vector<std::string_view>> growing;
  std::map<std::pair<FieldId, std::vector<std::string>>, std::shared_ptr<const index::ScalarIndex>>
      indexes;
};

inline const std::vector<std::string> kWords = {"",
                                                "a",
                                                "ab",
                                                "abc",
                                                "b%",
                                                "a_c",
                                                "zzz",
                                                "\xE4\xB8\xAD"
                                                "a",
                                                "100%",
                                                "a\nb",
                                                "\\",
                                                "apple pie"};
inline const std::vector<std::string> kDocuments = {
    R"({})",
    R"({"a": 1, "b": "x", "c": [1, 2, "x", true]})",
    R"({"a": 1.0, "b": null, "c": [], "d": {"e": [{}, null]}})",
    R"({"a": 9007199254740993, "b": "ab", "d": {"e": 5}})",
    R"({"a": 18446744073709549568, "b": 1e19})",
    R"({"a": 18446744073709551615, "c": [[1, 2], 3.0]})",
    R"({"a": "1", "b": "a\"b\u4e2d", "c": [1, 2]})",
    R"({"a": true, "b": [0], "c": {"0": 7}})",
    R"({"a": -5, "b": 2.5, "c": [{"x": 1}, null, 2]})",
    R"({"a": false, "d": {"e": "deep"}})",
    R"([1, 2, 3])",
    R"(5)",
    R"("ab")",
    R"(null)",
};

template <class T>
void Fill(Rows& rows, std::string_view name, std::mt19937& random, const std::vector<T>& values) {
  model::Column& column = rows.Add(name);
  const bool nullable = Schema().FindField(name)->nullable;
  for (size_t r = 0; r < rows.count; ++r) {
    if (nullable && random() % 5 == 0) {
      column.AppendNull();
    } else if constexpr (std::is_same_v<T, std::string>) {
      column.AppendValue(values[random() % values.size()]);
    } else {
      column.Append(values[random() % values.size()]);
    }
  }
}

inline Rows RandomRows(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  Rows rows;
  rows.count = count;
  model::Column& pk = rows.Add("pk");
  for (size_t r = 0; r < count; ++r) pk.Append(static_cast<int64_t>(r));
  constexpr int64_t kBig = int64_t{1} << 53;
  Fill<uint8_t>(rows, "flag", random, {0, 1});
  Fill<int8_t>(rows, "i8", random, {-128, -1, 0, 1, 2, 3, 127});
  Fill<int16_t>(rows, "i16", random, {-32768, -7, 0, 1, 5, 6, 300, 32767});
  Fill<int32_t>(rows, "i32", random, {INT32_MIN, -5, 0, 1, 2, 7, 1000, INT32_MAX});
  Fill<int64_t>(rows, "i64", random, {INT64_MIN, -1, 0, 1, 2, 3, kBig, kBig + 1, INT64_MAX});
  Fill<float>(rows, "f32", random, {-1.5F, 0.0F, 0.1F, 1.0F, 2.0F, 9007199254740992.0F});
  Fill<double>(rows, "f64", random, {-1.5, -0.0, 0.1, 1, 2, 9007199254740992.0, 1e300});
  Fill<std::string>(rows, "s", random, kWords);
  Fill<std::string>(rows, "t", random, kWords);
  Fill<std::string>(rows, "j", random, kDocuments);
  Fill<std::string>(rows, "$meta", random, kDocuments);
  return rows;
}

// ---- the reference ----

struct Missing {};
using Json = std::variant<Missing, simdjson::dom::element>;

inline bool HoldsPlain(expr::CompareOp op, std::partial_ordering order) {
  switch (op) {
    case expr::CompareOp::kEq: return order == 0;
    case expr::CompareOp::kNe: return order != 0;
    case expr::CompareOp::kLt: return order < 0;
    case expr::CompareOp::kLe: return order <= 0;
    case expr::CompareOp::kGt: return order > 0;
    case expr::CompareOp::kGe: return order >= 0;
  }
  return false;
}

// long double holds every int64, uint64 and double exactly.
inline std::optional<long double> NumberOf(const Value& value) {
  if (const auto* i = std::get_if<int64_t>(&value.data)) return static_cast<long double>(*i);
  if (const auto* d = std::get_if<double>(&value.data)) return static_cast<long double>(*d);
  return std::nullopt;
}
inline std::optional<long double> NumberOf(simdjson::dom::element e) {
  if (e.is_int64()) return static_cast<long double>(int64_t(e));
  if (e.is_uint64()) return static_cast<long double>(uint64_t(e));
  if (e.is_double()) return static_cast<long double>(double(e));
  return std::nullopt;
}

// An array's elements as the JSON that a row at a time reads like a document.
inline std::string ArrayJson(std::string_view bytes) {
  auto print = [](DataType type, std::string_view element) -> std::string {
    auto as = [&](auto value) {
      std::memcpy(&value, element.data(), sizeof(value));
      return value;
    };
    switch (type) {
      case DataType::kBool: return as(uint8_t{}) != 0 ? "true" : "false";
      case DataType::kInt8: return std::to_string(as(int8_t{}));
      case DataType::kInt16: return std::to_string(as(int16_t{}));
      case DataType::kInt32: return std::to_string(as(int32_t{}));
      case DataType::kInt64: return std::to_string(as(int64_t{}));
      case DataType::kFloat: return fmt::format("{:.17e}", static_cast<double>(as(float{})));
      case DataType::kDouble: return fmt::format("{:.17e}", as(double{}));
      default: {
        std::string text = "\"";
        for (char c : element) {
          const auto code = static_cast<unsigned char>(c);
          text += code < 0x20 || c == '"' || c == '\\' ? fmt::format("\\u{:04x}", code)
                                                       : std::string(1, c);
        }
        return text + '"';
      }
    }
  };
  const auto view = model::ArrayView::Open(bytes);
  std::string json = "[";
  for (size_t i = 0; i < view->size(); ++i) {
    if (i != 0) json += ',';
    json += print(view->element_type(), view->At(i));
  }
  return json + "]";
}

inline std::string BytesOf(int64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

/// bloom_match of a value's bytes, a bit at a time.
inline bool PlainBloom(std::string_view blob, int domain, std::string_view value) {
  constexpr uint64_t kSalts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                  0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};
  if ((blob[28] & domain) == 0) return false;
  const uint64_t hash = XXH64(value.data(), value.size(), 0);
  const uint64_t blocks = (blob.size() - 32) / 32;
  const uint64_t block = (hash >> 32) * blocks / (uint64_t{1} << 32);
  for (uint64_t i = 0; i < 8; ++i) {
    const uint64_t bit = (hash % (uint64_t{1} << 32)) * kSalts[i] % (uint64_t{1} << 32) >> 27;
    const auto byte = static_cast<uint8_t>(blob[32 + block * 32 + i * 4 + bit / 8]);
    if ((byte >> (bit % 8) & 1) == 0) return false;
  }
  return true;
}

/// The values of a roaring bitmap without runs and dense containers, which the tests here have.
inline std::set<int64_t> PlainRoaring(std::string_view blob) {
  std::set<int64_t> values;
  ByteReader in(blob.substr(32));
  for (auto highs = in.Fixed<uint64_t>(); highs > 0; --highs) {
    const uint64_t high = in.Fixed<uint32_t>();
    EXPECT_EQ(in.Fixed<uint32_t>(), 12346U);
    std::vector<std::pair<uint64_t, int>> containers(in.Fixed<uint32_t>());
    for (auto& [key, size] : containers) {
      key = in.Fixed<uint16_t>();
      size = in.Fixed<uint16_t>() + 1;
    }
    in.Raw(containers.size() * 4);
    for (const auto& [key, size] : containers) {
      for (int i = 0; i < size; ++i)
        values.insert(static_cast<int64_t>(high << 32 | key << 16 | in.Fixed<uint16_t>()));
    }
  }
  EXPECT_TRUE(in.done());
  return values;
}

class Reference {
 public:
  explicit Reference(const Rows& rows) : rows_(rows) {}

  Answer Eval(const expr::Node& node, size_t row) {
    row_ = row;
    return std::visit([&](const auto& form) { return On(node, form); }, node.form);
  }

 private:
  using Cell = std::variant<std::monostate, bool, int64_t, float, double, std::string>;

  Answer On(const expr::Node&, const expr::Constant& f) { return f.value; }
  Answer On(const expr::Node& node, const expr::And&) {
    Answer all = true;
    for (const expr::Node& child : node.children) {
      const Answer one = Eval(child, row_);
      if (one == false) return false;
      if (!one) all = std::nullopt;
    }
    return all;
  }
  Answer On(const expr::Node& node, const expr::Or&) {
    Answer any = false;
    for (const expr::Node& child : node.children) {
      const Answer one = Eval(child, row_);
      if (one == true) return true;
      if (!one) any = std::nullopt;
    }
    return any;
  }
  Answer On(const expr::Node& node, const expr::Not&) {
    const Answer one = Eval(node.children[0], row_);
    if (!one) return std::nullopt;
    return !*one;
  }
  Answer On(const expr::Node&, const expr::Compare& f) {
    if (IsDocument(f.column.type)) return JsonCompare(f.column, f.op, f.value);
    const auto order = Order(CellOf(f.column), f.value);
    if (!order) return std::nullopt;
    return HoldsPlain(f.op, *order);
  }
  Answer On(const expr::Node&, const expr::Range& f) {
    auto lower = f.lower_inclusive ? expr::CompareOp::kGe : expr::CompareOp::kGt;
    auto upper = f.upper_inclusive ? expr::CompareOp::kLe : expr::CompareOp::kLt;
    const Answer a = On({}, expr::Compare{f.column, lower, f.lower});
    const Answer b = On({}, expr::Compare{f.column, upper, f.upper});
    if (!a || !b) return std::nullopt;
    return *a && *b;
  }
  Answer On(const expr::Node&, const expr::CompareColumns& f) {
    const Cell a = CellOf(f.left);
    const Cell b = CellOf(f.right);
    if (a.index() == 0 || b.index() == 0) return std::nullopt;
    if (const auto* s = std::get_if<std::string>(&a)) {
      return HoldsPlain(f.op, *s <=> std::get<std::string>(b));
    }
    return HoldsPlain(f.op, Wide(a) <=> Wide(b));
  }
  Answer On(const expr::Node&, const expr::In& f) {
    std::vector<Value> values;
    for (int64_t v : f.values.ints) values.push_back(Value{v});
    for (double v : f.values.doubles) values.push_back(Value{v});
    for (const std::string& v : f.values.strings) values.push_back(Value{v});
    if (f.values.has_true) values.push_back(Value{true});
    if (f.values.has_false) values.push_back(Value{false});
    for (const Value& v : f.values.arrays) values.push_back(v);
    if (IsNull(f.column)) return std::nullopt;
    Answer any = values.empty() ? Answer(false) : std::nullopt;
    for (const Value& v : values) {
      const Answer one = On({}, expr::Compare{f.column, expr::CompareOp::kEq, v});
      if (one) any = any.value_or(false) || *one;
    }
    return any;
  }
  Answer On(const expr::Node&, const expr::Like& f) {
    const std::optional<std::string> text = TextOf(f.column);
    if (!text) return std::nullopt;
    return LikeMatcher(f.pattern).Matches(*text);
  }
  Answer On(const expr::Node&, const expr::Regex& f) {
    const std::optional<std::string> text = TextOf(f.column);
    if (!text) return std::nullopt;
    return RE2::PartialMatch(*text, "(?s)" + f.pattern);
  }
  Answer On(const expr::Node&, const expr::ArithmeticCompare& f) {
    const auto* whole = std::get_if<int64_t>(&f.operand.data);
    std::optional<int64_t> i;
    std::optional<double> d;
    bool is_float = false;
    if (IsDocument(f.column.type)) {
      const Json json = JsonAt(f.column);
      const auto* e = std::get_if<simdjson::dom::element>(&json);
      if (e == nullptr) return std::nullopt;
      if (e->is_int64() && whole != nullptr) {
        i = int64_t(*e);
      } else if (auto number = NumberOf(*e)) {
        d = static_cast<double>(*number);
      } else {
        return std::nullopt;
      }
    } else {
      const Cell cell = CellOf(f.column);
      if (cell.index() == 0) return std::nullopt;
      if (const auto* v = std::get_if<int64_t>(&cell)) i = *v;
      if (const auto* v = std::get_if<double>(&cell)) d = *v;
      if (const auto* v = std::get_if<float>(&cell)) {
        d = *v;
        is_float = true;
      }
    }
    if (i) {
      const auto result = static_cast<long double>(Int(f.arithmetic, *i, *whole));
      return HoldsPlain(f.op, result <=> *NumberOf(f.value));
    }
    const auto operand = static_cast<double>(*NumberOf(f.operand));
    if (is_float) {
      const float result =
          Float<float>(f.arithmetic, static_cast<float>(*d), static_cast<float>(operand));
      return HoldsPlain(f.op, result <=> static_cast<float>(*NumberOf(f.value)));
    }
    if (f.arithmetic >= expr::ArithmeticOp::kModulo) return std::nullopt;
    const auto result = static_cast<long double>(Float<double>(f.arithmetic, *d, operand));
    return HoldsPlain(f.op, result <=> *NumberOf(f.value));
  }
  Answer On(const expr::Node&, const expr::IsNull& f) { return IsNull(f.column); }
  Answer On(const expr::Node&, const expr::Exists& f) {
    const Json json = JsonAt(f.column);
    const auto* e = std::get_if<simdjson::dom::element>(&json);
    return e != nullptr && !Empty(*e);
  }
  /// Struct arrays have tests of their own.
  Answer On(const expr::Node&, const expr::MatchElements&) { return std::nullopt; }
  /// So have shapes.
  Answer On(const expr::Node&, const expr::GeometryCompare&) { return std::nullopt; }
  Answer On(const expr::Node&, const expr::BloomMatch& f) {
    const std::string_view blob = f.members->blob();
    if (IsDocument(f.column.type)) {
      const Json json = JsonAt(f.column);
      const auto* e = std::get_if<simdjson::dom::element>(&json);
      if (e == nullptr) return std::nullopt;
      if (e->is_string()) return PlainBloom(blob, 2, std::string_view(*e));
      if (e->is_int64()) return PlainBloom(blob, 1, BytesOf(int64_t(*e)));
      return e->is_number() ? Answer(false) : std::nullopt;
    }
    const Cell cell = CellOf(f.column);
    if (const auto* text = std::get_if<std::string>(&cell)) return PlainBloom(blob, 2, *text);
    if (const auto* whole = std::get_if<int64_t>(&cell))
      return PlainBloom(blob, 1, BytesOf(*whole));
    return std::nullopt;
  }
  Answer On(const expr::Node&, const expr::RoaringMatch& f) {
    const Cell cell = CellOf(f.column);
    const auto* whole = std::get_if<int64_t>(&cell);
    if (whole == nullptr) return std::nullopt;
    return PlainRoaring(f.members->blob()).contains(*whole);
  }
  Answer On(const expr::Node&, const expr::TimeCompare& f) {
    const Cell cell = CellOf(f.column);
    const auto* time = std::get_if<int64_t>(&cell);
    if (time == nullptr) return std::nullopt;
    return HoldsPlain(f.op, model::AddInterval(*time, f.interval, f.sign) <=> f.value);
  }
  Answer On(const expr::Node&, const expr::Contains& f) {
    if (f.values.empty()) return IsNull(f.column) ? Answer() : Answer(f.all);
    const Json json = JsonAt(f.column);
    const auto* e = std::get_if<simdjson::dom::element>(&json);
    if (e == nullptr || !e->is_array()) return std::nullopt;
    size_t found = 0;
    for (const Value& v : f.values) {
      bool here = false;
      for (auto element : simdjson::dom::array(*e)) here = here || Equal(element, v) == true;
      found += here ? 1 : 0;
    }
    return f.all ? found == f.values.size() : found != 0;
  }
  Answer On(const expr::Node&, const expr::LengthCompare& f) {
    const Json json = JsonAt(f.column);
    const auto* e = std::get_if<simdjson::dom::element>(&json);
    if (e == nullptr || !e->is_array()) return std::nullopt;
    return HoldsPlain(f.op, static_cast<int64_t>(simdjson::dom::array(*e).size()) <=> f.value);
  }

  static int64_t Int(expr::ArithmeticOp op, int64_t a, int64_t b) {
    const auto wide_a = static_cast<__int128>(a);
    const auto wide_b = static_cast<__int128>(b);
    switch (op) {
      case expr::ArithmeticOp::kAdd: return static_cast<int64_t>(wide_a + wide_b);
      case expr::ArithmeticOp::kSubtract: return static_cast<int64_t>(wide_a - wide_b);
      case expr::ArithmeticOp::kMultiply: return static_cast<int64_t>(wide_a * wide_b);
      case expr::ArithmeticOp::kDivide: return static_cast<int64_t>(wide_a / wide_b);
      case expr::ArithmeticOp::kModulo: return static_cast<int64_t>(wide_a % wide_b);
      case expr::ArithmeticOp::kBitAnd: return a & b;
      case expr::ArithmeticOp::kBitOr: return a | b;
      case expr::ArithmeticOp::kBitXor: return a ^ b;
      case expr::ArithmeticOp::kShiftLeft: return static_cast<int64_t>(wide_a << b);
      case expr::ArithmeticOp::kShiftRight: return a >> b;
    }
    return 0;
  }
  template <class T>
  static T Float(expr::ArithmeticOp op, T a, T b) {
    switch (op) {
      case expr::ArithmeticOp::kAdd: return a + b;
      case expr::ArithmeticOp::kSubtract: return a - b;
      case expr::ArithmeticOp::kMultiply: return a * b;
      default: return a / b;
    }
  }

  static bool Empty(simdjson::dom::element e) {
    if (e.is_null()) return true;
    if (e.is_array()) {
      for (auto x : simdjson::dom::array(e)) {
        if (!Empty(x)) return false;
      }
      return true;
    }
    if (!e.is_object()) return false;
    for (auto x : simdjson::dom::object(e)) {
      if (!Empty(x.value)) return false;
    }
    return true;
  }

  static bool IsDocument(DataType type) {
    return type == DataType::kJson || type == DataType::kArray;
  }
  const model::FieldSchema& Field(const expr::ColumnRef& ref) {
    return *rows_.schema->FindField(ref.field);
  }
  bool IsNull(const expr::ColumnRef& ref) {
    auto found = rows_.columns.find(ref.field);
    if (found != rows_.columns.end()) return found->second.IsNull(row_);
    return !Field(ref).is_dynamic && !Field(ref).default_value;
  }
  Cell CellOf(const expr::ColumnRef& ref) {
    auto found = rows_.columns.find(ref.field);
    if (found == rows_.columns.end()) {
      const auto& value = Field(ref).default_value;
      return value ? DefaultCell(*value, Field(ref).type) : Cell();
    }
    const model::Column& column = found->second;
    if (column.IsNull(row_)) return {};
    switch (column.type) {
      case DataType::kBool: return column.Values<uint8_t>()[row_] != 0;
      case DataType::kInt8: return int64_t{column.Values<int8_t>()[row_]};
      case DataType::kInt16: return int64_t{column.Values<int16_t>()[row_]};
      case DataType::kInt32: return int64_t{column.Values<int32_t>()[row_]};
      case DataType::kInt64:
      case DataType::kTimestamptz: return column.Values<int64_t>()[row_];
      case DataType::kFloat: return column.Values<float>()[row_];
      case DataType::kDouble: return column.Values<double>()[row_];
      default: return std::string(column.StringAt(row_));
    }
  }
  static Cell DefaultCell(const model::Scalar& value, DataType type) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* flag = std::get_if<bool>(&value)) return *flag;
    const auto* whole = std::get_if<int64_t>(&value);
    if (type == DataType::kFloat) {
      return whole ? static_cast<float>(*whole) : static_cast<float>(std::get<double>(value));
    }
    if (type == DataType::kDouble) {
      return whole ? static_cast<double>(*whole) : std::get<double>(value);
    }
    return *whole;
  }
  static long double Wide(const Cell& cell) {
    if (const auto* b = std::get_if<bool>(&cell)) return *b ? 1 : 0;
    if (const auto* i = std::get_if<int64_t>(&cell)) return static_cast<long double>(*i);
    if (const auto* f = std::get_if<float>(&cell)) return *f;
    return std::get<double>(cell);
  }
  static std::optional<std::partial_ordering> Order(const Cell& cell, const Value& value) {
    if (cell.index() == 0) return std::nullopt;
    if (const auto* s = std::get_if<std::string>(&cell)) {
      return *s <=> std::get<std::string>(value.data);
    }
    if (const auto* f = std::get_if<float>(&cell)) {
      return *f <=> static_cast<float>(*NumberOf(value));
    }
    if (const auto* b = std::get_if<bool>(&cell)) return *b <=> std::get<bool>(value.data);
    return Wide(cell) <=> *NumberOf(value);
  }

  Json JsonAt(const expr::ColumnRef& ref) {
    if (IsNull(ref)) return Missing{};
    auto found = rows_.columns.find(ref.field);
    std::string_view text = found == rows_.columns.end() ? "{}" : found->second.StringAt(row_);
    std::string array;
    if (ref.type == DataType::kArray) text = array = ArrayJson(text);
    simdjson::dom::element root;
    if (parser_.parse(simdjson::padded_string(text)).get(root)) return Missing{};
    std::string pointer;
    for (const std::string& step : ref.path) {
      pointer += '/';
      for (char c : step) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    if (pointer.empty()) return root;
    simdjson::dom::element at;
    if (root.at_pointer(pointer).get(at)) return Missing{};
    return at;
  }
  std::optional<std::string> TextOf(const expr::ColumnRef& ref) {
    if (!IsDocument(ref.type)) {
      const Cell cell = CellOf(ref);
      if (cell.index() == 0) return std::nullopt;
      return std::get<std::string>(cell);
    }
    const Json json = JsonAt(ref);
    const auto* e = std::get_if<simdjson::dom::element>(&json);
    if (e == nullptr || !e->is_string()) return std::nullopt;
    return std::string(std::string_view(*e));
  }

  // nothing: other types.
  Answer Equal(simdjson::dom::element e, const Value& v) {
    if (const auto* s = std::get_if<std::string>(&v.data)) {
      if (!e.is_string()) return std::nullopt;
      return std::string_view(e) == *s;
    }
    if (const auto* b = std::get_if<bool>(&v.data)) {
      if (!e.is_bool()) return std::nullopt;
      return bool(e) == *b;
    }
    if (const auto* list = std::get_if<std::vector<Value>>(&v.data)) {
      if (!e.is_array()) return std::nullopt;
      size_t i = 0;
      for (auto x : simdjson::dom::array(e)) {
        if (i >= list->size() || Equal(x, (*list)[i]) != true) return false;
        ++i;
      }
      return i == list->size();
    }
    const auto number = NumberOf(e);
    if (!number) return std::nullopt;
    return *number == *NumberOf(v);
  }
  Answer JsonCompare(const expr::ColumnRef& ref, expr::CompareOp op, const Value& v) {
    const Json json = JsonAt(ref);
    const auto* e = std::get_if<simdjson::dom::element>(&json);
    if (e == nullptr) return std::nullopt;
    if (op == expr::CompareOp::kEq) return Equal(*e, v);
    if (op == expr::CompareOp::kNe) {
      const Answer equal = Equal(*e, v);
      if (!equal) return std::nullopt;
      return !*equal;
    }
    if (const auto* s = std::get_if<std::string>(&v.data)) {
      if (!e->is_string()) return std::nullopt;
      return HoldsPlain(op, std::string_view(*e) <=> std::string_view(*s));
    }
    if (const auto* b = std::get_if<bool>(&v.data)) {
      if (!e->is_bool()) return std::nullopt;
      return HoldsPlain(op, bool(*e) <=> *b);
    }
    const auto number = NumberOf(*e);
    if (!number) return std::nullopt;
    return HoldsPlain(op, *number <=> *NumberOf(v));
  }

  const Rows& rows_;
  size_t row_ = 0;
  simdjson::dom::parser parser_;
};

}  // namespace elanus::query
