// Comparison, range chains and `in`: the part of the binder that casts literals to columns.
#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>
#include "expr/binder.h"
#include "expr/fold.h"
#include "expr/number.h"
#include "expr/text.h"

namespace elanus::expr {

using model::DataType;
using model::DataTypeName;

Status CheckScalar(const ColumnTerm& term) {
  if (term.column.type == DataType::kText) {
    return BindError(
               fmt::format("filter on text field ({}) is not supported yet", term.field->name))
        .error();
  }
  if (term.type() == DataType::kArray) {
    return BindError("can not comparisons array fields directly").error();
  }
  return Status::Ok();
}

Result<Value> CastTo(DataType type, const Value& value) {
  const DataType source = TypeOf(value);
  if (type == DataType::kJson || (type == DataType::kArray && source == type)) return value;
  if (type == DataType::kBool && source == DataType::kBool) return value;
  if ((model::IsInteger(type) || type == DataType::kTimestamptz) && source == DataType::kInt64) {
    return value;
  }
  if (model::IsString(type) && source == DataType::kVarChar) return value;
  if (model::IsFloating(type)) {
    if (source == DataType::kDouble) return value;
    if (const auto* whole = std::get_if<int64_t>(&value.data)) {
      return Value{static_cast<double>(*whole)};
    }
  }
  return BindError(
      fmt::format("cannot cast value to {}: incompatible source type", DataTypeName(type)));
}

namespace {

bool Comparable(DataType a, DataType b) {
  if (model::IsVector(a) || model::IsVector(b)) return false;
  if (a == DataType::kJson || b == DataType::kJson) return true;
  return (model::IsNumeric(a) && model::IsNumeric(b)) ||
         (model::IsString(a) && model::IsString(b)) ||
         (a == b && (a == DataType::kBool || a == DataType::kArray));
}

std::unexpected<Status> NotComparable(DataType left, DataType right) {
  return BindError(fmt::format("comparisons between {} and {} are not supported",
                               DataTypeName(left), DataTypeName(right)));
}

}  // namespace

namespace {

template <class T>
void SortUnique(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
}

}  // namespace

void Normalize(ValueSet& set) {
  SortUnique(set.ints);
  SortUnique(set.doubles);
  SortUnique(set.strings);
}

Result<Term> Binder::BindCompare(CompareOp op, Term left, Term right, std::string_view text) {
  if (std::holds_alternative<TimeTerm>(right)) return CompareTime(op, left, right);
  if (std::holds_alternative<TimeTerm>(left)) return CompareTime(Mirror(op), right, left);
  const auto* constant_left = std::get_if<LiteralTerm>(&left);
  const auto* constant_right = std::get_if<LiteralTerm>(&right);
  if (constant_left != nullptr && constant_right != nullptr) {
    if (constant_left->is_template || constant_right->is_template) {
      return BindError(fmt::format(
          "placeholder was not supported between two constants with operator: {}", OpName(op)));
    }
    ASSIGN_OR_RETURN(bool holds, FoldCompare(op, constant_left->value, constant_right->value,
                                             CompactText(text)));
    return Term(LiteralTerm{Value{holds}});
  }
  if (std::holds_alternative<Node>(left) || std::holds_alternative<Node>(right)) {
    const DataType a = TypeOf(left);
    const DataType b = TypeOf(right);
    if (!Comparable(a, b)) return NotComparable(a, b);
    return BindError(
        fmt::format("comparison operations cannot be applied to two incompatible operands: {}",
                    CompactText(text)));
  }
  if (constant_right != nullptr) return CompareWithValue(op, left, constant_right->value, false);
  if (constant_left != nullptr) {
    return CompareWithValue(Mirror(op), right, constant_left->value, true);
  }
  const auto* a = std::get_if<ColumnTerm>(&left);
  const auto* b = std::get_if<ColumnTerm>(&right);
  if (a == nullptr || b == nullptr) {
    return BindError("not supported to do arithmetic operations between multiple fields");
  }
  return CompareTwoColumns(op, *a, *b);
}

Result<Term> Binder::CompareWithValue(CompareOp op, const Term& left, const Value& value,
                                      bool mirrored) {
  const auto* column = std::get_if<ColumnTerm>(&left);
  const DataType type = TypeOf(left);
  const DataType value_type = TypeOf(value);
  // A whole array equals a list or not; nothing else is asked of it.
  const bool two_arrays = type == DataType::kArray && value_type == type;
  if (column != nullptr && !two_arrays) RETURN_IF_ERROR(CheckScalar(*column));
  if (const auto* length = std::get_if<LengthTerm>(&left)) {
    const auto* number = std::get_if<int64_t>(&value.data);
    if (number == nullptr) {
      return mirrored ? NotComparable(value_type, type) : NotComparable(type, value_type);
    }
    return Term(Node{.form = LengthCompare{length->column, op, *number}});
  }
  const bool is_equality = op == CompareOp::kEq || op == CompareOp::kNe;
  if (!Comparable(type, value_type) || (value_type == DataType::kArray && !is_equality)) {
    return mirrored ? NotComparable(value_type, type) : NotComparable(type, value_type);
  }
  ASSIGN_OR_RETURN(Value cast, CastTo(type, value));
  if (column != nullptr) return Term(Node{.form = Compare{column->column, op, std::move(cast)}});
  const auto* found = std::get_if<ArithmeticTerm>(&left);
  if (found == nullptr) return NotComparable(type, value_type);
  const ArithmeticTerm& arithmetic = *found;
  if (arithmetic.mirrored) return BindError("module field is not yet supported");
  if (!model::IsNumeric(value_type)) return NotComparable(type, value_type);
  return Term(Node{.form = ArithmeticCompare{arithmetic.column, arithmetic.op, arithmetic.operand,
                                             op, std::move(cast)}});
}

Result<Term> Binder::CompareTwoColumns(CompareOp op, const ColumnTerm& left,
                                       const ColumnTerm& right) {
  const DataType a = left.column.type;
  const DataType b = right.column.type;
  if (a == DataType::kJson || b == DataType::kJson) {
    return BindError("two column comparison with JSON type is not supported");
  }
  if (a == DataType::kArray || b == DataType::kArray) {
    return BindError("field-to-field comparison involving ARRAY fields is not supported");
  }
  RETURN_IF_ERROR(CheckScalar(left));
  RETURN_IF_ERROR(CheckScalar(right));
  if (!Comparable(a, b)) return NotComparable(a, b);
  return Term(Node{.form = CompareColumns{left.column, op, right.column}});
}

namespace {

// Order of two bounds of one column: both numbers or both strings after the cast.
std::optional<std::partial_ordering> BoundOrder(const Value& a, const Value& b) {
  if (const auto* s = std::get_if<std::string>(&a.data)) {
    const auto* t = std::get_if<std::string>(&b.data);
    if (t == nullptr) return std::nullopt;
    return *s <=> *t;
  }
  const auto* i = std::get_if<int64_t>(&a.data);
  const auto* j = std::get_if<int64_t>(&b.data);
  const auto* x = std::get_if<double>(&a.data);
  const auto* y = std::get_if<double>(&b.data);
  if (i != nullptr && j != nullptr) return *i <=> *j;
  if (x != nullptr && y != nullptr) return *x <=> *y;
  if (i != nullptr && y != nullptr) return CompareExact(*i, *y);
  if (x != nullptr && j != nullptr) {
    const auto order = CompareExact(*j, *x);
    return order < 0   ? std::partial_ordering::greater
           : order > 0 ? std::partial_ordering::less
                       : order;
  }
  return std::nullopt;
}

}  // namespace

Result<Term> Binder::BindRange(const Syntax& syntax) {
  const bool up = syntax.ops[0] == TokenKind::kLt || syntax.ops[0] == TokenKind::kLe;
  ASSIGN_OR_RETURN(ColumnTerm term, Resolve(syntax.children[1]));
  RETURN_IF_ERROR(CheckScalar(term));
  const DataType type = term.type();
  Value bounds[2];
  for (int side = 0; side < 2; ++side) {  // 0 = lower
    const Syntax& source = syntax.children[up == (side == 0) ? 0 : 2];
    ASSIGN_OR_RETURN(Term bound, Bind(source));
    const auto* literal = std::get_if<LiteralTerm>(&bound);
    if (literal == nullptr) {
      return BindError(fmt::format("{} cannot be a non-const expression: {}",
                                   side == 0 ? "lowerbound" : "upperbound",
                                   CompactText(source.text)));
    }
    if (type == DataType::kBool || TypeOf(literal->value) == DataType::kBool) {
      return BindError("invalid range operations on boolean expr");
    }
    Result<Value> cast = CastTo(type, literal->value);
    if (!cast || !Comparable(type, TypeOf(literal->value)) ||
        TypeOf(literal->value) == DataType::kArray) {
      return BindError("invalid range operations");
    }
    bounds[side] = *std::move(cast);
  }
  const bool first_equal = syntax.ops[0] == TokenKind::kLe || syntax.ops[0] == TokenKind::kGe;
  const bool second_equal = syntax.ops[1] == TokenKind::kLe || syntax.ops[1] == TokenKind::kGe;
  Range range{std::move(term.column), std::move(bounds[0]), std::move(bounds[1]),
              up ? first_equal : second_equal, up ? second_equal : first_equal};
  const auto order = BoundOrder(range.lower, range.upper);
  if (!order) return BindError("invalid range operations");
  if (*order > 0 || (*order == 0 && !(range.lower_inclusive && range.upper_inclusive))) {
    return BindError("invalid range: lowerbound is greater than upperbound");
  }
  return Term(Node{.form = std::move(range)});
}

namespace {

// A value as the wire's text form shows it, without the blank after the colon.
std::string ProtoText(const Value& value) {
  if (const auto* b = std::get_if<bool>(&value.data)) return fmt::format("bool_val:{}", *b);
  if (const auto* i = std::get_if<int64_t>(&value.data)) return fmt::format("int64_val:{}", *i);
  if (const auto* d = std::get_if<double>(&value.data)) return fmt::format("float_val:{}", *d);
  if (const auto* s = std::get_if<std::string>(&value.data)) {
    return fmt::format("string_val:\"{}\"", *s);
  }
  std::string text = "array_val:{";
  for (const Value& element : std::get<std::vector<Value>>(value.data)) {
    text += fmt::format("array:{{{}}}", ProtoText(element));
  }
  return text + "}";
}

void AddTo(ValueSet& set, Value value) {
  if (const auto* b = std::get_if<bool>(&value.data)) {
    (*b ? set.has_true : set.has_false) = true;
  } else if (const auto* i = std::get_if<int64_t>(&value.data)) {
    set.ints.push_back(*i);
  } else if (const auto* d = std::get_if<double>(&value.data)) {
    set.doubles.push_back(*d);
  } else if (auto* s = std::get_if<std::string>(&value.data)) {
    set.strings.push_back(std::move(*s));
  } else if (std::ranges::find(set.arrays, value) == set.arrays.end()) {
    set.arrays.push_back(std::move(value));
  }
}

// `in` with one literal list, or a template that is an array.
Result<std::vector<Value>> ListOf(const Syntax& list, Binder& binder) {
  std::vector<Value> values;
  if (list.kind == SyntaxKind::kArray) {
    values.reserve(list.children.size());
    for (const Syntax& element : list.children) {
      if (element.kind == SyntaxKind::kLiteral) {
        ASSIGN_OR_RETURN(Value value, LiteralValue(element));
        values.push_back(std::move(value));
        continue;
      }
      ASSIGN_OR_RETURN(Term term, binder.Bind(element));
      auto* literal = std::get_if<LiteralTerm>(&term);
      if (literal == nullptr) {
        return BindError(fmt::format("value '{}' in list cannot be a non-const expression",
                                     CompactText(element.text)));
      }
      values.push_back(std::move(literal->value));
    }
    return values;
  }
  if (list.kind != SyntaxKind::kTemplate) {
    // What it means decides which of Milvus' three texts is right.
    ASSIGN_OR_RETURN(const Term term, binder.Bind(list));
    if (list.in_parens && !std::holds_alternative<LiteralTerm>(term)) {
      return BindError(fmt::format("value '({})' in list cannot be a non-const expression",
                                   CompactText(list.text)));
    }
    return BindError(fmt::format("the right-hand side of 'in' must be a list, but got: {}",
                                 CompactText(list.text)));
  }
  ASSIGN_OR_RETURN(Term term, binder.Bind(list));
  auto* array = std::get_if<std::vector<Value>>(&std::get<LiteralTerm>(term).value.data);
  if (array == nullptr) {
    return BindError(fmt::format(
        "the value of term expression template variable {{{}}} is not array", list.name));
  }
  return std::move(*array);
}

}  // namespace

Result<Term> Binder::BindIn(Term left, std::string_view left_text, const Syntax& list,
                            bool negated) {
  if (std::holds_alternative<LiteralTerm>(left)) {
    return BindError(fmt::format("'term' can only be used on non-const expression, but got: {}",
                                 CompactText(left_text)));
  }
  auto* term = std::get_if<ColumnTerm>(&left);
  if (term == nullptr) {
    return BindError(fmt::format("'term' can only be used on single field, but got: {}",
                                 CompactText(left_text)));
  }
  const DataType type = term->type();
  if (model::IsVector(type) || type == DataType::kGeometry) {
    return BindError(
        fmt::format("term expression is not supported for data type {}", DataTypeName(type)));
  }
  RETURN_IF_ERROR(CheckScalar(*term));
  ASSIGN_OR_RETURN(std::vector<Value> values, ListOf(list, *this));
  In in{.column = std::move(term->column)};
  for (Value& value : values) {
    Result<Value> cast = CastTo(type, value);
    if (!cast) {
      return BindError(fmt::format("value '{}' in list cannot be casted to {}", ProtoText(value),
                                   DataTypeName(type)));
    }
    AddTo(in.values, *std::move(cast));
  }
  Normalize(in.values);
  Node node{.form = std::move(in)};
  return Term(negated ? Negate(std::move(node)) : std::move(node));
}

}  // namespace elanus::expr
