// UTF-8: is this text? Asked of every string that comes from outside (gateway/), since clients
// refuse replies with text that is not. And code points written as it, where texts have escapes
// (expr/, query/).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace elanus {

/// No overlong forms, no surrogates, nothing above U+10FFFF. Cost: eight ASCII bytes a step.
bool IsUtf8(std::string_view text);

/// The text with U+FFFD in place of each byte that is not part of it: for messages that quote bytes
/// from outside.
std::string ToUtf8(std::string_view text);

/// Appends a code point, at most U+10FFFF, as UTF-8; a surrogate as if it were one.
void AppendUtf8(uint32_t point, std::string& out);

}  // namespace elanus
