// What handlers may call, and what they answer about the server itself.
// Holds: the two halves of the proxy outlive the gateway. Made by server/, read by handlers.
#pragma once

#include <string>

#include "service/frontend.h"

namespace elanus::gateway {

struct Services {
  service::FrontendCatalog* catalog = nullptr;
  service::FrontendData* data = nullptr;
  std::string version;  ///< what GetVersion says: a Milvus version with our name behind it
  std::string deploy_mode = "STANDALONE";
};

}  // namespace elanus::gateway
