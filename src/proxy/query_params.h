// A query call's parameters. Errors carry Milvus' texts. Pure functions.
#pragma once

#include "base/status.h"
#include "service/frontend.h"

namespace elanus::proxy {

struct QueryPlan {
  int64_t limit = -1;  ///< -1 = all
  int64_t offset = 0;
  bool ignore_growing = false;
  bool iterator = false;
};

Result<QueryPlan> PlanQuery(const model::CollectionInfo& collection,
                            const service::QueryCall& query);

}  // namespace elanus::proxy
