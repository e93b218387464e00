// A vector search from the user's words to the user's result: check, ask every shard, merge.
// Called by RowFrontend. Threads: any; computes on the caller's.
#pragma once

#include "proxy/backends.h"
#include "proxy/output_fields.h"
#include "proxy/search_params.h"
#include "service/frontend.h"

namespace elanus::proxy {

class SearchPath {
 public:
  explicit SearchPath(const Backends& backends) : backends_(backends) {}

  Result<service::SearchResult> Run(const service::CallContext& call,
                                    const service::SearchCall& search) const;

 private:
  const Backends backends_;
};

}  // namespace elanus::proxy
