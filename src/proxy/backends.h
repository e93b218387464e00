// Whom the proxy calls; all outlive it.
#pragma once

#include "model/hybrid_time.h"
#include "service/coordinator.h"
#include "service/shard.h"

namespace elanus {
class Crew;
}

namespace elanus::proxy {

struct Backends {
  service::Coordinator& coordinator;
  service::ShardService& shards;
  model::HybridClock& clock;
  int64_t history_ms = 3'600'000;  ///< reads at an earlier time go back this far
  Crew* crew = nullptr;            ///< asks shards at once while cores are idle; nullptr: nobody
};

}  // namespace elanus::proxy
