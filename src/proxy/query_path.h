// A query from the user's words to the user's rows: check, ask the shards, merge by primary key.
// Called by RowFrontend; the write path reads old rows through it. Threads: any; computes on the
// caller's.
#pragma once

#include <vector>

#include "proxy/backends.h"
#include "service/frontend.h"

namespace elanus::proxy {

class QueryPath {
 public:
  explicit QueryPath(const Backends& backends) : backends_(backends) {}

  Result<service::QueryResult> Run(const service::CallContext& call,
                                   const service::QueryCall& query) const;

 private:
  const Backends backends_;
};

/// Asks each shard for those of `request.keys` that are its own; the others are not asked.
Result<std::vector<service::QueryReply>> AskByKey(const Backends& backends,
                                                  const model::CollectionInfo& collection,
                                                  const service::QueryRequest& request,
                                                  const Cancel& cancel);

/// Asks every shard.
Result<std::vector<service::QueryReply>> AskAll(const Backends& backends,
                                                const model::CollectionInfo& collection,
                                                const service::QueryRequest& request,
                                                const Cancel& cancel);

}  // namespace elanus::proxy
