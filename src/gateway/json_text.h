// Small JSON texts inside requests: index parameters and template values. The only other reader of
// JSON in this room is rest_json. Called by template_wire, handle_index.
#pragma once

#include <string_view>

#include "base/status.h"
#include "service/frontend.h"

namespace elanus::gateway {

/// A number, string, bool or array of them. Errors: kInvalidParameter.
Result<expr::Value> JsonToValue(std::string_view text);

/// Adds the members of a JSON object to `params`: strings as they are, everything else as JSON
/// text. Errors: kInvalidParameter when `text` is no object.
Status FlattenJsonObject(std::string_view text, model::KeyValues& params);

}  // namespace elanus::gateway
