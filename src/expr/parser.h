// Tokens to an untyped tree. Operators of one precedence level make one flat chain (operands and
// the operators between them, folded from the left), so that ten thousand `or`s are one node.
// Holds: a tree's height and the parser's recursion are at most kHeightMax; text views point into
// the source, which must outlive the tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "expr/lexer.h"

namespace elanus::expr {

inline constexpr int kHeightMax = 256;
/// Words and signs of a text. Each takes up to some 500 bytes until the filter is bound.
inline constexpr size_t kTokensMax = 2'000'000;

enum class SyntaxKind : uint8_t {
  kName,      ///< identifier, $meta, JSON path or struct path: see `token`
  kLiteral,   ///< integer, float, string, raw string, true, false: see `token`
  kTemplate,  ///< {name}: `text` is the name
  kArray,     ///< [a, b]
  kChain,     ///< children[0] ops[0] children[1] ops[1] ...
  kUnary,     ///< ops[0] child: + - ~ not
  kExists,    ///< exists child
  kRange,     ///< children lower, name, upper with ops[0] and ops[1]
  kIsNull,    ///< name is null: ops[0] is kIsNull or kIsNotNull
  kCall,      ///< f(children): `name` is the function
  kOption,    ///< interval 'x', iso 'x', threshold = 3: `name` is the option
};

struct Syntax {
  SyntaxKind kind = SyntaxKind::kLiteral;
  TokenKind token = TokenKind::kEnd;
  uint16_t height = 1;
  bool in_parens = false;  ///< written in parentheses of its own
  std::string_view text;   ///< the source of the whole node
  std::string_view name;
  std::vector<TokenKind> ops;  ///< kNot in a chain stands for `not in`
  std::vector<Syntax> children;
};

/// Parses a whole expression; `source` must not be blank.
/// Errors (kInvalidParameter): `line 1:COL <what>`, `invalid expression: SOURCE` when text is left
/// over after an expression.
Result<Syntax> ParseSyntax(std::string_view source);

/// The text without the blanks between tokens, as messages quote it.
std::string CompactText(std::string_view text);

}  // namespace elanus::expr
