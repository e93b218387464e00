// Base64 with padding, as headers and REST bodies carry it. Called by the chain and by REST.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace elanus::gateway {

/// Empty when `text` is not base64; missing padding is accepted.
std::optional<std::string> DecodeBase64(std::string_view text);
std::string EncodeBase64(std::string_view bytes);

}  // namespace elanus::gateway
