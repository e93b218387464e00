// Times in filters: `iso '..'` literals, `interval '..'` and what both do to TIMESTAMPTZ columns.
#include <string>

#include <fmt/format.h>
#include "expr/binder.h"

namespace elanus::expr {

using model::DataType;

namespace {

std::unexpected<Status> NotATime(const ColumnTerm& column) {
  return BindError(fmt::format("field '{}' is not a timestamptz datatype", column.field->name));
}

}  // namespace

Result<Term> Binder::BindOption(const Syntax& syntax) {
  const bool is_time = syntax.name == "iso" || syntax.name == "ISO";
  const bool is_interval = syntax.name == "interval" || syntax.name == "INTERVAL";
  if (!is_time && !is_interval) {
    return BindError(
        fmt::format("'{}' is not supported here: {}", syntax.name, CompactText(syntax.text)));
  }
  ASSIGN_OR_RETURN(Term term, Bind(syntax.children[0]));
  const auto* literal = std::get_if<LiteralTerm>(&term);
  const auto* text = literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value.data);
  if (text == nullptr) {
    return BindError(
        fmt::format("{} must be followed by a string: {}", syntax.name, CompactText(syntax.text)));
  }
  if (is_interval) {
    ASSIGN_OR_RETURN(model::Interval interval, model::ParseInterval(*text));
    return Term(IntervalTerm{interval});
  }
  ASSIGN_OR_RETURN(int64_t micros, model::ParseTimestamptz(*text, time_zone_));
  return Term(TimeTerm{micros});
}

Result<Term> Binder::ShiftTime(ArithmeticOp op, const Term& left, const Term& right) {
  const auto* column = std::get_if<ColumnTerm>(&left);
  if (column == nullptr || (op != ArithmeticOp::kAdd && op != ArithmeticOp::kSubtract)) {
    return BindError("an interval can only be added to or subtracted from a timestamptz field");
  }
  if (column->type() != DataType::kTimestamptz) return NotATime(*column);
  return Term(ShiftedTerm{column->column, std::get<IntervalTerm>(right).interval,
                          op == ArithmeticOp::kAdd ? 1 : -1});
}

Result<Term> Binder::CompareTime(CompareOp op, const Term& left, const Term& right) {
  const int64_t micros = std::get<TimeTerm>(right).micros;
  if (const auto* shifted = std::get_if<ShiftedTerm>(&left)) {
    return Term(
        Node{.form = TimeCompare{shifted->column, shifted->interval, shifted->sign, op, micros}});
  }
  const auto* column = std::get_if<ColumnTerm>(&left);
  if (column == nullptr) {
    return BindError("iso can only be compared with a timestamptz field");
  }
  if (column->type() != DataType::kTimestamptz) return NotATime(*column);
  return Term(Node{.form = Compare{column->column, op, Value{micros}}});
}

}  // namespace elanus::expr
