#include "proxy/query_params.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proxy/explain.h"
#include "proxy/limits.h"
#include "proxy/params.h"
#include "proxy/search_params.h"

namespace elanus::proxy {

Result<ResultWindow> PlanResultWindow(const Params& params) {
  ResultWindow window;
  ASSIGN_OR_RETURN(auto limit, params.Integer("limit"));
  if (!limit.has_value()) return window;
  ASSIGN_OR_RETURN(auto offset, params.Integer("offset"));
  window = {.limit = *limit, .offset = offset.value_or(0)};
  const std::string what = "invalid max query result window, ";
  if (window.limit <= 0) {
    return Error(InvalidParameter(
        what + fmt::format("limit [{}] is invalid, should be greater than 0", window.limit)));
  }
  if (window.offset < 0) {
    return Error(InvalidParameter(
        what + fmt::format("offset [{}] is invalid, should be gte than 0", window.offset)));
  }
  const __int128 end = static_cast<__int128>(window.limit) + window.offset;
  if (end > kTopKMax) {
    return Error(
        InvalidParameter(what + fmt::format("(offset+limit) should be in range [1, {}], but got {}",
                                            kTopKMax, end)));
  }
  return window;
}

namespace {

/// An aggregated result has the group fields to be ordered by, nothing else.
Status PlanGroupOrder(const model::CollectionSchema& schema, const std::string& text,
                      QueryPlan& plan) {
  ASSIGN_OR_RETURN(auto terms, ReadQueryOrder(text));
  for (OrderTerm& term : terms) {
    const model::FieldSchema* field = schema.FindField(term.name);
    const bool grouped = field != nullptr && std::ranges::find(plan.output.group_by, field->id) !=
                                                 plan.output.group_by.end();
    if (!grouped) {
      std::vector<std::string> targets;
      for (FieldId id : plan.output.group_by) targets.push_back(schema.FindField(id)->name);
      return InvalidParameter(
          fmt::format("ORDER BY field '{}' is not valid: when using GROUP BY or aggregates, ORDER "
                      "BY can only reference GROUP BY columns. Valid targets are: [{}]",
                      term.name, fmt::join(targets, ", ")));
    }
    plan.order.names.push_back(std::move(term.name));
    plan.order.values.push_back({.field = field->id});
    plan.order.directions.push_back(term.direction);
  }
  return Status::Ok();
}

Status PlanOrder(const model::CollectionSchema& schema, const Params& params, QueryPlan& plan) {
  const std::string* text = params.Text("order_by_fields");
  if (text == nullptr || text->empty()) return Status::Ok();
  if (plan.iterator) return InvalidParameter("ORDER BY with iterator is not supported");
  if (plan.output.aggregated()) {
    RETURN_IF_ERROR(PlanGroupOrder(schema, *text, plan));
  } else {
    ASSIGN_OR_RETURN(plan.order, PlanQueryOrder(schema, *text));
  }
  if (plan.limit < 0) return InvalidParameter("ORDER BY requires explicit limit");
  return Status::Ok();
}

Status PlanCursor(const Params& params, QueryPlan& plan) {
  const std::string* key = params.Text("query_iter_last_pk");
  ASSIGN_OR_RETURN(const auto element, params.Integer("query_iter_last_element_offset"));
  if (key == nullptr && !element) return Status::Ok();
  if (key == nullptr || !element) {
    return InvalidParameter(
        "incomplete query iterator cursor params: query_iter_last_pk and "
        "query_iter_last_element_offset must be set together");
  }
  if (!plan.iterator) {
    return InvalidParameter("query iterator cursor params are only allowed with iterator");
  }
  plan.after = ElementCursor{*key, *element};
  return Status::Ok();
}

}  // namespace

Result<QueryPlan> PlanQuery(const model::CollectionInfo& collection,
                            const service::QueryCall& query) {
  ASSIGN_OR_RETURN(Params params, Params::Open(query.params));
  QueryPlan plan;
  ASSIGN_OR_RETURN(const ResultWindow window, PlanResultWindow(params));
  plan.limit = window.limit;
  plan.offset = window.offset;
  ASSIGN_OR_RETURN(auto ignore,
                   params.Boolean("ignore_growing", "parse ignore growing field failed"));
  plan.ignore_growing = ignore.value_or(false);
  ASSIGN_OR_RETURN(auto iterator, params.Boolean("iterator", "parse iterator field failed"));
  plan.iterator = iterator.value_or(false);
  RETURN_IF_ERROR(PlanCursor(params, plan));
  RETURN_IF_ERROR(
      StatusOf(params.Boolean("reduce_stop_for_best", "parse reduce stop for best field failed")));
  RETURN_IF_ERROR(CheckCollectionId(collection, params.Text("collection_id")));
  ASSIGN_OR_RETURN(auto explain, params.Boolean("explain", "parse explain field failed"));
  plan.explain = explain.value_or(false);
  if (AsksForPlan(query.output_fields)) {
    plan.explain = true;
    ASSIGN_OR_RETURN(plan.output, PlanOutput(collection.schema, {}, ReadKind::kQuery));
    RETURN_IF_ERROR(PlanOrder(collection.schema, params, plan));
    return plan;
  }
  const std::string* groups = params.Text("group_by_fields");
  ASSIGN_OR_RETURN(plan.output, PlanQueryOutput(collection.schema, query.output_fields,
                                                groups == nullptr ? std::string() : *groups));
  RETURN_IF_ERROR(PlanOrder(collection.schema, params, plan));
  return plan;
}

}  // namespace elanus::proxy
