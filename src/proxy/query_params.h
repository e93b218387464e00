// A query call's parameters. Errors carry Milvus' texts. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "proxy/order_params.h"
#include "proxy/output_fields.h"
#include "proxy/params.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// Where an iterator over the elements that `element_filter` keeps has come to.
struct ElementCursor {
  std::string key;      ///< the last row's primary key
  int64_t element = 0;  ///< the last of its elements that the client has
};

struct QueryPlan {
  int64_t limit = -1;  ///< -1 = all
  int64_t offset = 0;
  bool ignore_growing = false;
  bool iterator = false;
  std::optional<ElementCursor> after;
  bool explain = false;  ///< the plan is wanted instead of the rows
  OutputPlan output;
  OrderPlan order;  ///< of an aggregated query: by its group fields
};

/// The part of a result that is wanted.
struct ResultWindow {
  int64_t limit = -1;  ///< -1 = all
  int64_t offset = 0;
};
/// `limit` and `offset` of a query or a hybrid search; an offset alone is not looked at.
Result<ResultWindow> PlanResultWindow(const Params& params);

Result<QueryPlan> PlanQuery(const model::CollectionInfo& collection,
                            const service::QueryCall& query);

}  // namespace elanus::proxy
