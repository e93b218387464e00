#include "proxy/params.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "proxy/names.h"

namespace elanus::proxy {

namespace {

template <class T>
std::optional<T> ToNumber(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int64_t> ToInteger(std::string_view text) { return ToNumber<int64_t>(text); }
std::optional<double> ToReal(std::string_view text) { return ToNumber<double>(text); }

Result<Params> Params::Open(const model::KeyValues& pairs) {
  Params params;
  // The first pair of a key wins.
  for (const auto& [key, value] : pairs) params.pairs_.emplace(key, value);
  auto json = params.pairs_.find("params");
  if (json == params.pairs_.end() || json->second.empty()) return params;
  JsonReader reader;
  auto opened = reader.Object(json->second);
  if (!opened.has_value()) {
    return Error(
        opened.error().Wrap(fmt::format("search params in wrong format: {}", json->second)));
  }
  params.opened_.insert(std::make_move_iterator(opened->begin()),
                        std::make_move_iterator(opened->end()));
  return params;
}

const std::string* Params::Text(std::string_view key) const {
  if (auto found = pairs_.find(key); found != pairs_.end()) return &found->second;
  if (auto found = opened_.find(key); found != opened_.end()) return &found->second.text;
  return nullptr;
}

std::optional<JsonValue> Params::Typed(std::string_view key) const {
  if (auto found = opened_.find(key); found != opened_.end()) return found->second;
  if (auto found = pairs_.find(key); found != pairs_.end()) {
    return JsonValue{.kind = JsonValue::Kind::kString, .text = found->second};
  }
  return std::nullopt;
}

Result<std::optional<int64_t>> Params::Integer(std::string_view key) const {
  const std::string* text = Text(key);
  if (text == nullptr) return std::optional<int64_t>();
  const std::string_view trimmed = Trim(*text);
  auto value = ToInteger(trimmed);
  if (!value.has_value()) {
    return Error(InvalidParameter(fmt::format("{} [{}] is invalid", key, trimmed)));
  }
  return value;
}

Result<std::optional<bool>> Params::Boolean(std::string_view key,
                                            std::string_view parse_error) const {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
  const std::string* text = Text(key);
  if (text == nullptr) return std::optional<bool>();
  if (std::ranges::find(kTrue, *text) != kTrue.end()) return std::optional(true);
  if (std::ranges::find(kFalse, *text) != kFalse.end()) return std::optional(false);
  return Error(InvalidParameter(parse_error));
}

}  // namespace elanus::proxy
