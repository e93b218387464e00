// The writer of JSON under the room's own name. Called by rest_*.cc.
#pragma once

#include "base/json_writer.h"

namespace elanus::gateway {

using elanus::JsonWriter;

}  // namespace elanus::gateway
