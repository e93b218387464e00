// Merges on request: which shards, under which job. Errors carry Milvus' texts.
// Called by RowFrontend. Threads: any; returns before the merges begin.
#pragma once

#include "proxy/backends.h"
#include "service/frontend.h"

namespace elanus::proxy {

class CompactionPath {
 public:
  explicit CompactionPath(const Backends& backends) : backends_(backends) {}

  Result<service::CompactReply> Run(const service::CallContext& call,
                                    const service::CompactCall& compact) const;
  Result<service::CompactionPlans> OfJob(int64_t job) const;
  Result<service::CompactionPlans> Of(const service::CallContext& call,
                                      const std::string& collection) const;

 private:
  Status CheckSegments(const model::CollectionInfo& collection,
                       const service::CompactCall& compact) const;

  const Backends backends_;
};

}  // namespace elanus::proxy
