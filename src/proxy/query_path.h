// A query from the user's words to the user's rows: check, ask the shards, merge by primary key.
// Called by RowFrontend. Threads: any; computes on the caller's.
#pragma once

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

}  // namespace elanus::proxy
