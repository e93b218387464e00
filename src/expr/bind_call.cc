// Arithmetic on a column, pattern matching and function calls.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include "base/letter_case.h"
#include "expr/binder.h"
#include "expr/fold.h"
#include "expr/literal.h"
#include "expr/regex.h"

namespace elanus::expr {

using model::DataType;
using model::DataTypeName;

namespace {

bool IsBitwise(ArithmeticOp op) { return op >= ArithmeticOp::kBitAnd; }
bool IsShift(ArithmeticOp op) { return op >= ArithmeticOp::kShiftLeft; }
bool IsDivision(ArithmeticOp op) {
  return op == ArithmeticOp::kDivide || op == ArithmeticOp::kModulo;
}

std::unexpected<Status> NoArithmetic(DataType field, const Value& operand) {
  return BindError(fmt::format("cannot perform arithmetic between {} field and {}",
                               DataTypeName(field), DataTypeName(TypeOf(operand))));
}

// Whether `column op operand` is computable, whatever side the operand was on.
Status CheckArithmetic(ArithmeticOp op, DataType type, const Value& operand) {
  const bool is_json = type == DataType::kJson;
  const bool is_whole = std::holds_alternative<int64_t>(operand.data);
  if (!is_json && !model::IsNumeric(type)) return NoArithmetic(type, operand).error();
  if (!model::IsNumeric(TypeOf(operand))) return NoArithmetic(type, operand).error();
  if (model::IsFloating(type)) {
    if (op == ArithmeticOp::kModulo) {
      return BindError("modulo can only apply on integer types").error();
    }
    if (IsBitwise(op)) {
      return BindError("bitwise operations can only apply on integer types").error();
    }
  } else if (!is_whole) {
    if (is_json && op == ArithmeticOp::kModulo) {
      return BindError("modulo can only apply on integer types").error();
    }
    if (is_json && IsBitwise(op)) {
      return BindError("bitwise operations can only apply on integer types").error();
    }
    if (!is_json) {
      return BindError(fmt::format("'{}' cannot perform arithmetic between {} field and Double",
                                   ArithmeticName(op), DataTypeName(type)))
          .error();
    }
  }
  const bool is_zero = operand == Value{int64_t{0}} || operand == Value{0.0};
  if (IsDivision(op) && is_zero) return BindError("division or modulus by zero").error();
  if (IsShift(op)) return CheckShift(std::get<int64_t>(operand.data));
  return Status::Ok();
}

/// What is wrong with a pattern, in the words of Go's regexp/syntax, by which Milvus checks it.
std::string_view RegexProblem(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    case RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "regexp/syntax: internal error";
  }
}

}  // namespace

Result<Term> Binder::BindArithmetic(ArithmeticOp op, Term left, Term right) {
  if (std::holds_alternative<IntervalTerm>(right)) return ShiftTime(op, left, right);
  auto* constant_left = std::get_if<LiteralTerm>(&left);
  auto* constant_right = std::get_if<LiteralTerm>(&right);
  if (constant_left != nullptr && constant_right != nullptr) {
    if (constant_left->is_template || constant_right->is_template) {
      return BindError(
          fmt::format("placeholder was not supported between two constants with operator: {}",
                      ArithmeticName(op)));
    }
    ASSIGN_OR_RETURN(Value value, FoldArithmetic(op, constant_left->value, constant_right->value));
    return Term(LiteralTerm{std::move(value)});
  }
  const bool mirrored =
      constant_left != nullptr && op != ArithmeticOp::kAdd && op != ArithmeticOp::kMultiply;
  if (constant_left != nullptr) {
    std::swap(left, right);
    constant_right = std::get_if<LiteralTerm>(&right);
  }
  auto is_computed = [](const Term& term) {
    return !std::holds_alternative<LiteralTerm>(term) &&
           !std::holds_alternative<ColumnTerm>(term) && !std::holds_alternative<Node>(term);
  };
  if (is_computed(left) || is_computed(right)) {
    return BindError("complicated arithmetic operations are not supported");
  }
  auto* term = std::get_if<ColumnTerm>(&left);
  if (term == nullptr || std::holds_alternative<Node>(right)) {
    return BindError(fmt::format("'{}' can only be used between integer or floating expressions",
                                 ArithmeticName(op)));
  }
  RETURN_IF_ERROR(CheckScalar(*term));
  if (constant_right == nullptr) {
    return BindError("not supported to do arithmetic operations between multiple fields");
  }
  const DataType type = term->type();
  RETURN_IF_ERROR(CheckArithmetic(op, type, constant_right->value));
  ASSIGN_OR_RETURN(Value operand, CastTo(type, constant_right->value));
  return Term(ArithmeticTerm{std::move(term->column), type, op, std::move(operand), mirrored});
}

namespace {

// The column of `like` and `=~`: strings and JSON paths.
Result<ColumnRef> StringColumn(const Term& left, std::string_view operation) {
  const auto* term = std::get_if<ColumnTerm>(&left);
  if (term == nullptr) {
    return BindError(fmt::format("{} on complicated expr is unsupported", operation));
  }
  RETURN_IF_ERROR(CheckScalar(*term));
  if (!model::IsString(term->type()) && term->type() != DataType::kJson) {
    return BindError(fmt::format("{} on non-string or no-json field is unsupported", operation));
  }
  return term->column;
}

// A pattern's backslash must have something after it.
Status CheckLikePattern(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\') continue;
    if (++i == pattern.size()) {
      return BindError("Invalid LIKE pattern: trailing backslash with nothing to escape").error();
    }
  }
  return Status::Ok();
}

}  // namespace

Result<Term> Binder::BindLike(const Term& left, const Syntax& pattern) {
  ASSIGN_OR_RETURN(ColumnRef column, StringColumn(left, "like operation"));
  if (pattern.kind != SyntaxKind::kLiteral && pattern.kind != SyntaxKind::kTemplate) {
    return BindError(
        fmt::format("like pattern should be a string literal or template variable, got: {}",
                    CompactText(pattern.text)));
  }
  ASSIGN_OR_RETURN(Term right, Bind(pattern));
  auto* text = std::get_if<std::string>(&std::get<LiteralTerm>(right).value.data);
  if (text == nullptr) {
    return BindError(
        fmt::format("like pattern should be a string literal or template variable, got: {}",
                    CompactText(pattern.text)));
  }
  RETURN_IF_ERROR(CheckLikePattern(*text));
  return Term(Node{.form = Like{std::move(column), std::move(*text)}});
}

Result<Term> Binder::BindRegex(const Term& left, const Syntax& pattern, bool negated) {
  const auto* term = std::get_if<ColumnTerm>(&left);
  if (term == nullptr) return BindError("regex match on complicated expr is unsupported");
  RETURN_IF_ERROR(CheckScalar(*term));
  if (!model::IsString(term->type()) && term->type() != DataType::kJson) {
    return BindError("regex match on non-string or non-json field is unsupported");
  }
  std::string text;
  if (pattern.kind == SyntaxKind::kLiteral && pattern.token == TokenKind::kString) {
    ASSIGN_OR_RETURN(text, RegexValue(pattern.text));
  } else {
    ASSIGN_OR_RETURN(Term right, Bind(pattern));
    auto* literal = std::get_if<LiteralTerm>(&right);
    auto* value = literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value.data);
    if (value == nullptr) {
      return BindError(
          fmt::format("regex pattern should be a string literal or template variable, got: {}",
                      CompactText(pattern.text)));
    }
    text = std::move(*value);
  }
  const auto compiled = CompileRegex(text);
  regex_bytes_ += static_cast<size_t>(compiled->options().max_mem());
  if (regex_bytes_ > kRegexBytesMax) {
    return BindError(fmt::format("regular expressions of a filter may take {} MiB together",
                                 kRegexBytesMax >> 20));
  }
  if (!compiled->ok()) {
    return BindError(fmt::format("invalid regex pattern: error parsing regexp: {}: `{}`",
                                 RegexProblem(compiled->error_code()), compiled->error_arg()));
  }
  Node node{.form = Regex{term->column, std::move(text)}};
  return Term(negated ? Negate(std::move(node)) : std::move(node));
}

Result<Term> Binder::BindCall(const Syntax& syntax) {
  const std::string name = Lower(syntax.name);
  if (inside_ != nullptr && name.starts_with("match_")) {
    return BindError(
        fmt::format("nested {} is not supported, already inside match expression for field: {}",
                    Upper(name), inside_->name));
  }
  if (inside_ != nullptr && (name == "bloom_match" || name == "roaring_match")) {
    return BindError(
        fmt::format("{} is not supported inside {} element {}", name, inside_function_,
                    inside_function_ == "element_filter" ? "expressions" : "predicates"));
  }
  if (inside_ != nullptr) {
    return BindError(
        fmt::format("{} cannot be used on the elements of a struct array", syntax.name));
  }
  if (name.starts_with("json_contains") || name.starts_with("array_contains")) {
    return BindContains(syntax, name);
  }
  if (name.starts_with("match_")) return BindMatch(syntax, name);
  if (name == "element_filter") return BindElementFilter(syntax);
  if (name.starts_with("st_")) return BindGeometry(syntax, name);
  if (name == "bloom_match") return BindBloomMatch(syntax);
  if (name == "roaring_match") return BindRoaringMatch(syntax);
  if (name == "random_sample") return BindSample(syntax);
  if (name == "array_length") return BindLength(syntax);
  if (name == "empty" && syntax.children.size() == 1) return BindEmpty(syntax);
  if (name == "starts_with" && syntax.children.size() == 2) return BindStartsWith(syntax);
  if (name == "text_match" || name == "text_match_fuzzy" || name == "phrase_match") {
    return BindTextMatch(syntax, name);
  }
  return NoFunction(syntax, name);
}

namespace {

// As Milvus' engine spells the types of a function's arguments.
std::string EngineType(DataType type) {
  if (type == DataType::kVarChar) return "varChar";
  return Lower(DataTypeName(type)) + (model::IsInteger(type) ? "_t" : "");
}

}  // namespace

Result<Term> Binder::NoFunction(const Syntax& call, std::string_view name) {
  std::string types;
  for (const Syntax& argument : call.children) {
    ASSIGN_OR_RETURN(const Term term, Bind(argument));
    if (!types.empty()) types += ", ";
    types += EngineType(TypeOf(term));
  }
  return BindError(fmt::format("function {}({}) not found.", name, types));
}

Result<Term> Binder::BindTextMatch(const Syntax& syntax, std::string_view name) {
  const std::string shown = name == "phrase_match" ? "phrase match"
                            : name == "text_match" ? "text match"
                                                   : "text match fuzzy";
  if (syntax.children.size() < 2) {
    return BindError(fmt::format("{} needs a field and the text to match", name));
  }
  ASSIGN_OR_RETURN(const Term bound, Bind(syntax.children[0]));
  const auto* term = std::get_if<ColumnTerm>(&bound);
  if (term == nullptr || !model::IsString(term->column.type)) {
    return BindError(fmt::format("{} operation on non-string is unsupported", shown));
  }
  const std::string* enabled = model::FindValue(term->field->type_params, "enable_match");
  if (enabled == nullptr || Lower(*enabled) != "true") {
    return BindError(fmt::format("field \"{}\" does not enable match", term->field->name));
  }
  return BindError(fmt::format("function {} is not supported yet", name));
}

Result<Term> Binder::BindSample(const Syntax& syntax) {
  constexpr double kEdge = 1e-10;
  double factor = 0;  // of anything but a fraction: refused below, as Milvus does
  if (syntax.children.size() == 1) {
    ASSIGN_OR_RETURN(Term term, Bind(syntax.children[0]));
    const auto* literal = std::get_if<LiteralTerm>(&term);
    const auto* value = literal == nullptr ? nullptr : std::get_if<double>(&literal->value.data);
    if (value != nullptr) factor = *value;
  }
  if (factor > kEdge && factor < 1 - kEdge) return Term(SampleTerm{factor});
  return BindError(fmt::format(
      "the sample factor should be between 0 and 1 and not too close to 0 or 1(the difference "
      "should be larger than 1e-10), but got {}",
      factor));
}

namespace {

/// Elements of an array and what is sought among them must be of comparable types.
Status CheckElement(const ColumnTerm& array, const Value& value, std::string_view operation) {
  const DataType element = array.field->element_type;
  const DataType sought = TypeOf(value);
  const bool fits = (model::IsNumeric(element) && model::IsNumeric(sought)) ||
                    (model::IsString(element) && model::IsString(sought)) || element == sought;
  if (fits) return Status::Ok();
  if (operation == "contains") return CastTo(element, value).error();
  return BindError(fmt::format("{} operation can't compare between array element type: {} and {}",
                               operation == "contains_all" ? "ContainsAll" : "ContainsAny",
                               DataTypeName(element), DataTypeName(sought)))
      .error();
}

// The number as an element of single precision keeps it: 0.1 is among them if it was inserted.
Value Single(const Value& value) {
  const auto* whole = std::get_if<int64_t>(&value.data);
  const double number =
      whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value.data);
  return Value{static_cast<double>(static_cast<float>(number))};
}

}  // namespace

Result<Term> Binder::BindContains(const Syntax& syntax, std::string_view name) {
  const bool all = name.ends_with("_all");
  const bool any = name.ends_with("_any");
  const std::string_view shown = all ? "contains_all" : any ? "contains_any" : "contains";
  if (syntax.children.size() != 2) {
    return BindError(
        fmt::format("{} requires exactly 2 arguments, got {}", name, syntax.children.size()));
  }
  ASSIGN_OR_RETURN(Term left, Bind(syntax.children[0]));
  auto* term = std::get_if<ColumnTerm>(&left);
  if (term == nullptr || (term->type() != DataType::kJson && term->type() != DataType::kArray)) {
    return BindError(
        fmt::format("{} operation are only supported on json or array fields now, got: {}", shown,
                    CompactText(syntax.children[0].text)));
  }
  ASSIGN_OR_RETURN(Term right, Bind(syntax.children[1]));
  auto* literal = std::get_if<LiteralTerm>(&right);
  if (literal == nullptr) {
    return BindError(
        fmt::format("{} operation are only supported explicitly specified element, "
                    "got: {}",
                    shown, CompactText(syntax.children[1].text)));
  }
  Contains contains{.column = term->column, .all = all};
  if (all || any) {
    auto* elements = std::get_if<std::vector<Value>>(&literal->value.data);
    if (elements == nullptr) {
      return BindError(fmt::format("{} operation element must be an array",
                                   all ? "ContainsAll" : "ContainsAny"));
    }
    contains.values = std::move(*elements);
  } else {
    contains.values.push_back(std::move(literal->value));
  }
  if (term->type() == DataType::kArray) {
    for (Value& value : contains.values) {
      RETURN_IF_ERROR(CheckElement(*term, value, shown));
      if (term->field->element_type == DataType::kFloat) value = Single(value);
    }
  }
  return Term(Node{.form = std::move(contains)});
}

Result<Term> Binder::BindLength(const Syntax& syntax) {
  if (syntax.children.size() != 1) {
    return BindError(
        fmt::format("array_length requires exactly 1 argument, got {}", syntax.children.size()));
  }
  ASSIGN_OR_RETURN(Term argument, Bind(syntax.children[0]));
  auto* term = std::get_if<ColumnTerm>(&argument);
  if (term == nullptr || (term->type() != DataType::kJson && term->type() != DataType::kArray &&
                          term->type() != DataType::kArrayOfVector)) {
    return BindError(
        fmt::format("array_length operation are only supported on json, array or array-of-vector "
                    "fields now, got: {}",
                    CompactText(syntax.children[0].text)));
  }
  return Term(LengthTerm{std::move(term->column)});
}

Result<Term> Binder::BindEmpty(const Syntax& syntax) {
  ASSIGN_OR_RETURN(Term argument, Bind(syntax.children[0]));
  auto* term = std::get_if<ColumnTerm>(&argument);
  if (term == nullptr || term->column.type != DataType::kVarChar) {
    return BindError(
        fmt::format("function empty does not take: {}", CompactText(syntax.children[0].text)));
  }
  return Term(Node{.form = Compare{std::move(term->column), CompareOp::kEq, Value{std::string()}}});
}

Result<Term> Binder::BindStartsWith(const Syntax& syntax) {
  ASSIGN_OR_RETURN(Term left, Bind(syntax.children[0]));
  ASSIGN_OR_RETURN(Term right, Bind(syntax.children[1]));
  auto* term = std::get_if<ColumnTerm>(&left);
  const auto* literal = std::get_if<LiteralTerm>(&right);
  const auto* prefix =
      literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value.data);
  if (term == nullptr || term->column.type != DataType::kVarChar || prefix == nullptr) {
    return BindError(
        fmt::format("function starts_with does not take: {}", CompactText(syntax.text)));
  }
  std::string pattern;
  for (char c : *prefix) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return Term(Node{.form = Like{std::move(term->column), pattern + "%"}});
}

}  // namespace elanus::expr
