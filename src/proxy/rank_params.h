// What a hybrid search makes of its rankings: rank_params, checked. Errors carry Milvus' texts.
// Pure functions.
#pragma once

#include <optional>

#include "base/status.h"
#include "proxy/function_score.h"
#include "proxy/group_params.h"
#include "rank/fuse.h"
#include "service/frontend.h"

namespace elanus::proxy {

inline constexpr size_t kHybridSearchesMax = 1'024;

struct RankPlan {
  int64_t limit = 0;
  int64_t offset = 0;
  int round_decimal = -1;
  ScorePlan score;
  std::optional<GroupPlan> group;  ///< limit and offset then count groups
  rank::GroupScorer group_scorer = rank::GroupScorer::kMax;
};

Result<RankPlan> PlanRank(const model::CollectionSchema& schema,
                          const service::HybridSearchCall& search);

}  // namespace elanus::proxy
