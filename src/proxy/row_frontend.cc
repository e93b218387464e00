#include "proxy/row_frontend.h"

#include "proxy/read_scope.h"

namespace elanus::proxy {

Result<service::FlushResult> RowFrontend::Flush(const service::CallContext& call,
                                                const std::vector<std::string>& collections) {
  std::vector<service::CollectionPtr> resolved;
  for (const auto& name : collections) {
    ASSIGN_OR_RETURN(auto collection, Resolve(backends_.coordinator, call, name));
    resolved.push_back(std::move(collection));
  }
  service::FlushResult result{.flushed_to = backends_.clock.Next()};
  for (size_t i = 0; i < resolved.size(); ++i) {
    auto& segments = result.segments[collections[i]];
    for (ShardId shard : resolved[i]->shards) {
      ASSIGN_OR_RETURN(auto sealed, backends_.shards.Flush(shard, call.cancel));
      segments.insert(segments.end(), sealed.begin(), sealed.end());
    }
  }
  return result;
}

}  // namespace elanus::proxy
