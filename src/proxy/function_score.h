// A FunctionScore: functions that give hits new scores. Errors carry Milvus' texts. Pure functions.
#pragma once

#include <optional>

#include "base/status.h"
#include "model/row_value.h"
#include "model/schema.h"
#include "proxy/params.h"
#include "rank/decay.h"
#include "rank/fuse.h"
#include "service/frontend.h"

namespace elanus::proxy {

struct ScorePlan {
  rank::Fusion fusion;
  std::optional<rank::Decay> decay;  ///< of rank::Decayed
  model::RowValue input;             ///< what decays
};

/// \param searches  the rankings to be fused
Result<ScorePlan> PlanFunctionScore(const model::CollectionSchema& schema,
                                    const service::FunctionScore& score, size_t searches);

/// The two fusions that need no input: of a strategy in rank_params, or of a function.
Result<rank::Fusion> PlanReciprocalRank(const Params& params);
Result<rank::Fusion> PlanWeightedSum(const Params& params, size_t searches);

}  // namespace elanus::proxy
