// What a read is about before it runs: which collection, which partitions, as of when. Errors carry
// Milvus' texts. Called by the read and write paths. Pure functions apart from Resolve.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "proxy/backends.h"
#include "service/call.h"
#include "service/frontend.h"

namespace elanus::proxy {

/// The collection of a name or alias; the name is checked first.
Result<service::CollectionPtr> Resolve(const service::Coordinator& coordinator,
                                       const service::CallContext& call, const std::string& name);

/// Ids of the named partitions; empty = none named. `partition name X not found`.
Result<std::vector<PartitionId>> NamedPartitions(const model::CollectionInfo& collection,
                                                 const std::vector<std::string>& names);

/// kCollectionNotLoaded or kPartitionNotLoaded unless the read can run. When no partition was named
/// and only some are loaded, names those.
Status CheckLoaded(const model::CollectionInfo& collection, std::vector<PartitionId>& partitions);

/// The timestamp a read must have seen.
/// \param iterator  pages of an iterator read exactly at the timestamp of their first page
service::ReadPoint ReadPointOf(const model::CollectionInfo& collection,
                               const service::Consistency& consistency, bool iterator,
                               model::Timestamp now);

/// The same of a call that comes now, or of the time it travels to. Errors: that is earlier than
/// history is kept.
Result<service::ReadPoint> ReadPointNow(const Backends& backends,
                                        const model::CollectionInfo& collection,
                                        const service::Consistency& consistency, bool iterator);

/// Parses the filter for a search or query.
/// \param time_zone  of times told without an offset
Result<expr::BoundFilter> BindFilter(const model::CollectionInfo& collection,
                                     const std::string& filter, const expr::Templates& templates,
                                     std::string_view time_zone);

}  // namespace elanus::proxy
