// Searches and queries of one shard at one timestamp.
#pragma once

#include <functional>

#include "base/cancel.h"
#include "base/crew.h"
#include "base/status.h"
#include "query/filter_cache.h"
#include "service/shard.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

/// What a read knows beside its request.
struct ReadScope {
  model::Timestamp at = 0;  ///< everything at or below it is applied
  const Cancel& cancel;
  query::FilterCache* filters = nullptr;
  Crew* crew = nullptr;                ///< helps while cores are idle
  std::function<void()> scanned = {};  ///< a segment noted a scan (segment.h); may be empty
};

Result<service::SearchReply> SearchShard(const Shard& shard, const service::SearchRequest& request,
                                         const ReadScope& scope);
Result<service::QueryReply> QueryShard(const Shard& shard, const service::QueryRequest& request,
                                       const ReadScope& scope);

}  // namespace elanus::worker
