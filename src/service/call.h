// What travels with a user's call beside its arguments.
#pragma once

#include <string>

#include "base/cancel.h"

namespace elanus::service {

struct CallContext {
  std::string database = "default";
  std::string user;  ///< empty while authentication is off
  std::string request_id;
  Cancel cancel;
};

}  // namespace elanus::service
