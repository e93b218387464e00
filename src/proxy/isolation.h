// Partition key isolation: a collection with the property `partitionkey.isolation` is searched one
// key at a time. Errors carry Milvus' texts. Called by the search paths. A pure function.
#pragma once

#include "base/status.h"
#include "expr/filter.h"
#include "model/collection.h"

namespace elanus::proxy {

/// Ok unless the collection isolates its keys and the filter does not name exactly one: it must be
/// `key == value`, alone or in an `and`.
Status CheckIsolation(const model::CollectionInfo& collection, const expr::BoundFilter& filter);

}  // namespace elanus::proxy
