// A read that is explained instead of answered: asked for by the parameter `explain`, or by a query
// for the output field `explain(*)`. Form of the plan: docs/user/explain.md. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "expr/filter.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// What the plan's column is called, and asked for.
inline constexpr std::string_view kExplainColumn = "explain(*)";

/// Whether the output fields of a query ask for its plan and nothing else.
bool AsksForPlan(const std::vector<std::string>& output_fields);

/// The plan as one row of one JSON column.
/// \param shards  JSON objects, one a shard
service::OutputColumn PlanColumn(const model::CollectionSchema& schema,
                                 const expr::BoundFilter& filter,
                                 const std::vector<std::string>& shards, double us);

}  // namespace elanus::proxy
