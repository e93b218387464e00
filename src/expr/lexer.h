// Filter text to tokens, longest match first. Keywords are all lower or all UPPER case; other
// spellings are identifiers. Holds: a token's text is a view into the source, and tokens come in
// order without overlap. Errors are tokens too (kError), so that the parser reports the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace elanus::expr {

enum class TokenKind : uint8_t {
  kEnd,
  kError,       ///< text: from the token's start to the character no rule accepts
  kIdentifier,  ///< a name
  kMeta,        ///< $meta
  kJsonPath,    ///< name["key"][0]: one token, no blanks inside
  kStructPath,  ///< name[sub], name[0][sub], $[sub]: struct arrays
  kInteger,
  kFloat,
  kString,
  kRawString,  ///< r"..."
  kTrue,
  kFalse,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kPower,
  kShiftLeft,
  kShiftRight,
  kBitAnd,
  kBitOr,
  kBitXor,
  kTilde,
  kLt,
  kLe,
  kGt,
  kGe,
  kEq,
  kNe,
  kMatch,     ///< =~
  kNotMatch,  ///< !~
  kAssign,    ///< = inside option arguments
  kAnd,
  kOr,
  kNot,
  kIn,
  kLike,
  kExists,
  kIsNull,  ///< `is null`, exactly one blank
  kIsNotNull,
  kFunction,  ///< a reserved function name: text_match, array_length, ...
  kOption,    ///< interval, iso, minimum_should_match, threshold
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLeftBrace,
  kRightBrace,
  kComma,
  kDot,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  size_t offset = 0;  ///< bytes from the start of the source
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  /// The next token; kEnd for ever after the last.
  Token Next();

 private:
  Token Make(TokenKind kind, size_t length);
  Token Word();
  Token Number();
  Token String(size_t prefix, bool raw);
  Token Operator();
  bool IsNullPhrase(std::string_view lower, std::string_view upper, size_t* length) const;
  size_t PathSteps(size_t at, bool* is_struct) const;
  size_t Subscript(size_t at, bool* is_name) const;
  size_t StringEnd(size_t at, bool raw) const;

  std::string_view source_;
  size_t at_ = 0;
};

}  // namespace elanus::expr
