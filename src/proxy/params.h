// The parameters of a search or query: pairs of strings, one of which (`params`) may hold a JSON
// object of more. Lookups find a key in either. Errors carry Milvus' texts. Threads: any.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/schema.h"
#include "proxy/json.h"

namespace elanus::proxy {

class Params {
 public:
  /// Opens `params`. An error when it is not a JSON object.
  static Result<Params> Open(const model::KeyValues& pairs);

  /// The value as text; nullptr when not given. A pair wins over the JSON object.
  const std::string* Text(std::string_view key) const;
  /// The value as the client typed it: the JSON object wins, a pair is a string.
  std::optional<JsonValue> Typed(std::string_view key) const;

  /// `KEY [TEXT] is invalid` when the text is not an integer.
  Result<std::optional<int64_t>> Integer(std::string_view key) const;
  /// Go's spelling of truth; nullopt when not given. `parse_error` is the text of a bad one.
  Result<std::optional<bool>> Boolean(std::string_view key, std::string_view parse_error) const;

 private:
  std::map<std::string, std::string, std::less<>> pairs_;
  std::map<std::string, JsonValue, std::less<>> opened_;
};

/// A whole text as a number.
std::optional<int64_t> ToInteger(std::string_view text);
std::optional<double> ToReal(std::string_view text);

}  // namespace elanus::proxy
