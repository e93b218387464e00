// Searches and queries of one shard at one timestamp.
#pragma once

#include "base/cancel.h"
#include "base/status.h"
#include "service/shard.h"
#include "worker/stream/shard.h"

namespace elanus::worker {

/// \param at  the read's timestamp; everything at or below it is applied
Result<service::SearchReply> SearchShard(const Shard& shard, const service::SearchRequest& request,
                                         model::Timestamp at, const Cancel& cancel);
Result<service::QueryReply> QueryShard(const Shard& shard, const service::QueryRequest& request,
                                       model::Timestamp at, const Cancel& cancel);

}  // namespace elanus::worker
