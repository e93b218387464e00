// The buckets of a search_aggregation, computed over a search's merged hits. Pure functions.
#pragma once

#include <vector>

#include "proxy/aggregation_params.h"
#include "proxy/ann_search.h"

namespace elanus::proxy {

/// Puts the found hits into result.buckets and result.bucket_counts. Hits show `output`, the
/// columns that the user asked for, aligned with them.
/// \param metric  which scores are better
void FillBuckets(const AggregationPlan& plan, const AnnResult& found, model::Metric metric,
                 const std::vector<service::OutputColumn>& output, service::SearchResult& result);

}  // namespace elanus::proxy
