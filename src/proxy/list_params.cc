#include "proxy/list_params.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace elanus::proxy {
namespace {

using By = rank::Collapse::By;

struct Strategy {
  std::string_view name;
  By by;
  bool has_top;
};
constexpr std::array kStrategies = {
    Strategy{"max", By::kNearest, false}, Strategy{"sum", By::kSum, false},
    Strategy{"avg", By::kAverage, false}, Strategy{"topk_sum", By::kSum, true},
    Strategy{"topk_avg", By::kAverage, true}};

using Members = std::map<std::string, JsonValue>;

Result<Members> MembersOf(const JsonValue& value, std::string_view name) {
  auto members = JsonReader().Object(value.text);
  if (members.has_value()) return members;
  return Error(InvalidParameter(fmt::format("{} must be a JSON object, got {}", name, value.text)));
}

/// The number of a strategy that has one; 0 for the others.
Result<size_t> TopOf(const Members& collapse, const Strategy& strategy) {
  const auto given = collapse.find("topk");
  if (given == collapse.end()) {
    if (!strategy.has_top) return 0;
    return Error(InvalidParameter(
        fmt::format("element_scope.collapse.topk is required for strategy {}", strategy.name)));
  }
  if (!strategy.has_top) {
    return Error(InvalidParameter("element_scope.collapse.topk is only valid for topk strategies"));
  }
  if (given->second.kind != JsonValue::Kind::kInteger) {
    return Error(InvalidParameter("element_scope.collapse.topk must be an integer"));
  }
  if (given->second.integer <= 0) {
    return Error(InvalidParameter("element_scope.collapse.topk must be positive"));
  }
  return static_cast<size_t>(given->second.integer);
}

bool OnlyByKey(const model::CollectionSchema& schema, const GroupPlan& group) {
  return std::ranges::all_of(group.values, [&](const model::RowValue& value) {
    return value.field == schema.primary()->id;
  });
}

bool ByLists(const SearchPlan& plan) {
  return plan.field->type == model::DataType::kArrayOfVector && !plan.by_element;
}

}  // namespace

Result<std::optional<rank::Collapse>> ElementScopeOf(const Params& params, const SearchPlan& plan) {
  const auto given = params.Typed("element_scope");
  if (!given) return std::nullopt;
  if (!plan.by_element) {
    return Error(InvalidParameter("element_scope is only supported for element-level search"));
  }
  ASSIGN_OR_RETURN(const Members scope, MembersOf(*given, "element_scope"));
  const auto inner = scope.find("collapse");
  if (inner == scope.end()) return std::nullopt;
  ASSIGN_OR_RETURN(const Members collapse, MembersOf(inner->second, "element_scope.collapse"));
  const auto named = collapse.find("strategy");
  const std::string name = named == collapse.end() ? "" : named->second.text;
  const auto* strategy = std::ranges::find(kStrategies, name, &Strategy::name);
  if (strategy == kStrategies.end()) {
    return Error(
        InvalidParameter(fmt::format("unsupported element_scope.collapse.strategy: {}", name)));
  }
  ASSIGN_OR_RETURN(const size_t top, TopOf(collapse, *strategy));
  if (strategy->by == By::kSum && !model::ScoreAscendsWithNearness(plan.metric)) {
    // A row would be the nearer the fewer elements it has.
    return Error(InvalidParameter(fmt::format(
        "element_scope.collapse.strategy {} is only supported for metrics whose larger scores are "
        "nearer, got {}",
        name, model::MetricName(plan.metric))));
  }
  return rank::Collapse{.by = strategy->by, .top = top};
}

Status CheckListSearch(const model::CollectionSchema& schema, const SearchPlan& plan) {
  auto refused = [](std::string_view what) {
    return InvalidParameter(
        fmt::format("{} is not supported for multi-search-multi on embedding list fields", what));
  };
  if (ByLists(plan) && plan.params.radius) return refused("range search");
  if (ByLists(plan) && plan.group) return refused("group by");
  if (plan.by_element && plan.group && !OnlyByKey(schema, *plan.group)) {
    return InvalidParameter("only group by primary key is supported for element-level search");
  }
  return Status::Ok();
}

Result<bool> CheckListParts(const model::CollectionSchema& schema,
                            const std::optional<GroupPlan>& group,
                            std::span<const SearchPlan* const> parts) {
  auto refused = [](std::string_view what) {
    return Error(InvalidParameter(fmt::format(
        "{} search is not supported for vector array (embedding-list) fields in hybrid search",
        what)));
  };
  bool any = false;
  bool same = !parts.empty();
  for (const SearchPlan* part : parts) {
    if (ByLists(*part) && part->params.radius) return refused("range");
    if (ByLists(*part) && group) return refused("group by");
    any |= part->by_element;
    same &= part->by_element && part->field->struct_name == parts.front()->field->struct_name;
  }
  if (any && group && !same) {
    return Error(
        InvalidParameter("group by search is only supported for same-struct element-level vector "
                         "array fields"));
  }
  if (same && group && !OnlyByKey(schema, *group)) {
    return Error(
        InvalidParameter("only group by primary key is supported for same-struct element-level "
                         "vector array fields"));
  }
  const bool scoped = std::ranges::any_of(
      parts, [](const SearchPlan* part) { return part->element_scope.has_value(); });
  if (same && scoped) {
    return Error(InvalidParameter(
        "element_scope is not allowed for same-struct element-level hybrid search"));
  }
  return same;
}

}  // namespace elanus::proxy
