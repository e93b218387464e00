// A hybrid search: several vector searches of one collection at one moment, their rankings fused to
// one answer. Called by RowFrontend. Threads: any; computes on the caller's.
#pragma once

#include "proxy/backends.h"
#include "service/frontend.h"

namespace elanus::proxy {

class HybridPath {
 public:
  explicit HybridPath(const Backends& backends) : backends_(backends) {}

  Result<service::SearchResult> Run(const service::CallContext& call,
                                    const service::HybridSearchCall& search) const;

 private:
  const Backends backends_;
};

}  // namespace elanus::proxy
