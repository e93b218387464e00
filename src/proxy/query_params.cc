#include "proxy/query_params.h"

#include <fmt/core.h>

#include "proxy/limits.h"
#include "proxy/params.h"
#include "proxy/search_params.h"

namespace elanus::proxy {

namespace {

Status PlanWindow(const Params& params, QueryPlan& plan) {
  ASSIGN_OR_RETURN(auto limit, params.Integer("limit"));
  if (!limit.has_value()) return Status::Ok();  // an offset alone is not looked at
  ASSIGN_OR_RETURN(auto offset, params.Integer("offset"));
  plan.limit = *limit;
  plan.offset = offset.value_or(0);
  const std::string window = "invalid max query result window, ";
  if (plan.limit <= 0) {
    return InvalidParameter(
        window + fmt::format("limit [{}] is invalid, should be greater than 0", plan.limit));
  }
  if (plan.offset < 0) {
    return InvalidParameter(
        window + fmt::format("offset [{}] is invalid, should be gte than 0", plan.offset));
  }
  if (plan.limit > kTopKMax || plan.offset > kTopKMax || plan.limit + plan.offset > kTopKMax) {
    return InvalidParameter(window +
                            fmt::format("(offset+limit) should be in range [1, {}], but got {}",
                                        kTopKMax, static_cast<__int128>(plan.limit) + plan.offset));
  }
  return Status::Ok();
}

}  // namespace

Result<QueryPlan> PlanQuery(const model::CollectionInfo& collection,
                            const service::QueryCall& query) {
  ASSIGN_OR_RETURN(Params params, Params::Open(query.params));
  QueryPlan plan;
  RETURN_IF_ERROR(PlanWindow(params, plan));
  ASSIGN_OR_RETURN(auto ignore,
                   params.Boolean("ignore_growing", "parse ignore growing field failed"));
  plan.ignore_growing = ignore.value_or(false);
  ASSIGN_OR_RETURN(auto iterator, params.Boolean("iterator", "parse iterator field failed"));
  plan.iterator = iterator.value_or(false);
  RETURN_IF_ERROR(
      StatusOf(params.Boolean("reduce_stop_for_best", "parse reduce stop for best field failed")));
  RETURN_IF_ERROR(CheckCollectionId(collection, params.Text("collection_id")));
  for (std::string_view key : {"order_by_fields", "group_by_fields"}) {
    const std::string* fields = params.Text(key);
    if (fields != nullptr && !fields->empty()) {
      return Error(Code::kUnsupported,
                   fmt::format("query with {} is not supported yet: unsupported operation", key));
    }
  }
  return plan;
}

}  // namespace elanus::proxy
