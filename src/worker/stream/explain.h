// A read's trace as JSON, for EXPLAIN. Form: docs/user/explain.md. Pure function.
#pragma once

#include <string>

#include "base/ids.h"
#include "model/schema.h"
#include "query/trace.h"

namespace elanus::worker {

/// One shard's part of a plan: a JSON object.
std::string ExplainText(ShardId shard, const query::ReadTrace& trace,
                        const model::CollectionSchema& schema);

}  // namespace elanus::worker
