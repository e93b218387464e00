// Values of a filter's {name} placeholders, from the wire. Called by request_wire and, for Delete,
// handle_data.
#pragma once

#include "base/status.h"
#include "gateway/wire_reader.h"
#include "service/frontend.h"

namespace elanus::gateway {

/// Reads one entry of the map expr_template_values into `templates`.
Status ReadTemplate(WireReader entry, expr::Templates& templates);

}  // namespace elanus::gateway
