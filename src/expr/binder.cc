#include "expr/binder.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include <fmt/format.h>
#include "base/letter_case.h"
#include "expr/fold.h"
#include "expr/literal.h"

namespace elanus::expr {

using model::DataType;

std::unexpected<Status> BindError(std::string message) {
  return Error(Code::kInvalidParameter, std::move(message));
}

DataType TypeOf(const Term& term) {
  if (const auto* literal = std::get_if<LiteralTerm>(&term)) return TypeOf(literal->value);
  if (const auto* column = std::get_if<ColumnTerm>(&term)) return column->type();
  if (const auto* arithmetic = std::get_if<ArithmeticTerm>(&term)) {
    const DataType type = arithmetic->type;
    if (model::IsInteger(type)) return DataType::kInt64;
    return model::IsFloating(type) ? DataType::kDouble : type;
  }
  if (std::holds_alternative<LengthTerm>(term)) return DataType::kInt64;
  return std::holds_alternative<Node>(term) ? DataType::kBool : DataType::kTimestamptz;
}

Node Negate(Node node) {
  if (std::holds_alternative<Not>(node.form)) {
    Node inner = std::move(node.children.front());
    return inner;
  }
  if (auto* constant = std::get_if<Constant>(&node.form)) {
    constant->value = !constant->value;
    return node;
  }
  Node negation{.form = Not{}};
  negation.children.push_back(std::move(node));
  return negation;
}

namespace {

void Append(ValueSet& set, const Value& value) {
  if (const auto* b = std::get_if<bool>(&value.data)) (*b ? set.has_true : set.has_false) = true;
  if (const auto* i = std::get_if<int64_t>(&value.data)) set.ints.push_back(*i);
  if (const auto* d = std::get_if<double>(&value.data)) set.doubles.push_back(*d);
  if (const auto* s = std::get_if<std::string>(&value.data)) set.strings.push_back(*s);
}
void Append(ValueSet& set, const ValueSet& more) {
  set.has_true |= more.has_true;
  set.has_false |= more.has_false;
  set.ints.insert(set.ints.end(), more.ints.begin(), more.ints.end());
  set.doubles.insert(set.doubles.end(), more.doubles.begin(), more.doubles.end());
  set.strings.insert(set.strings.end(), more.strings.begin(), more.strings.end());
}

// `a == 1 or a in [2, 3]` is `a in [1, 2, 3]`. Not for JSON: there a value of another type than
// the literal's makes each operand unknown on its own. Nor for arrays, whose elements share a
// field.
void MergeEquals(std::vector<Node>& operands) {
  std::map<FieldId, size_t> list_of;
  std::vector<Node> kept;
  for (Node& operand : operands) {
    const auto* compare = std::get_if<Compare>(&operand.form);
    const auto* in = std::get_if<In>(&operand.form);
    const bool equal = compare != nullptr && compare->op == CompareOp::kEq;
    const ColumnRef* column = equal ? &compare->column : in != nullptr ? &in->column : nullptr;
    if (column == nullptr || column->type == DataType::kJson || column->type == DataType::kArray) {
      kept.push_back(std::move(operand));
      continue;
    }
    auto [found, first] = list_of.try_emplace(column->field, kept.size());
    if (first) {
      kept.push_back(std::move(operand));
      continue;
    }
    Node& target = kept[found->second];
    if (const auto* single = std::get_if<Compare>(&target.form)) {
      In list{.column = single->column};
      Append(list.values, single->value);
      target.form = std::move(list);
    }
    ValueSet& values = std::get<In>(target.form).values;
    equal ? Append(values, compare->value) : Append(values, in->values);
  }
  for (const auto& [field, index] : list_of) {
    if (auto* list = std::get_if<In>(&kept[index].form)) Normalize(list->values);
  }
  operands = std::move(kept);
}

}  // namespace

Node Join(bool is_and, std::vector<Node> operands) {
  Node joined{.form = is_and ? Node::Form(And{}) : Node::Form(Or{})};
  for (Node& operand : operands) {
    if (operand.form.index() == joined.form.index()) {
      std::ranges::move(operand.children, std::back_inserter(joined.children));
    } else {
      joined.children.push_back(std::move(operand));
    }
  }
  if (!is_and) MergeEquals(joined.children);
  if (joined.children.size() == 1) {
    Node only = std::move(joined.children.front());
    return only;
  }
  return joined;
}

Result<Term> Binder::Bind(const Syntax& syntax) {
  switch (syntax.kind) {
    case SyntaxKind::kName: return BindName(syntax);
    case SyntaxKind::kLiteral: {
      ASSIGN_OR_RETURN(Value value, LiteralValue(syntax));
      return Term(LiteralTerm{std::move(value)});
    }
    case SyntaxKind::kTemplate: return BindTemplate(syntax);
    case SyntaxKind::kArray: return BindArray(syntax);
    case SyntaxKind::kChain: return BindChain(syntax);
    case SyntaxKind::kUnary: return BindUnary(syntax);
    case SyntaxKind::kExists: return BindExists(syntax);
    case SyntaxKind::kRange: return BindRange(syntax);
    case SyntaxKind::kIsNull: return BindIsNull(syntax);
    case SyntaxKind::kCall: return BindCall(syntax);
    case SyntaxKind::kOption: return BindOption(syntax);
  }
  return BindError(
      fmt::format("'{}' is not supported yet in: {}", syntax.name, CompactText(syntax.text)));
}

Result<ColumnRef> Binder::BindColumn(const Syntax& syntax) {
  ASSIGN_OR_RETURN(ColumnTerm term, Resolve(syntax));
  return std::move(term.column);
}

Result<Term> Binder::BindName(const Syntax& syntax) {
  ASSIGN_OR_RETURN(ColumnTerm column, Resolve(syntax));
  return Term(std::move(column));
}

namespace {

bool IsNullWord(std::string_view word) { return Lower(word) == "null"; }

bool IsDecimal(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<ColumnTerm> Binder::Resolve(const Syntax& syntax) {
  if (syntax.token == TokenKind::kStructPath && syntax.text.starts_with('$')) {
    return ResolveElement(syntax.text);
  }
  if (inside_ != nullptr) {
    return BindError(
        fmt::format("predicate expression in {} must use element-level fields", inside_function_));
  }
  if (syntax.token == TokenKind::kStructPath) return ResolveStructPath(syntax.text);
  if (syntax.token == TokenKind::kJsonPath) return ResolvePath(syntax.text);
  const model::FieldSchema* field = schema_.FindField(syntax.text);
  if (field != nullptr) return ColumnTerm{{field->id, field->type, {}}, field};
  if (const model::StructSchema* whole = schema_.FindStruct(syntax.text)) {
    return WholeStruct(*whole);
  }
  if (IsNullWord(syntax.text)) {
    return BindError(
        "NULL literal is not supported in expressions; use '<field> is null' or '<field> is not "
        "null' instead");
  }
  return DynamicKey({std::string(syntax.text)}, syntax.text);
}

Result<ColumnTerm> Binder::ResolvePath(std::string_view text) {
  ASSIGN_OR_RETURN(PathText path, SplitPath(text));
  const model::FieldSchema* field = schema_.FindField(path.base);
  if (field == nullptr) {
    std::vector<std::string> keys = std::move(path.steps);
    keys.insert(keys.begin(), std::string(path.base));
    return DynamicKey(std::move(keys), path.base);
  }
  if (field->type == DataType::kArray) {
    if (path.steps.size() != 1 || !IsDecimal(path.steps[0])) {
      return BindError("can only access array field with integer index");
    }
    return ColumnTerm{{field->id, field->type, std::move(path.steps)}, field};
  }
  if (field->type != DataType::kJson) {
    return BindError(fmt::format("{} data type not supported accessed with []",
                                 model::DataTypeName(field->type)));
  }
  return ColumnTerm{{field->id, field->type, std::move(path.steps)}, field};
}

Result<ColumnTerm> Binder::DynamicKey(std::vector<std::string> path, std::string_view base) const {
  const model::FieldSchema* dynamic = schema_.dynamic();
  if (dynamic == nullptr) return BindError(fmt::format("field {} not exist", base));
  return ColumnTerm{{dynamic->id, dynamic->type, std::move(path)}, dynamic};
}

Result<Value> LiteralValue(const Syntax& syntax) {
  switch (syntax.token) {
    case TokenKind::kInteger: {
      ASSIGN_OR_RETURN(int64_t value, IntegerValue(syntax.text, false));
      return Value{value};
    }
    case TokenKind::kFloat: {
      ASSIGN_OR_RETURN(double value, FloatValue(syntax.text));
      return Value{value};
    }
    case TokenKind::kString: {
      ASSIGN_OR_RETURN(std::string value, StringValue(syntax.text));
      return Value{std::move(value)};
    }
    case TokenKind::kRawString: return Value{std::string(RawStringValue(syntax.text))};
    default: return Value{syntax.token == TokenKind::kTrue};
  }
}

Result<Term> Binder::BindTemplate(const Syntax& syntax) const {
  const std::string name(syntax.name);
  if (templates_.blobs.contains(name)) {
    return BindError(
        "a bytes template value can only be used as the bloom_match or roaring_match filter "
        "argument");
  }
  auto found = templates_.values.find(name);
  if (found == templates_.values.end()) {
    return BindError(fmt::format(
        "the value of expression template variable name {{{}}} is not found", syntax.name));
  }
  return Term(LiteralTerm{found->second, true});
}

Result<Term> Binder::BindArray(const Syntax& syntax) {
  std::vector<Value> values;
  values.reserve(syntax.children.size());
  for (const Syntax& child : syntax.children) {
    ASSIGN_OR_RETURN(Term term, Bind(child));
    auto* literal = std::get_if<LiteralTerm>(&term);
    if (literal == nullptr) {
      return BindError(fmt::format("array element type must be generic value, but got: {}",
                                   CompactText(child.text)));
    }
    values.push_back(std::move(literal->value));
  }
  return Term(LiteralTerm{Value{std::move(values)}});
}

namespace {

std::optional<CompareOp> ComparisonOf(TokenKind token) {
  switch (token) {
    case TokenKind::kEq: return CompareOp::kEq;
    case TokenKind::kNe: return CompareOp::kNe;
    case TokenKind::kLt: return CompareOp::kLt;
    case TokenKind::kLe: return CompareOp::kLe;
    case TokenKind::kGt: return CompareOp::kGt;
    case TokenKind::kGe: return CompareOp::kGe;
    default: return std::nullopt;
  }
}

std::optional<ArithmeticOp> ArithmeticOf(TokenKind token) {
  switch (token) {
    case TokenKind::kPlus: return ArithmeticOp::kAdd;
    case TokenKind::kMinus: return ArithmeticOp::kSubtract;
    case TokenKind::kStar: return ArithmeticOp::kMultiply;
    case TokenKind::kSlash: return ArithmeticOp::kDivide;
    case TokenKind::kPercent: return ArithmeticOp::kModulo;
    case TokenKind::kBitAnd: return ArithmeticOp::kBitAnd;
    case TokenKind::kBitOr: return ArithmeticOp::kBitOr;
    case TokenKind::kBitXor: return ArithmeticOp::kBitXor;
    case TokenKind::kShiftLeft: return ArithmeticOp::kShiftLeft;
    case TokenKind::kShiftRight: return ArithmeticOp::kShiftRight;
    default: return std::nullopt;
  }
}

Result<Term> BindPower(const Term& left, const Term& right, std::string_view text) {
  const auto* base = std::get_if<LiteralTerm>(&left);
  const auto* exponent = std::get_if<LiteralTerm>(&right);
  if (base == nullptr || exponent == nullptr) {
    return BindError(fmt::format("power can only apply on constants: {}", CompactText(text)));
  }
  ASSIGN_OR_RETURN(Value power, FoldPower(base->value, exponent->value, CompactText(text)));
  return Term(LiteralTerm{std::move(power)});
}

}  // namespace

// Folds a chain from the left; `and` and `or` are joined whole.
Result<Term> Binder::BindChain(const Syntax& syntax) {
  if (syntax.ops[0] == TokenKind::kAnd) return BindLogic(syntax, true);
  if (syntax.ops[0] == TokenKind::kOr) return BindLogic(syntax, false);
  ASSIGN_OR_RETURN(Term left, Bind(syntax.children[0]));
  for (size_t i = 0; i < syntax.ops.size(); ++i) {
    const TokenKind op = syntax.ops[i];
    const Syntax& operand = syntax.children[i + 1];
    const char* begin = syntax.children[0].text.data();
    const std::string_view left_text(
        begin, syntax.children[i].text.data() + syntax.children[i].text.size() - begin);
    if (op == TokenKind::kIn || op == TokenKind::kNot) {
      ASSIGN_OR_RETURN(left, BindIn(std::move(left), left_text, operand, op == TokenKind::kNot));
    } else if (op == TokenKind::kLike) {
      ASSIGN_OR_RETURN(left, BindLike(left, operand));
    } else if (op == TokenKind::kMatch || op == TokenKind::kNotMatch) {
      ASSIGN_OR_RETURN(left, BindRegex(left, operand, op == TokenKind::kNotMatch));
    } else {
      ASSIGN_OR_RETURN(Term right, Bind(operand));
      if (auto compare = ComparisonOf(op)) {
        ASSIGN_OR_RETURN(left,
                         BindCompare(*compare, std::move(left), std::move(right), syntax.text));
      } else if (auto arithmetic = ArithmeticOf(op)) {
        ASSIGN_OR_RETURN(left, BindArithmetic(*arithmetic, std::move(left), std::move(right)));
      } else {
        ASSIGN_OR_RETURN(left, BindPower(left, right, syntax.text));
      }
    }
  }
  return left;
}

// A constant that decides the whole wins; the other constants vanish.
Result<Term> Binder::BindLogic(const Syntax& syntax, bool is_and) {
  const std::string_view name = is_and ? "and" : "or";
  std::vector<Node> predicates;
  bool decided = false;
  bool all_literals = true;
  bool bad_literal = false;
  for (const Syntax& child : syntax.children) {
    const bool filtered = elements_ != nullptr;
    ASSIGN_OR_RETURN(Term term, Bind(child));
    if (elements_ != nullptr && (!is_and || filtered || &child != &syntax.children.back())) {
      return BindError(
          "element filter expression can only be the last expression in the logical and "
          "expression");
    }
    const auto* sample = std::get_if<SampleTerm>(&term);
    if ((sample != nullptr || sample_ != 0) && !is_and) {
      return BindError("random sample expression cannot be used in logical and expression");
    }
    if (sample_ != 0 || (sample != nullptr && &child != &syntax.children.back())) {
      return BindError(
          "random sample expression can only be the last expression in the logical and expression");
    }
    if (sample != nullptr) {
      sample_ = sample->factor;
    } else if (auto* node = std::get_if<Node>(&term)) {
      all_literals = false;
      predicates.push_back(std::move(*node));
    } else if (const auto* literal = std::get_if<LiteralTerm>(&term)) {
      const bool* value = std::get_if<bool>(&literal->value.data);
      bad_literal |= value == nullptr;
      decided |= value != nullptr && *value != is_and;
    } else {
      return BindError(fmt::format("'{}' can only be used between boolean expressions", name));
    }
  }
  if (bad_literal) {
    if (all_literals) return BindError(fmt::format("{} can only apply on boolean", name));
    return BindError(fmt::format("'{}' can only be used between boolean expressions", name));
  }
  if (decided || predicates.empty()) return Term(LiteralTerm{Value{decided != is_and}});
  return Term(Join(is_and, std::move(predicates)));
}

Result<Term> Binder::BindUnary(const Syntax& syntax) {
  const TokenKind op = syntax.ops[0];
  const Syntax& operand = syntax.children[0];
  if (op == TokenKind::kMinus && operand.kind == SyntaxKind::kLiteral &&
      operand.token == TokenKind::kInteger) {
    ASSIGN_OR_RETURN(int64_t value, IntegerValue(operand.text, true));
    return Term(LiteralTerm{Value{static_cast<int64_t>(0 - static_cast<uint64_t>(value))}});
  }
  ASSIGN_OR_RETURN(Term term, Bind(operand));
  if (elements_ != nullptr) {
    return BindError("element filter expression cannot be used in unary expression");
  }
  if (std::holds_alternative<SampleTerm>(term) || sample_ != 0) {
    return BindError("random sample expression cannot be used in unary expression");
  }
  auto* literal = std::get_if<LiteralTerm>(&term);
  if (op == TokenKind::kNot) {
    if (auto* node = std::get_if<Node>(&term)) return Term(Negate(std::move(*node)));
    if (literal == nullptr) {
      return BindError("not op can only be applied on boolean expression");
    }
    const bool* value = std::get_if<bool>(&literal->value.data);
    if (value == nullptr) return BindError("not can only apply on boolean");
    return Term(LiteralTerm{Value{!*value}});
  }
  if (op == TokenKind::kTilde) {
    return BindArithmetic(ArithmeticOp::kBitXor, std::move(term), LiteralTerm{Value{int64_t{-1}}});
  }
  if (literal == nullptr || !model::IsNumeric(TypeOf(literal->value))) {
    return BindError(fmt::format("unary operator can only apply on numeric constants: {}",
                                 CompactText(syntax.text)));
  }
  if (op == TokenKind::kPlus) return term;
  if (auto* fraction = std::get_if<double>(&literal->value.data)) {
    return Term(LiteralTerm{Value{-*fraction}});
  }
  ASSIGN_OR_RETURN(Value negated,
                   FoldArithmetic(ArithmeticOp::kSubtract, Value{int64_t{0}}, literal->value));
  return Term(LiteralTerm{std::move(negated)});
}

Result<Term> Binder::BindExists(const Syntax& syntax) {
  ASSIGN_OR_RETURN(Term term, Bind(syntax.children[0]));
  auto* column = std::get_if<ColumnTerm>(&term);
  if (column == nullptr || column->column.type != DataType::kJson) {
    return BindError(fmt::format("exists operations are only supportted on json field, got:{}",
                                 model::DataTypeName(TypeOf(term))));
  }
  if (column->column.path.empty()) {
    return BindError("exists operations are only supportted on json key");
  }
  return Term(Node{.form = Exists{std::move(column->column)}});
}

Result<Term> Binder::BindIsNull(const Syntax& syntax) {
  const bool negated = syntax.ops[0] == TokenKind::kIsNotNull;
  ASSIGN_OR_RETURN(ColumnTerm term, Resolve(syntax.children[0]));
  if (inside_ != nullptr) {
    return BindError("IsNull/IsNotNull operations are not supported on elements of a struct array");
  }
  const bool whole_struct = schema_.FindStruct(syntax.children[0].text) != nullptr;
  if (model::IsVector(term.column.type) && !whole_struct) {
    return BindError("IsNull/IsNotNull operations are not supported on vector fields");
  }
  if (term.column.type == DataType::kArray && !term.column.path.empty()) {
    return BindError(
        fmt::format("IsNull/IsNotNull operations are not supported on array element access, got: "
                    "{}",
                    CompactText(syntax.children[0].text)));
  }
  if (!term.column.path.empty()) {
    Node exists{.form = Exists{std::move(term.column)}};
    return Term(negated ? std::move(exists) : Negate(std::move(exists)));
  }
  if (!term.field->nullable) return Term(Node{.form = Constant{negated}});
  Node is_null{.form = IsNull{std::move(term.column)}};
  return Term(negated ? Negate(std::move(is_null)) : std::move(is_null));
}

}  // namespace elanus::expr
