// Operators on JSON and ARRAY columns: each wanted row is searched for the node's path. A missing
// path or position, a JSON null and a value of another type are unknown, never false.
#include <algorithm>
#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "expr/number.h"
#include "expr/regex.h"
#include "query/filter_array.h"
#include "query/filter_json_text.h"
#include "query/filter_like.h"
#include "query/filter_operator.h"

namespace elanus::query {
namespace {

using expr::ArithmeticOp;
using expr::CompareOp;
using expr::Value;

/// A predicate's answer for one row: nothing is unknown.
using Answer = std::optional<bool>;

// Exact order of a JSON number and a literal.
std::partial_ordering CompareNumber(const JsonValue& json, int64_t literal) {
  if (json.kind == JsonKind::kInt) return json.number <=> literal;
  if (json.kind == JsonKind::kUnsigned) return std::partial_ordering::greater;
  return 0 <=> expr::CompareExact(literal, json.fraction);
}
std::partial_ordering CompareNumber(const JsonValue& json, double literal) {
  if (json.kind == JsonKind::kInt) return expr::CompareExact(json.number, literal);
  if (json.kind == JsonKind::kDouble) return json.fraction <=> literal;
  // From 2^63 on every double is whole.
  if (!(literal < 18446744073709551616.0)) return std::partial_ordering::less;
  if (literal < 9223372036854775808.0) return std::partial_ordering::greater;
  return static_cast<uint64_t>(json.number) <=> static_cast<uint64_t>(literal);
}

// Whether a JSON value and a literal are of one type and equal; arrays element by element.
bool Equals(const JsonValue& json, const Value& literal) {
  if (const auto* flag = std::get_if<bool>(&literal.data)) {
    return json.kind == (*flag ? JsonKind::kTrue : JsonKind::kFalse);
  }
  if (const auto* whole = std::get_if<int64_t>(&literal.data)) {
    return json.IsNumber() && CompareNumber(json, *whole) == 0;
  }
  if (const auto* fraction = std::get_if<double>(&literal.data)) {
    return json.IsNumber() && CompareNumber(json, *fraction) == 0;
  }
  if (const auto* text = std::get_if<std::string>(&literal.data)) {
    if (json.kind != JsonKind::kString) return false;
    std::string buffer;
    return Unescaped(json, buffer) == *text;
  }
  if (json.kind != JsonKind::kArray) return false;
  const auto& elements = std::get<std::vector<Value>>(literal.data);
  size_t count = 0;
  bool equal = true;
  const bool whole = ForEachElement(json, [&](const JsonValue& element) {
    equal = count < elements.size() && Equals(element, elements[count]);
    ++count;
    return equal;
  });
  return whole && equal && count == elements.size();
}

// One answer a row from a test of (value at the path).
template <class Test>
class JsonOperator final : public FilterOperator {
 public:
  JsonOperator(BoundColumn column, std::vector<std::string> path, Test test)
      : FilterOperator(column.view.type == model::DataType::kArray ? 20 : 100),
        is_array_(column.view.type == model::DataType::kArray),
        column_(std::move(column)),
        path_(std::move(path)),
        test_(std::move(test)) {}
  void Run(const Block& block) override {
    Clear(block);
    const size_t base = column_.Base(block);
    ForEachWanted(block, [&](size_t i) {
      if (column_.view.IsNull(base + i)) return SetBit(block.is_unknown, i);
      const std::string_view bytes = column_.view.StringAt(base + i);
      const Answer answer = test_(is_array_ ? FindInArray(bytes, path_) : FindJson(bytes, path_));
      if (!answer) {
        SetBit(block.is_unknown, i);
      } else if (*answer) {
        SetBit(block.is_true, i);
      }
    });
  }

 private:
  bool is_array_;
  BoundColumn column_;
  std::vector<std::string> path_;
  Test test_;
};

// exists: a null row has nothing, and that is known.
class JsonExistsOperator final : public FilterOperator {
 public:
  JsonExistsOperator(BoundColumn column, std::vector<std::string> path)
      : FilterOperator(90), column_(std::move(column)), path_(std::move(path)) {}
  void Run(const Block& block) override {
    Clear(block);
    const size_t base = column_.Base(block);
    ForEachWanted(block, [&](size_t i) {
      if (column_.view.IsNull(base + i)) return;
      if (!IsEmptyJson(FindJson(column_.view.StringAt(base + i), path_))) SetBit(block.is_true, i);
    });
  }

 private:
  BoundColumn column_;
  std::vector<std::string> path_;
};

template <class Test>
Result<Operator> Make(BoundColumn column, const std::vector<std::string>& path, Test test) {
  return std::make_unique<JsonOperator<Test>>(std::move(column), path, std::move(test));
}

// The order of a JSON value and a scalar literal; nothing when their types differ.
std::optional<std::partial_ordering> Order(const JsonValue& json, const Value& literal,
                                           std::string& buffer) {
  if (const auto* whole = std::get_if<int64_t>(&literal.data)) {
    if (json.IsNumber()) return CompareNumber(json, *whole);
  } else if (const auto* fraction = std::get_if<double>(&literal.data)) {
    if (json.IsNumber()) return CompareNumber(json, *fraction);
  } else if (const auto* text = std::get_if<std::string>(&literal.data)) {
    if (json.kind == JsonKind::kString) return Unescaped(json, buffer) <=> std::string_view(*text);
  } else if (const auto* flag = std::get_if<bool>(&literal.data)) {
    if (json.kind == JsonKind::kTrue) return true <=> *flag;
    if (json.kind == JsonKind::kFalse) return false <=> *flag;
  }
  return std::nullopt;
}

struct Maker {
  BoundColumn column;

  Result<Operator> operator()(const expr::Compare& form) {
    if (std::holds_alternative<std::vector<Value>>(form.value.data)) {
      if (form.op != CompareOp::kEq && form.op != CompareOp::kNe) return Unfit("order of arrays");
      return Make(
          std::move(column), form.column.path,
          [value = form.value, equal = form.op == CompareOp::kEq](const JsonValue& json) -> Answer {
            if (json.kind != JsonKind::kArray) return std::nullopt;
            return Equals(json, value) == equal;
          });
    }
    return Make(std::move(column), form.column.path,
                [value = form.value, op = form.op,
                 buffer = std::string()](const JsonValue& json) mutable -> Answer {
                  const auto order = Order(json, value, buffer);
                  if (!order) return std::nullopt;
                  return Holds(op, *order);
                });
  }

  Result<Operator> operator()(const expr::Range& form) {
    return Make(std::move(column), form.column.path,
                [form, buffer = std::string()](const JsonValue& json) mutable -> Answer {
                  const auto from = Order(json, form.lower, buffer);
                  const auto to = Order(json, form.upper, buffer);
                  if (!from || !to) return std::nullopt;
                  return (form.lower_inclusive ? *from >= 0 : *from > 0) &&
                         (form.upper_inclusive ? *to <= 0 : *to < 0);
                });
  }

  Result<Operator> operator()(const expr::In& form) {
    if (form.values.empty()) return MakeConstantOver(std::move(column), false);
    return Make(std::move(column), form.column.path,
                [set = form.values, buffer = std::string()](const JsonValue& json) mutable {
                  return IsIn(set, json, buffer);
                });
  }

  // A value of a type that the list does not have is unknown.
  static Answer IsIn(const expr::ValueSet& set, const JsonValue& json, std::string& buffer) {
    switch (json.kind) {
      case JsonKind::kTrue:
      case JsonKind::kFalse:
        if (!set.has_true && !set.has_false) return std::nullopt;
        return json.kind == JsonKind::kTrue ? set.has_true : set.has_false;
      case JsonKind::kString:
        if (set.strings.empty()) return std::nullopt;
        return std::ranges::binary_search(set.strings, Unescaped(json, buffer));
      case JsonKind::kInt:
      case JsonKind::kUnsigned:
      case JsonKind::kDouble: return IsNumberIn(set, json);
      case JsonKind::kArray:
        if (set.arrays.empty()) return std::nullopt;
        return std::ranges::any_of(set.arrays,
                                   [&](const Value& value) { return Equals(json, value); });
      default: return std::nullopt;
    }
  }
  static Answer IsNumberIn(const expr::ValueSet& set, const JsonValue& json) {
    if (set.ints.empty() && set.doubles.empty()) return std::nullopt;
    auto contains = [&](const auto& values) {
      auto at = std::ranges::partition_point(
          values, [&](auto value) { return CompareNumber(json, value) > 0; });
      return at != values.end() && CompareNumber(json, *at) == 0;
    };
    return contains(set.ints) || contains(set.doubles);
  }

  Result<Operator> operator()(const expr::Like& form) {
    return Make(std::move(column), form.column.path,
                [matcher = LikeMatcher(form.pattern),
                 buffer = std::string()](const JsonValue& json) mutable -> Answer {
                  if (json.kind != JsonKind::kString) return std::nullopt;
                  return matcher.Matches(Unescaped(json, buffer));
                });
  }

  Result<Operator> operator()(const expr::Regex& form) {
    const auto regex = expr::CompileRegex(form.pattern);
    if (!regex->ok()) return Unfit("a regular expression");
    return Make(std::move(column), form.column.path,
                [regex, buffer = std::string()](const JsonValue& json) mutable -> Answer {
                  if (json.kind != JsonKind::kString) return std::nullopt;
                  const std::string_view text = Unescaped(json, buffer);
                  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
                });
  }

  Result<Operator> operator()(const expr::ArithmeticCompare& form) {
    if (form.arithmetic > ArithmeticOp::kShiftRight || form.op > CompareOp::kGe) {
      return Unfit("an operator");
    }
    const bool divides =
        form.arithmetic == ArithmeticOp::kDivide || form.arithmetic == ArithmeticOp::kModulo;
    if (!IsNumber(form.operand) || !IsNumber(form.value)) return Unfit("a literal");
    if (divides && form.operand == Value{int64_t{0}}) return Unfit("a zero divisor");
    return Make(std::move(column), form.column.path,
                [form](const JsonValue& json) { return Compute(form, json); });
  }
  static bool IsNumber(const Value& value) {
    return std::holds_alternative<int64_t>(value.data) ||
           std::holds_alternative<double>(value.data);
  }
  static double AsDouble(const Value& value) {
    const auto* whole = std::get_if<int64_t>(&value.data);
    return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value.data);
  }
  // int64 arithmetic when both sides are int64, else double; integers only for % and bits.
  static Answer Compute(const expr::ArithmeticCompare& form, const JsonValue& json) {
    if (!json.IsNumber()) return std::nullopt;
    const auto* operand = std::get_if<int64_t>(&form.operand.data);
    JsonValue result;
    if (operand != nullptr && json.kind == JsonKind::kInt) {
      result.kind = JsonKind::kInt;
      result.number = expr::ApplyInt(form.arithmetic, json.number, *operand);
    } else {
      if (form.arithmetic >= ArithmeticOp::kModulo) return std::nullopt;
      const double number = json.kind == JsonKind::kDouble ? json.fraction
                            : json.kind == JsonKind::kInt
                                ? static_cast<double>(json.number)
                                : static_cast<double>(static_cast<uint64_t>(json.number));
      result.kind = JsonKind::kDouble;
      result.fraction = expr::ApplyFloat(form.arithmetic, number, AsDouble(form.operand));
    }
    if (const auto* whole = std::get_if<int64_t>(&form.value.data)) {
      return Holds(form.op, CompareNumber(result, *whole));
    }
    return Holds(form.op, CompareNumber(result, std::get<double>(form.value.data)));
  }

  Result<Operator> operator()(const expr::Exists& form) {
    if (column.view.type != model::DataType::kJson) return Unfit("exists on an array");
    return std::make_unique<JsonExistsOperator>(std::move(column), form.column.path);
  }

  Result<Operator> operator()(const expr::Contains& form) {
    if (form.values.empty()) return MakeConstantOver(std::move(column), form.all);
    return Make(std::move(column), form.column.path,
                [values = form.values, all = form.all](const JsonValue& json) -> Answer {
                  if (json.kind != JsonKind::kArray) return std::nullopt;
                  return all ? HasAll(json, values) : HasAny(json, values);
                });
  }
  static bool HasAny(const JsonValue& array, const std::vector<Value>& values) {
    bool found = false;
    ForEachElement(array, [&](const JsonValue& element) {
      found = std::ranges::any_of(values, [&](const Value& v) { return Equals(element, v); });
      return !found;
    });
    return found;
  }
  static bool HasAll(const JsonValue& array, const std::vector<Value>& values) {
    std::vector<bool> seen(values.size());
    size_t missing = values.size();
    ForEachElement(array, [&](const JsonValue& element) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (seen[i] || !Equals(element, values[i])) continue;
        seen[i] = true;
        --missing;
      }
      return missing != 0;
    });
    return missing == 0;
  }

  Result<Operator> operator()(const expr::LengthCompare& form) {
    if (form.op > CompareOp::kGe) return Unfit("an operator");
    return Make(std::move(column), form.column.path, [form](const JsonValue& json) -> Answer {
      if (json.kind != JsonKind::kArray) return std::nullopt;
      int64_t length = 0;
      const bool whole = ForEachElement(json, [&](const JsonValue&) {
        ++length;
        return true;
      });
      if (!whole) return std::nullopt;
      return Holds(form.op, length <=> form.value);
    });
  }

  // Only values stored as whole numbers or strings can be members; other numbers are none.
  Result<Operator> operator()(const expr::BloomMatch& form) {
    if (column.view.type != model::DataType::kJson) return Unfit("a set beside an array");
    if (form.members == nullptr || !form.members->ok()) return Unfit("a set from a client");
    return Make(
        std::move(column), form.column.path,
        [set = form.members, buffer = std::string()](const JsonValue& json) mutable -> Answer {
          if (json.kind == JsonKind::kString) return set->Has(Unescaped(json, buffer));
          if (json.kind == JsonKind::kInt) return set->Has(json.number);
          return json.IsNumber() ? Answer(false) : std::nullopt;
        });
  }

  template <class Form>
  Result<Operator> operator()(const Form&) {
    return Unfit("a JSON column");
  }
};

}  // namespace

Result<Operator> MakeJson(BoundColumn column, const expr::Node& node) {
  return std::visit(Maker{std::move(column)}, node.form);
}

}  // namespace elanus::query
