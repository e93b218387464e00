#include "query/filter_json_text.h"

#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>

namespace elanus::query {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool EndsScalar(char c) { return c == ',' || c == ']' || c == '}' || c == ':' || IsBlank(c); }

// The first byte at or after `at` that Scalar accepts, or `end`. Sixteen bytes a step where the
// machine has SSE2: Vector gives 0xFF for the same bytes.
#ifdef __SSE2__
template <class Scalar, class Vector>
const char* FindByte(const char* at, const char* end, Scalar scalar, Vector vector) {
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(vector(bytes)));
    if (mask != 0) return at + std::countr_zero(mask);
  }
  while (at != end && !scalar(*at)) ++at;
  return at;
}
__m128i EqualBytes(__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); }
#endif

bool StopsString(char c) { return c == '"' || c == '\\'; }
const char* FindStringStop(const char* at, const char* end) {
#ifdef __SSE2__
  return FindByte(at, end, StopsString, [](__m128i bytes) {
    return _mm_or_si128(EqualBytes(bytes, '"'), EqualBytes(bytes, '\\'));
  });
#else
  return std::find_if(at, end, StopsString);
#endif
}

// A quote or a bracket of either kind: [ and ] differ from { and } by one bit.
bool IsStructure(char c) { return c == '"' || (c | 0x20) == '{' || (c | 0x20) == '}'; }
const char* FindStructure(const char* at, const char* end) {
#ifdef __SSE2__
  return FindByte(at, end, IsStructure, [](__m128i bytes) {
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    return _mm_or_si128(EqualBytes(bytes, '"'),
                        _mm_or_si128(EqualBytes(folded, '{'), EqualBytes(folded, '}')));
  });
#else
  return std::find_if(at, end, IsStructure);
#endif
}

std::optional<uint32_t> FourHex(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
  if (error != std::errc() || end != text.data() + 4) return std::nullopt;
  return value;
}

// Decodes the escape at text[0] == '\\'; returns its length, at least 1.
size_t DecodeEscape(std::string_view text, std::string& out) {
  if (text.size() < 2) return 1;
  switch (text[1]) {
    case 'b': out += '\b'; return 2;
    case 'f': out += '\f'; return 2;
    case 'n': out += '\n'; return 2;
    case 'r': out += '\r'; return 2;
    case 't': out += '\t'; return 2;
    case 'u': break;
    default: out += text[1]; return 2;
  }
  std::optional<uint32_t> point = FourHex(text.substr(2));
  if (!point) return 2;
  size_t length = 6;
  if (*point >= 0xD800 && *point < 0xDC00 && text.substr(6).starts_with("\\u")) {
    if (auto low = FourHex(text.substr(8)); low && *low >= 0xDC00 && *low < 0xE000) {
      point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
      length = 12;
    }
  }
  AppendUtf8(*point, out);
  return length;
}

std::optional<uint64_t> PositionOf(std::string_view step) {
  if (step.empty() || (step.size() > 1 && step[0] == '0')) return std::nullopt;
  uint64_t position = 0;
  auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), position);
  if (error != std::errc() || end != step.data() + step.size()) return std::nullopt;
  return position;
}

}  // namespace

char JsonCursor::Peek() {
  while (at_ != end_ && IsBlank(*at_)) ++at_;
  return at_ == end_ ? '\0' : *at_;
}

bool JsonCursor::Take(char c) {
  if (Peek() != c || at_ == end_) return false;
  ++at_;
  return true;
}

bool JsonCursor::StringToken(std::string_view* text, bool* escaped) {
  const char* begin = ++at_;
  *escaped = false;
  for (;;) {
    at_ = FindStringStop(at_, end_);
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    *escaped = true;
    if (end_ - at_ < 2) return false;
    at_ += 2;
  }
  *text = {begin, static_cast<size_t>(at_ - begin)};
  ++at_;
  return true;
}

// From an opening bracket to behind its partner; brackets are counted, not matched by kind.
bool JsonCursor::SkipContainer() {
  int64_t depth = 0;
  while ((at_ = FindStructure(at_, end_)) != end_) {
    const char c = *at_;
    if (c == '"') {
      std::string_view text;
      bool escaped = false;
      if (!StringToken(&text, &escaped)) return false;
      continue;
    }
    ++at_;
    depth += (c | 0x20) == '{' ? 1 : -1;
    if (depth == 0) return true;
  }
  return false;
}

bool JsonCursor::SkipValue() {
  const char c = Peek();
  if (c == '"') {
    std::string_view text;
    bool escaped = false;
    return StringToken(&text, &escaped);
  }
  if (c == '{' || c == '[') return SkipContainer();
  const char* begin = at_;
  while (at_ != end_ && !EndsScalar(*at_)) ++at_;
  return at_ != begin;
}

bool JsonCursor::TakeWord(std::string_view word) {
  const char* begin = at_;
  while (at_ != end_ && !EndsScalar(*at_)) ++at_;
  return std::string_view(begin, static_cast<size_t>(at_ - begin)) == word;
}

JsonValue JsonCursor::Number() {
  const char* begin = at_;
  bool whole = true;
  for (; at_ != end_ && !EndsScalar(*at_); ++at_) {
    whole &= *at_ == '-' || (*at_ >= '0' && *at_ <= '9');
  }
  JsonValue value;
  if (whole) {
    auto [end, error] = std::from_chars(begin, at_, value.number);
    if (error == std::errc() && end == at_) {
      value.kind = JsonKind::kInt;
      return value;
    }
    uint64_t large = 0;
    auto [large_end, large_error] = std::from_chars(begin, at_, large);
    if (large_error == std::errc() && large_end == at_) {
      value.kind = JsonKind::kUnsigned;
      value.number = static_cast<int64_t>(large);
      return value;
    }
  }
  auto [end, error] = std::from_chars(begin, at_, value.fraction);
  if (end != at_) return {};
  if (error == std::errc::result_out_of_range) {  // overflow or underflow: strtod tells which
    value.fraction = std::strtod(std::string(begin, at_).c_str(), nullptr);
  } else if (error != std::errc()) {
    return {};
  }
  value.kind = JsonKind::kDouble;
  return value;
}

JsonValue JsonCursor::Value() {
  JsonValue value;
  switch (Peek()) {
    case '"':
      if (StringToken(&value.text, &value.escaped)) value.kind = JsonKind::kString;
      return value;
    case '{':
    case '[': {
      const char* begin = at_;
      const JsonKind kind = *at_ == '{' ? JsonKind::kObject : JsonKind::kArray;
      if (!SkipContainer()) return value;
      value.kind = kind;
      value.text = {begin, static_cast<size_t>(at_ - begin)};
      return value;
    }
    case 't': value.kind = TakeWord("true") ? JsonKind::kTrue : JsonKind::kMissing; return value;
    case 'f': value.kind = TakeWord("false") ? JsonKind::kFalse : JsonKind::kMissing; return value;
    case 'n': value.kind = TakeWord("null") ? JsonKind::kNull : JsonKind::kMissing; return value;
    default: return Number();
  }
}

bool JsonCursor::EnterKey(std::string_view key) {
  if (!Take('{')) return false;
  while (Peek() == '"') {
    JsonValue name{.kind = JsonKind::kString};
    if (!StringToken(&name.text, &name.escaped) || !Take(':')) return false;
    if (!name.escaped) {
      if (name.text == key) return true;
    } else {
      std::string buffer;
      if (Unescaped(name, buffer) == key) return true;
    }
    if (!SkipValue() || !Take(',')) return false;
  }
  return false;
}

bool JsonCursor::EnterElement(uint64_t position) {
  if (!Take('[')) return false;
  for (; position != 0; --position) {
    if (Peek() == ']' || !SkipValue() || !Take(',')) return false;
  }
  return Peek() != ']';
}

JsonValue FindJson(std::string_view document, const std::vector<std::string>& path) {
  JsonCursor cursor(document);
  for (const std::string& step : path) {
    const char next = cursor.Peek();
    if (next == '{') {
      if (!cursor.EnterKey(step)) return {};
    } else if (next == '[') {
      const std::optional<uint64_t> position = PositionOf(step);
      if (!position || !cursor.EnterElement(*position)) return {};
    } else {
      return {};
    }
  }
  return cursor.Value();
}

std::string_view Unescaped(const JsonValue& value, std::string& buffer) {
  if (!value.escaped) return value.text;
  buffer.clear();
  std::string_view rest = value.text;
  while (!rest.empty()) {
    const size_t slash = rest.find('\\');
    buffer += rest.substr(0, slash);
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash);
    rest.remove_prefix(DecodeEscape(rest, buffer));
  }
  return buffer;
}

bool IsEmptyJson(const JsonValue& value) {
  if (value.kind == JsonKind::kMissing || value.kind == JsonKind::kNull) return true;
  if (value.kind != JsonKind::kArray && value.kind != JsonKind::kObject) return false;
  // Outside strings only brackets, commas, colons, blanks and the letters of `null` may occur; a
  // string must be a key.
  const std::string_view text = value.text;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= '0' && c <= '9') || c == 't' || c == 'f') return false;
    if (c != '"') continue;
    for (++i; i < text.size() && text[i] != '"'; ++i) {
      if (text[i] == '\\') ++i;
    }
    size_t next = i + 1;
    while (next < text.size() && IsBlank(text[next])) ++next;
    if (next >= text.size() || text[next] != ':') return false;
  }
  return true;
}

}  // namespace elanus::query
