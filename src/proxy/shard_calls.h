// One question to several shards of a collection: at once while cores are idle, else one after
// another. Called by the read paths, and by writes that read first. Threads: any; the caller's, and
// helpers (base/crew.h).
#pragma once

#include <optional>
#include <vector>

#include "proxy/backends.h"
#include "service/call.h"

namespace elanus::proxy {

/// Of whom a call asks.
struct Asked {
  const Backends& backends;
  const model::CollectionInfo& collection;
  const Cancel& cancel;
  std::optional<size_t> only;  ///< one of the collection's shards; nothing = all
};

/// Those of the shards that are asked, as places in the collection's list.
std::vector<size_t> PlacesOf(const Asked& asked);

/// Answers in the shards' order. Errors: one of the shards'.
/// \param request  its shard is written over
Result<std::vector<service::SearchReply>> SearchAll(const Asked& asked,
                                                    service::SearchRequest& request);
Result<std::vector<service::QueryReply>> QueryAll(const Asked& asked,
                                                  service::QueryRequest& request);

/// Asks each shard for those of `request.keys` that are its own; the others are not asked.
/// \param request  its shard is written over
Result<std::vector<service::QueryReply>> QueryKeys(const Asked& asked,
                                                   service::QueryRequest& request);

}  // namespace elanus::proxy
