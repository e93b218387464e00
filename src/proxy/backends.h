// Whom the proxy calls; all outlive it.
#pragma once

#include "model/hybrid_time.h"
#include "service/coordinator.h"
#include "service/shard.h"

namespace elanus::proxy {

struct Backends {
  service::Coordinator& coordinator;
  service::ShardService& shards;
  model::HybridClock& clock;
};

}  // namespace elanus::proxy
