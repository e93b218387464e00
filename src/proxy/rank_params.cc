#include "proxy/rank_params.h"

#include <fmt/core.h>

#include "proxy/params.h"
#include "proxy/query_params.h"
#include "proxy/search_params.h"

namespace elanus::proxy {

namespace {

Result<rank::Fusion> PlanFusion(const Params& params, size_t searches) {
  const std::string* strategy = params.Text("strategy");
  if (strategy == nullptr || *strategy == "rrf") return PlanReciprocalRank(params);
  if (*strategy == "weighted") return PlanWeightedSum(params, searches);
  return Error(InvalidParameter(fmt::format("unsupported rank type {}", *strategy)));
}

Result<rank::GroupScorer> PlanScorer(const Params& params) {
  const std::string* scorer = params.Text("rank_group_scorer");
  if (scorer == nullptr || *scorer == "max") return rank::GroupScorer::kMax;
  if (*scorer == "sum") return rank::GroupScorer::kSum;
  if (*scorer == "avg") return rank::GroupScorer::kAverage;
  return Error(
      InvalidParameter(fmt::format("input group scorer type: {} is not supported!", *scorer)));
}

}  // namespace

Result<RankPlan> PlanRank(const model::CollectionSchema& schema,
                          const service::HybridSearchCall& search) {
  ASSIGN_OR_RETURN(const Params params, Params::Open(search.rank_params));
  RankPlan plan;
  if (params.Text("limit") == nullptr) {
    return Error(InvalidParameter("limit not found in rank_params"));
  }
  ASSIGN_OR_RETURN(const ResultWindow window, PlanResultWindow(params));
  plan.limit = window.limit;
  plan.offset = window.offset;
  ASSIGN_OR_RETURN(plan.round_decimal, PlanRounding(params));
  const size_t searches = search.searches.size();
  if (search.function_score.has_value()) {
    ASSIGN_OR_RETURN(plan.score, PlanFunctionScore(schema, *search.function_score, searches));
  } else {
    ASSIGN_OR_RETURN(plan.score.fusion, PlanFusion(params, searches));
  }
  ASSIGN_OR_RETURN(plan.group, PlanGroup(schema, params));
  ASSIGN_OR_RETURN(plan.group_scorer, PlanScorer(params));
  return plan;
}

}  // namespace elanus::proxy
