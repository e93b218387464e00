#include "expr/literal.h"

#include "base/utf8.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace elanus::expr {
namespace {

std::unexpected<Status> InvalidSyntax(std::string_view token) {
  return Error(Code::kInvalidParameter, fmt::format("invalid syntax: {}", token));
}

// Exactly `count` digits of `base` at the front of `text`.
std::optional<uint32_t> FixedDigits(std::string_view text, size_t count, int base) {
  if (text.size() < count) return std::nullopt;
  uint32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + count, value, base);
  if (error != std::errc() || end != text.data() + count) return std::nullopt;
  return value;
}

std::optional<char> SimpleEscape(char c) {
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\\':
    case '\'':
    case '"': return c;
    default: return std::nullopt;
  }
}

// Decodes the escape whose backslash is text[0]; returns its length, 0 when it is malformed.
size_t DecodeEscape(std::string_view text, std::string& out) {
  if (text.size() < 2) return 0;
  const char kind = text[1];
  if (std::optional<char> simple = SimpleEscape(kind)) {
    out += *simple;
    return 2;
  }
  if (kind >= '0' && kind <= '7') {
    auto byte = FixedDigits(text.substr(1), 3, 8);
    if (!byte || *byte > 255) return 0;
    out += static_cast<char>(*byte);
    return 4;
  }
  if (kind == 'x') {
    auto byte = FixedDigits(text.substr(2), 2, 16);
    if (!byte) return 0;
    out += static_cast<char>(*byte);
    return 4;
  }
  if (kind == 'u' || kind == 'U') {
    const size_t digits = kind == 'u' ? 4 : 8;
    auto point = FixedDigits(text.substr(2), digits, 16);
    if (!point || *point > 0x10FFFF || (*point >= 0xD800 && *point < 0xE000)) return 0;
    AppendUtf8(*point, out);
    return 2 + digits;
  }
  return 0;
}

std::string_view Unquoted(std::string_view token) { return token.substr(1, token.size() - 2); }

}  // namespace

Result<int64_t> IntegerValue(std::string_view token, bool negated) {
  int base = 10;
  std::string_view digits = token;
  if (token.size() > 1 && token[0] == '0') {
    const char mark = static_cast<char>(token[1] | 32);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    digits.remove_prefix(base == 8 ? 1 : 2);
  }
  uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (error != std::errc() || value > kMax + (negated ? 1 : 0)) {
    return Error(Code::kInvalidParameter,
                 fmt::format("strconv.ParseInt: parsing \"{}{}\": value out of range",
                             negated ? "-" : "", token));
  }
  return static_cast<int64_t>(value);
}

Result<double> FloatValue(std::string_view token) {
  double value = 0;
  auto format = std::chars_format::general;
  std::string_view digits = token;
  if (token.size() > 1 && token[0] == '0' && (token[1] | 32) == 'x') {
    format = std::chars_format::hex;
    digits.remove_prefix(2);
  }
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, format);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Error(Code::kInvalidParameter,
                 fmt::format("strconv.ParseFloat: parsing \"{}\": value out of range", token));
  }
  return value;
}

Result<std::string> StringValue(std::string_view token) {
  if (token[0] != '"' && token[0] != '\'') return InvalidSyntax(token);
  std::string_view text = Unquoted(token);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t slash = text.find('\\');
    out += text.substr(0, slash);
    if (slash == std::string_view::npos) break;
    text.remove_prefix(slash);
    const size_t length = DecodeEscape(text, out);
    if (length == 0) return InvalidSyntax(token);
    text.remove_prefix(length);
  }
  return out;
}

std::string_view RawStringValue(std::string_view token) {
  token.remove_prefix(1);
  return Unquoted(token);
}

Result<std::string> RegexValue(std::string_view token) {
  if (token[0] != '"' && token[0] != '\'') return InvalidSyntax(token);
  const std::string_view text = Unquoted(token);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() &&
        (text[i + 1] == '\\' || text[i + 1] == '"' || text[i + 1] == '\'')) {
      ++i;
    }
    out += text[i];
  }
  return out;
}

namespace {

// A key's text with \uXXXX decoded, pairs of surrogates joined; all else stays as written.
std::string KeyText(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    std::optional<uint32_t> point;
    if (text.substr(i).starts_with("\\u")) point = FixedDigits(text.substr(i + 2), 4, 16);
    if (!point) {
      out += text[i++];
      continue;
    }
    i += 6;
    if (*point >= 0xD800 && *point < 0xDC00 && text.substr(i).starts_with("\\u")) {
      if (auto low = FixedDigits(text.substr(i + 2), 4, 16); low && (*low >> 10) == 0x37) {
        point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
        i += 6;
      }
    }
    AppendUtf8(*point, out);
  }
  return out;
}

}  // namespace

Result<PathText> SplitPath(std::string_view token) {
  PathText path;
  size_t at = token.find('[');
  path.base = token.substr(0, at);
  while (at < token.size()) {
    ++at;  // the bracket
    const bool raw = token[at] == 'r' || token[at] == 'R';
    const size_t open = at + (raw ? 1 : 0);
    if (token[open] == '"' || token[open] == '\'') {
      size_t close = open + 1;
      while (token[close] != token[open]) close += token[close] == '\\' ? 2 : 1;
      const std::string_view text = token.substr(open + 1, close - open - 1);
      if (text.empty()) {
        return Error(Code::kInvalidParameter, fmt::format("invalid identifier: {}", token));
      }
      path.steps.push_back(raw ? std::string(text) : KeyText(text));
      at = close + 2;
    } else {
      const size_t close = token.find(']', at);
      path.steps.emplace_back(token.substr(at, close - at));
      at = close + 1;
    }
  }
  return path;
}

}  // namespace elanus::expr
