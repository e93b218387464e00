// Inserts, upserts and deletes from the user's columns to writes on shards: check, fill, split by
// shard and partition, send, gather.
// Holds: nothing is sent unless the whole call is good; one write is one atomic unit on one shard,
// across shards there is none. Called by RowFrontend. Threads: any; checks (and the reading that a
// partial update or a delete by filter needs) run on the caller's, `done` on an owner's.
#pragma once

#include "proxy/auto_ids.h"
#include "proxy/backends.h"
#include "proxy/row_check.h"
#include "service/frontend.h"

namespace elanus::proxy {

class WritePath {
 public:
  explicit WritePath(const Backends& backends) : backends_(backends), ids_(backends.coordinator) {}

  void Mutate(const service::CallContext& call, service::MutationCall mutation,
              service::MutationDone done);
  void Delete(const service::CallContext& call, service::DeleteCall deletion,
              service::MutationDone done);

 private:
  struct Prepared {
    std::vector<service::WriteRequest> writes;
    service::MutationReply reply;
  };

  Result<Prepared> PrepareMutation(const service::CallContext& call,
                                   service::MutationCall& mutation);
  Result<Prepared> PrepareDelete(const service::CallContext& call,
                                 const service::DeleteCall& deletion);
  void Send(Result<Prepared> prepared, service::MutationDone done);

  const Backends backends_;
  AutoIds ids_;
};

}  // namespace elanus::proxy
