// The st_ functions: predicates of a GEOMETRY column and a shape given as text.
#include <array>
#include <string>

#include <fmt/format.h>
#include "expr/binder.h"
#include "expr/fold.h"
#include "model/geometry.h"

namespace elanus::expr {

using model::DataType;
using Op = GeometryCompare::Op;

namespace {

struct Known {
  std::string_view name;
  Op op;
  size_t arguments;
  std::string_view shown;  ///< in the error for other columns
};
constexpr std::array<Known, 9> kKnown = {{
    {"st_equals", Op::kEquals, 2, "spatial"},
    {"st_touches", Op::kTouches, 2, "spatial"},
    {"st_overlaps", Op::kOverlaps, 2, "spatial"},
    {"st_crosses", Op::kCrosses, 2, "spatial"},
    {"st_contains", Op::kContains, 2, "spatial"},
    {"st_intersects", Op::kIntersects, 2, "spatial"},
    {"st_within", Op::kWithin, 2, "spatial"},
    {"st_dwithin", Op::kDistanceWithin, 3, "ST_DWITHIN"},
    {"st_isvalid", Op::kIsValid, 1, "STIsValid"},
}};

}  // namespace

Result<Term> Binder::BindGeometry(const Syntax& syntax, std::string_view name) {
  const Known* known = nullptr;
  for (const Known& one : kKnown) {
    if (one.name == name) known = &one;
  }
  if (known == nullptr) return NoFunction(syntax, name);
  if (syntax.children.size() != known->arguments) {
    return BindError(fmt::format("{} requires exactly {} arguments, got {}", name, known->arguments,
                                 syntax.children.size()));
  }
  ASSIGN_OR_RETURN(Term left, Bind(syntax.children[0]));
  auto* column = std::get_if<ColumnTerm>(&left);
  if (column == nullptr || column->column.type != DataType::kGeometry) {
    return BindError(fmt::format("{} operation are only supported on geometry fields now, got: {}",
                                 known->shown, CompactText(syntax.text)));
  }
  GeometryCompare compare{.column = std::move(column->column), .op = known->op};
  if (known->arguments == 1) return Term(Node{.form = std::move(compare)});
  ASSIGN_OR_RETURN(const Term given, Bind(syntax.children[1]));
  const auto* literal = std::get_if<LiteralTerm>(&given);
  const auto* text = literal == nullptr ? nullptr : std::get_if<std::string>(&literal->value.data);
  if (text == nullptr) {
    return BindError(
        fmt::format("{} needs a shape as a string literal or a template variable, got: {}", name,
                    CompactText(syntax.children[1].text)));
  }
  ASSIGN_OR_RETURN(compare.shape, model::WkbFromWkt(*text));
  if (known->op != Op::kDistanceWithin) return Term(Node{.form = std::move(compare)});
  if (!model::PointOfWkb(compare.shape)) {
    return BindError(fmt::format("ST_DWITHIN only supports POINT geometry: {}", *text));
  }
  ASSIGN_OR_RETURN(const Term distance, Bind(syntax.children[2]));
  const auto* number = std::get_if<LiteralTerm>(&distance);
  if (number == nullptr || !model::IsNumeric(TypeOf(number->value))) {
    return BindError(fmt::format("ST_DWITHIN distance must be a numeric constant, got: {}",
                                 CompactText(syntax.children[2].text)));
  }
  ASSIGN_OR_RETURN(const Value metres, CastTo(DataType::kDouble, number->value));
  compare.metres = std::get<double>(metres.data);
  if (!(compare.metres >= 0)) {
    return BindError(fmt::format("ST_DWITHIN distance must be non-negative, got: {}",
                                 CompactText(syntax.children[2].text)));
  }
  return Term(Node{.form = std::move(compare)});
}

}  // namespace elanus::expr
