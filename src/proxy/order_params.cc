#include "proxy/order_params.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/letter_case.h"
#include "expr/filter.h"
#include "proxy/names.h"

namespace elanus::proxy {

namespace {

using model::DataType;
using model::FieldSchema;

bool IsSortable(DataType type) {
  return type == DataType::kBool || model::IsNumeric(type) || type == DataType::kVarChar ||
         type == DataType::kString;
}

/// `expected` is where the two kinds of call differ.
Result<OrderTerm> ReadTerm(const std::string& text, std::string_view expected) {
  const std::vector<std::string> parts = SplitOutsideBrackets(text, ':');
  OrderTerm term{.name = std::string(Trim(parts[0]))};
  const std::string direction = parts.size() > 1 ? Lower(Trim(parts[1])) : "asc";
  if (direction == "desc" || direction == "descending") {
    term.direction = {.descending = true, .nulls_first = true};
  } else if (direction != "asc" && direction != "ascending") {
    return Error(InvalidParameter(fmt::format("invalid order direction '{}' for field '{}', {}",
                                              Trim(parts[1]), term.name, expected)));
  }
  if (parts.size() < 3) return term;
  const std::string nulls = Lower(Trim(parts[2]));
  if (nulls != "nulls_first" && nulls != "nulls_last") {
    return Error(InvalidParameter(fmt::format(
        "invalid null ordering '{}', must be 'nulls_first' or 'nulls_last'", Trim(parts[2]))));
  }
  term.direction.nulls_first = nulls == "nulls_first";
  return term;
}

Result<std::vector<OrderTerm>> ReadTerms(const std::string& text, std::string_view expected) {
  std::vector<OrderTerm> terms;
  if (text.empty()) return terms;
  for (const std::string& part : SplitOutsideBrackets(text, ',')) {
    ASSIGN_OR_RETURN(OrderTerm term, ReadTerm(part, expected));
    terms.push_back(std::move(term));
  }
  return terms;
}

void Add(OrderTerm term, model::RowValue value, OrderPlan& plan) {
  plan.names.push_back(std::move(term.name));
  plan.values.push_back(std::move(value));
  plan.directions.push_back(term.direction);
}

Status NoSuchField(std::string_view name) {
  return InvalidParameter(
      fmt::format("order_by field '{}' does not exist in collection schema", name));
}

Result<model::RowValue> ResolveSearchTerm(const model::CollectionSchema& schema,
                                          const std::string& name) {
  const FieldSchema* field = schema.FindField(name);
  model::RowValue value;
  if (field == nullptr) {
    auto column = expr::ParseColumn(name, schema);
    if (!column.has_value()) return Error(NoSuchField(name));
    field = schema.FindField(column->field);
    value.path = std::move(column->path);
  }
  value.field = field->id;
  const bool in_json = field->type == DataType::kJson && !value.path.empty();
  if (!in_json && !IsSortable(field->type)) {
    return Error(InvalidParameter(fmt::format(
        "order_by field '{}' has unsortable type {}; supported types: bool, int8/16/32/64, float, "
        "double, string, varchar; for JSON fields use path syntax like field[\"key\"]",
        name, model::DataTypeName(field->type))));
  }
  return value;
}

}  // namespace

Result<OrderPlan> PlanSearchOrder(const model::CollectionSchema& schema, const std::string& text) {
  OrderPlan plan;
  ASSIGN_OR_RETURN(auto terms, ReadTerms(text, "expected 'asc' or 'desc'"));
  for (OrderTerm& term : terms) {
    ASSIGN_OR_RETURN(model::RowValue value, ResolveSearchTerm(schema, term.name));
    Add(std::move(term), std::move(value), plan);
  }
  return plan;
}

Result<std::vector<OrderTerm>> ReadQueryOrder(const std::string& text) {
  return ReadTerms(text, "must be 'asc' or 'desc'");
}

Result<OrderPlan> PlanQueryOrder(const model::CollectionSchema& schema, const std::string& text) {
  OrderPlan plan;
  ASSIGN_OR_RETURN(auto terms, ReadQueryOrder(text));
  for (OrderTerm& term : terms) {
    const FieldSchema* field = schema.FindField(term.name);
    if (field == nullptr) return Error(NoSuchField(term.name));
    if (!IsSortable(field->type)) {
      return Error(
          InvalidParameter(fmt::format("order_by field '{}' has type {} which is not sortable",
                                       term.name, model::DataTypeName(field->type))));
    }
    Add(std::move(term), {.field = field->id}, plan);
  }
  return plan;
}

}  // namespace elanus::proxy
