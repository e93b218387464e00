// Is this text UTF-8? Asked of every string that comes from outside, since clients refuse replies
// with text that is not. Called by column_wire, request_wire,
// status_wire.
#pragma once

#include <string>
#include <string_view>

namespace elanus::gateway {

/// No overlong forms, no surrogates, nothing above U+10FFFF. Cost: eight ASCII bytes a step.
bool IsUtf8(std::string_view text);

/// The text with U+FFFD in place of each byte that is not part of it: for messages that quote bytes
/// from outside.
std::string ToUtf8(std::string_view text);

}  // namespace elanus::gateway
