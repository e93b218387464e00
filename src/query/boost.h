// New distances for hits: a search's boost functions. Threads: pure functions.
#pragma once

#include <vector>

#include "expr/boost.h"
#include "query/search.h"

namespace elanus::query {

/// Gives the hits that a function's filter keeps their boosted distance and orders each list anew;
/// equal distances by key. What is boosted is the score with the larger one better: an L2 distance
/// counts as its negative.
/// Errors: the filters', kCanceled, kTimeout; kFieldNotFound for a random score's field.
Status ApplyBoost(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                  const expr::Boost& boost, std::vector<std::vector<SearchHit>>& results);

}  // namespace elanus::query
