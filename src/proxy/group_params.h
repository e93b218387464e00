// What a search asks for with group_by_field, group_by_fields, group_size and strict_group_size (a
// hybrid search among its rank parameters). Errors carry Milvus' texts. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/collection.h"
#include "model/row_value.h"
#include "proxy/params.h"

namespace elanus::proxy {

struct GroupPlan {
  std::vector<std::string> names;       ///< as the user wrote them
  std::vector<model::RowValue> values;  ///< one a name
  int64_t size = 1;                     ///< hits a group
  bool strict = false;
};

bool CanGroupBy(model::DataType type);

/// nullopt when the call does not group.
Result<std::optional<GroupPlan>> PlanGroup(const model::CollectionSchema& schema,
                                           const Params& params);

/// A search that groups may not also iterate, look within a range, or compare bits.
Status CheckGroupedSearch(const model::FieldSchema& vectors, const Params& params, bool iterator);

}  // namespace elanus::proxy
