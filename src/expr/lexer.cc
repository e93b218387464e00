#include "expr/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace elanus::expr {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }

struct Keyword {
  std::string_view lower;
  TokenKind kind;
};

constexpr auto kKeywords = std::to_array<Keyword>({
    {"and", TokenKind::kAnd},
    {"or", TokenKind::kOr},
    {"not", TokenKind::kNot},
    {"in", TokenKind::kIn},
    {"like", TokenKind::kLike},
    {"exists", TokenKind::kExists},
    {"text_match", TokenKind::kFunction},
    {"text_match_fuzzy", TokenKind::kFunction},
    {"phrase_match", TokenKind::kFunction},
    {"random_sample", TokenKind::kFunction},
    {"match_all", TokenKind::kFunction},
    {"match_any", TokenKind::kFunction},
    {"match_least", TokenKind::kFunction},
    {"match_most", TokenKind::kFunction},
    {"match_exact", TokenKind::kFunction},
    {"json_contains", TokenKind::kFunction},
    {"json_contains_all", TokenKind::kFunction},
    {"json_contains_any", TokenKind::kFunction},
    {"array_contains", TokenKind::kFunction},
    {"array_contains_all", TokenKind::kFunction},
    {"array_contains_any", TokenKind::kFunction},
    {"array_length", TokenKind::kFunction},
    {"element_filter", TokenKind::kFunction},
    {"st_equals", TokenKind::kFunction},
    {"st_touches", TokenKind::kFunction},
    {"st_overlaps", TokenKind::kFunction},
    {"st_crosses", TokenKind::kFunction},
    {"st_contains", TokenKind::kFunction},
    {"st_intersects", TokenKind::kFunction},
    {"st_within", TokenKind::kFunction},
    {"st_dwithin", TokenKind::kFunction},
    {"st_isvalid", TokenKind::kFunction},
    {"interval", TokenKind::kOption},
    {"iso", TokenKind::kOption},
    {"minimum_should_match", TokenKind::kOption},
    {"threshold", TokenKind::kOption},
});

constexpr char UpperOf(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool IsUpperOf(std::string_view word, std::string_view lower) {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                    [](char w, char l) { return w == UpperOf(l); });
}

TokenKind WordKind(std::string_view word) {
  if (word == "true" || word == "True" || word == "TRUE") return TokenKind::kTrue;
  if (word == "false" || word == "False" || word == "FALSE") return TokenKind::kFalse;
  for (const Keyword& keyword : kKeywords) {
    if (keyword.lower.size() != word.size()) continue;
    if (word == keyword.lower || IsUpperOf(word, keyword.lower)) return keyword.kind;
  }
  return TokenKind::kIdentifier;
}

struct OperatorText {
  std::string_view text;
  TokenKind kind;
};

// Longer before shorter: the first that fits is the longest match.
constexpr auto kOperators = std::to_array<OperatorText>({
    {"**", TokenKind::kPower},       {"<<", TokenKind::kShiftLeft}, {">>", TokenKind::kShiftRight},
    {"<=", TokenKind::kLe},          {">=", TokenKind::kGe},        {"==", TokenKind::kEq},
    {"!=", TokenKind::kNe},          {"=~", TokenKind::kMatch},     {"!~", TokenKind::kNotMatch},
    {"&&", TokenKind::kAnd},         {"||", TokenKind::kOr},        {"+", TokenKind::kPlus},
    {"-", TokenKind::kMinus},        {"*", TokenKind::kStar},       {"/", TokenKind::kSlash},
    {"%", TokenKind::kPercent},      {"&", TokenKind::kBitAnd},     {"|", TokenKind::kBitOr},
    {"^", TokenKind::kBitXor},       {"~", TokenKind::kTilde},      {"<", TokenKind::kLt},
    {">", TokenKind::kGt},           {"=", TokenKind::kAssign},     {"!", TokenKind::kNot},
    {"(", TokenKind::kLeftParen},    {")", TokenKind::kRightParen}, {"[", TokenKind::kLeftBracket},
    {"]", TokenKind::kRightBracket}, {"{", TokenKind::kLeftBrace},  {"}", TokenKind::kRightBrace},
    {",", TokenKind::kComma},        {".", TokenKind::kDot},
});

}  // namespace

Token Lexer::Make(TokenKind kind, size_t length) {
  Token token{kind, source_.substr(at_, length), at_};
  at_ += token.text.size();
  return token;
}

Token Lexer::Next() {
  while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t' ||
                                  source_[at_] == '\r' || source_[at_] == '\n')) {
    ++at_;
  }
  if (at_ == source_.size()) return Make(TokenKind::kEnd, 0);
  const std::string_view rest = source_.substr(at_);
  const char c = rest[0];
  if (c == '"' || c == '\'') return String(0, false);
  for (std::string_view prefix : {"u8", "u", "U", "L"}) {
    const size_t n = prefix.size();
    if (rest.starts_with(prefix) && rest.size() > n && (rest[n] == '"' || rest[n] == '\'')) {
      return String(n, false);
    }
  }
  if ((c == 'r' || c == 'R') && rest.size() > 1 && (rest[1] == '"' || rest[1] == '\'')) {
    return String(1, true);
  }
  if (IsNameStart(c) || c == '$') return Word();
  if (IsDigit(c) || (c == '.' && rest.size() > 1 && IsDigit(rest[1]))) return Number();
  return Operator();
}

Token Lexer::Operator() {
  const std::string_view rest = source_.substr(at_);
  if (rest[0] == ',') return Make(TokenKind::kComma, 1);  // the most frequent by far
  for (const OperatorText& op : kOperators) {
    if (rest.starts_with(op.text)) return Make(op.kind, op.text.size());
  }
  // A whole character: half of one would make the message no text at all.
  size_t length = 1;
  while (length < rest.size() && (rest[length] & 0xC0) == 0x80) ++length;
  return Make(TokenKind::kError, length);
}

// Offset after the closing quote of the string whose opening quote is at `at`; npos when it does
// not end. In a raw string a backslash only keeps the next character from ending it.
size_t Lexer::StringEnd(size_t at, bool raw) const {
  const char quote = source_[at];
  for (size_t i = at + 1; i < source_.size(); ++i) {
    const char c = source_[i];
    if (c == quote) return i + 1;
    if (c == '\\') {
      ++i;
      if (!raw && i + 1 < source_.size() && source_[i] == '\r' && source_[i + 1] == '\n') ++i;
    } else if (c == '\n' || c == '\r') {
      return std::string_view::npos;
    }
  }
  return std::string_view::npos;
}

Token Lexer::String(size_t prefix, bool raw) {
  const size_t end = StringEnd(at_ + prefix, raw);
  if (end == std::string_view::npos) return Make(TokenKind::kError, source_.size() - at_);
  return Make(raw ? TokenKind::kRawString : TokenKind::kString, end - at_);
}

// Offset after one `["key"]`, `[0]` or `[name]` that starts at `at`, or `at` when there is none.
size_t Lexer::Subscript(size_t at, bool* is_name) const {
  *is_name = false;
  if (at >= source_.size() || source_[at] != '[') return at;
  size_t i = at + 1;
  if (i >= source_.size()) return at;
  if (source_[i] == '"' || source_[i] == '\'') {
    i = StringEnd(i, false);
    if (i == std::string_view::npos) return at;
  } else if ((source_[i] == 'r' || source_[i] == 'R') && i + 1 < source_.size() &&
             (source_[i + 1] == '"' || source_[i + 1] == '\'')) {
    i = StringEnd(i + 1, true);
    if (i == std::string_view::npos) return at;
  } else if (IsDigit(source_[i])) {
    if (source_[i] == '0') {
      ++i;
    } else {
      while (i < source_.size() && IsDigit(source_[i])) ++i;
    }
  } else if (IsNameStart(source_[i])) {
    while (i < source_.size() && IsNamePart(source_[i])) ++i;
    *is_name = true;
  } else {
    return at;
  }
  return i < source_.size() && source_[i] == ']' ? i + 1 : at;
}

// Offset after the subscripts that follow a name. A [name] ends them and makes a struct path.
size_t Lexer::PathSteps(size_t at, bool* is_struct) const {
  *is_struct = false;
  int steps = 0;
  for (;; ++steps) {
    bool is_name = false;
    const size_t next = Subscript(at, &is_name);
    if (next == at) return at;
    if (is_name) {
      if (steps > 1) return at;  // only name[sub] and name[0][sub] are struct paths
      *is_struct = true;
      return next;
    }
    at = next;
  }
}

bool Lexer::IsNullPhrase(std::string_view lower, std::string_view upper, size_t* length) const {
  const std::string_view rest = source_.substr(at_);
  if (!rest.starts_with(lower) && !rest.starts_with(upper)) return false;
  if (rest.size() > lower.size() && IsNamePart(rest[lower.size()])) return false;
  *length = lower.size();
  return true;
}

Token Lexer::Word() {
  size_t length = 0;
  if (IsNullPhrase("is null", "IS NULL", &length)) return Make(TokenKind::kIsNull, length);
  if (IsNullPhrase("is not null", "IS NOT NULL", &length)) {
    return Make(TokenKind::kIsNotNull, length);
  }
  size_t end = at_ + 1;
  while (end < source_.size() && IsNamePart(source_[end])) ++end;
  std::string_view word = source_.substr(at_, end - at_);
  TokenKind kind = TokenKind::kIdentifier;
  if (word[0] == '$') {
    if (word != "$meta" && word != "$") return Make(TokenKind::kError, word.size());
    kind = word == "$" ? TokenKind::kStructPath : TokenKind::kMeta;
  } else {
    kind = WordKind(word);
  }
  if (kind == TokenKind::kIdentifier || kind == TokenKind::kMeta ||
      kind == TokenKind::kStructPath || kind == TokenKind::kFunction ||
      kind == TokenKind::kOption) {
    bool is_struct = false;
    const size_t path_end = PathSteps(end, &is_struct);
    if (path_end != end) {
      kind = is_struct || kind == TokenKind::kStructPath ? TokenKind::kStructPath
                                                         : TokenKind::kJsonPath;
      end = path_end;
    }
  }
  return Make(kind, end - at_);
}

// Decimal 12, octal 017, hex 0x1F, binary 0b10; floats 1.5, 5., .5, 1e3 and hex floats 0x1.8p3.
Token Lexer::Number() {
  const std::string_view s = source_.substr(at_);
  auto digits = [&](size_t i, auto accept) {
    while (i < s.size() && accept(s[i])) ++i;
    return i;
  };
  auto exponent = [&](size_t i, char lower) {  // the end of an exponent at i, or i
    if (i >= s.size() || (s[i] | 32) != lower) return i;
    size_t j = i + 1;
    if (j < s.size() && (s[j] == '+' || s[j] == '-')) ++j;
    const size_t end = digits(j, IsDigit);
    return end == j ? i : end;
  };
  if (s.size() > 2 && s[0] == '0' && (s[1] | 32) == 'x') {
    const size_t whole = digits(2, IsHexDigit);
    size_t end = whole;
    if (end < s.size() && s[end] == '.') end = digits(end + 1, IsHexDigit);
    if (const size_t power = exponent(end, 'p'); power != end && end > 2) {
      return Make(TokenKind::kFloat, power);
    }
    if (whole > 2) return Make(TokenKind::kInteger, whole);
  }
  if (s.size() > 2 && s[0] == '0' && (s[1] | 32) == 'b') {
    const size_t end = digits(2, [](char c) { return c == '0' || c == '1'; });
    if (end > 2) return Make(TokenKind::kInteger, end);
  }
  const size_t whole = digits(0, IsDigit);
  size_t end = whole;
  if (end < s.size() && s[end] == '.') end = digits(end + 1, IsDigit);
  end = exponent(end, 'e');
  if (end != whole) return Make(TokenKind::kFloat, end);
  if (s[0] == '0') end = digits(1, [](char c) { return c >= '0' && c <= '7'; });
  return Make(TokenKind::kInteger, end);
}

}  // namespace elanus::expr
