// order_by_fields: `field[:direction[:nulls]], ...`. Searches and queries name the same things with
// different error texts, both Milvus'. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "model/row_value.h"
#include "model/schema.h"
#include "rank/order.h"

namespace elanus::proxy {

struct OrderPlan {
  std::vector<std::string> names;           ///< as the user wrote them
  std::vector<model::RowValue> values;      ///< one a name
  std::vector<rank::Direction> directions;  ///< one a name

  bool empty() const { return values.empty(); }
};

/// Of a search: fields, paths into JSON fields and keys of the dynamic field.
/// \param text  empty: no order
Result<OrderPlan> PlanSearchOrder(const model::CollectionSchema& schema, const std::string& text);

/// Of a query: fields only.
Result<OrderPlan> PlanQueryOrder(const model::CollectionSchema& schema, const std::string& text);

/// What a list of order terms says, names unresolved: for orders over columns that are not fields
/// (aggregates). Errors are those of a query.
struct OrderTerm {
  std::string name;
  rank::Direction direction;
};
Result<std::vector<OrderTerm>> ReadQueryOrder(const std::string& text);

}  // namespace elanus::proxy
