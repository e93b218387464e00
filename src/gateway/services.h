// What handlers may call, and what they answer about the server itself.
#pragma once

#include <string>

#include "base/clock.h"
#include "model/hybrid_time.h"

namespace elanus::gateway {

struct Services {
  std::string version;  ///< what GetVersion says: a Milvus version with our name behind it
  std::string deploy_mode = "STANDALONE";
  const Clock* clock = &SystemClock();
  model::HybridClock* timestamps = nullptr;
};

}  // namespace elanus::gateway
