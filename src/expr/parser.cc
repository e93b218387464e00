#include "expr/parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include "base/letter_case.h"

namespace elanus::expr {
namespace {

// Precedence levels, loosest first.
enum Level : int {
  kLevelOr = 1,
  kLevelAnd,
  kLevelBitOr,
  kLevelBitXor,
  kLevelBitAnd,
  kLevelEqual,
  kLevelRelation,
  kLevelRangeDown,
  kLevelRangeUp,
  kLevelIn,
  kLevelShift,
  kLevelAdd,
  kLevelMultiply,
  kLevelUnary,
  kLevelPower,
  kLevelNotMatch,
  kLevelMatch,
  kLevelLike,
  kLevelExists,
};

int LevelOf(TokenKind op) {
  switch (op) {
    case TokenKind::kOr: return kLevelOr;
    case TokenKind::kAnd: return kLevelAnd;
    case TokenKind::kBitOr: return kLevelBitOr;
    case TokenKind::kBitXor: return kLevelBitXor;
    case TokenKind::kBitAnd: return kLevelBitAnd;
    case TokenKind::kEq:
    case TokenKind::kNe: return kLevelEqual;
    case TokenKind::kLt:
    case TokenKind::kLe:
    case TokenKind::kGt:
    case TokenKind::kGe: return kLevelRelation;
    case TokenKind::kIn: return kLevelIn;
    case TokenKind::kShiftLeft:
    case TokenKind::kShiftRight: return kLevelShift;
    case TokenKind::kPlus:
    case TokenKind::kMinus: return kLevelAdd;
    case TokenKind::kStar:
    case TokenKind::kSlash:
    case TokenKind::kPercent: return kLevelMultiply;
    case TokenKind::kPower: return kLevelPower;
    case TokenKind::kNotMatch: return kLevelNotMatch;
    case TokenKind::kMatch: return kLevelMatch;
    case TokenKind::kLike: return kLevelLike;
    default: return 0;
  }
}

// Function and option names are reserved only where they are used as such: a field may be called
// `threshold`.
bool IsNameToken(TokenKind kind) {
  return kind == TokenKind::kIdentifier || kind == TokenKind::kMeta ||
         kind == TokenKind::kJsonPath || kind == TokenKind::kStructPath ||
         kind == TokenKind::kFunction || kind == TokenKind::kOption;
}
// Whether array_length takes it: names, but not a member of one element, `s[0][m]` or `$[m]`.
bool HasLength(const Token& token) {
  if (token.kind == TokenKind::kStructPath) {
    return !token.text.starts_with('$') && std::ranges::count(token.text, '[') == 1;
  }
  return IsNameToken(token.kind) && token.kind != TokenKind::kMeta;
}
bool IsLiteralToken(TokenKind kind) {
  return kind >= TokenKind::kInteger && kind <= TokenKind::kFalse;
}
bool IsUp(TokenKind kind) { return kind == TokenKind::kLt || kind == TokenKind::kLe; }
bool IsDown(TokenKind kind) { return kind == TokenKind::kGt || kind == TokenKind::kGe; }

class Parser {
 public:
  explicit Parser(std::string_view source) : source_(source), lexer_(source) {
    for (size_t i = 0; i < kAhead; ++i) ahead_[i] = lexer_.Next();
  }

  Result<Syntax> Whole() {
    ASSIGN_OR_RETURN(Syntax tree, Expression(0));
    if (Peek().kind == TokenKind::kError) return Unrecognised();
    if (Peek().kind != TokenKind::kEnd) {
      return Error(Code::kInvalidParameter, fmt::format("invalid expression: {}", source_));
    }
    return tree;
  }

 private:
  const Token& Peek(size_t n = 0) const { return ahead_[(head_ + n) % kRing]; }
  Token Take() {
    const Token token = Peek();
    ++taken_;
    end_ = token.offset + token.text.size();
    ahead_[(head_ + kAhead) % kRing] = lexer_.Next();
    head_ = (head_ + 1) % kRing;
    return token;
  }
  // The source from `start` to the end of the last token taken.
  std::string_view Span(size_t start) const { return source_.substr(start, end_ - start); }

  std::unexpected<Status> Fault(const Token& token, std::string_view what) const {
    size_t line = 1;
    size_t column = 0;
    for (size_t i = 0; i < token.offset; ++i) {
      if (source_[i] == '\n') {
        ++line;
        column = 0;
      } else if ((source_[i] & 0xC0) != 0x80) {
        ++column;
      }
    }
    return Error(Code::kInvalidParameter, fmt::format("line {}:{} {}", line, column, what));
  }
  std::unexpected<Status> Unrecognised() const {
    return Fault(Peek(), fmt::format("token recognition error at: '{}'", Peek().text));
  }
  static std::string_view Shown(const Token& token) {
    return token.kind == TokenKind::kEnd ? "<EOF>" : token.text;
  }
  std::unexpected<Status> Mismatch(std::string_view expecting) const {
    if (Peek().kind == TokenKind::kError) return Unrecognised();
    return Fault(Peek(),
                 fmt::format("mismatched input '{}' expecting {}", Shown(Peek()), expecting));
  }
  Status Expect(TokenKind kind, std::string_view shown) {
    if (Peek().kind == kind) {
      Take();
      return Status::Ok();
    }
    if (Peek().kind == TokenKind::kError) return Unrecognised().error();
    return Fault(Peek(), fmt::format("missing '{}' at '{}'", shown, Shown(Peek()))).error();
  }

  Status SetHeight(Syntax& node) const {
    int height = 0;
    for (const Syntax& child : node.children) height = std::max<int>(height, child.height);
    if (height >= kHeightMax) return TooDeep().error();
    node.height = static_cast<uint16_t>(height + 1);
    return Status::Ok();
  }
  Status CheckLength() const {
    if (taken_ <= kTokensMax) return Status::Ok();
    return {Code::kInvalidParameter,
            fmt::format("expression has more than {} words and signs", kTokensMax)};
  }
  std::unexpected<Status> TooDeep() const {
    return Error(Code::kInvalidParameter,
                 fmt::format("expression is nested more than {} levels deep", kHeightMax));
  }

  // Takes an operator of at least `level_min` if one is next. `not in` is two tokens, reported as
  // kNot.
  std::optional<TokenKind> TakeOperator(int level_min, int* level) {
    TokenKind op = Peek().kind;
    if (op == TokenKind::kNot && Peek(1).kind == TokenKind::kIn) {
      *level = kLevelIn;
    } else {
      *level = LevelOf(op);
    }
    if (*level == 0 || *level < level_min) return std::nullopt;
    if (op == TokenKind::kNot) Take();
    Take();
    return op;
  }

  bool AtRange(int level_min) const {
    if (!IsNameToken(Peek(1).kind)) return false;
    const bool up = IsUp(Peek().kind) && IsUp(Peek(2).kind);
    const bool down = IsDown(Peek().kind) && IsDown(Peek(2).kind);
    return (up && level_min <= kLevelRangeUp) || (down && level_min <= kLevelRangeDown);
  }

  Result<Syntax> Expression(int level_min) {
    if (++depth_ > kHeightMax) return TooDeep();
    RETURN_IF_ERROR(CheckLength());
    const size_t start = Peek().offset;
    ASSIGN_OR_RETURN(Syntax left, Primary());
    ASSIGN_OR_RETURN(Syntax whole, Continued(std::move(left), start, level_min));
    --depth_;
    return whole;
  }

  // What follows an expression's first operand, which began at `start`.
  Result<Syntax> Continued(Syntax left, size_t start, int level_min) {
    int chain_level = 0;  // of `left` when operands can be added to it
    for (;;) {
      if (AtRange(level_min)) {
        ASSIGN_OR_RETURN(left, RangeFrom(std::move(left), start));
        chain_level = 0;
        continue;
      }
      int level = 0;
      std::optional<TokenKind> op = TakeOperator(level_min, &level);
      if (!op) break;
      ASSIGN_OR_RETURN(Syntax right, Expression(level + 1));
      if (chain_level == 0 && IsLogicChain(left, level)) {
        chain_level = level;
        left.in_parens = false;
      }
      if (chain_level != level) {
        Syntax chain{.kind = SyntaxKind::kChain};
        chain.children.push_back(std::move(left));
        left = std::move(chain);
        chain_level = level;
      }
      left.ops.push_back(*op);
      left.children.push_back(std::move(right));
      left.text = Span(start);
      const Syntax& last = left.children.back();
      if (last.height >= kHeightMax || left.children.front().height >= kHeightMax) return TooDeep();
      left.height = std::max<uint16_t>({left.height, static_cast<uint16_t>(last.height + 1),
                                        static_cast<uint16_t>(left.children.front().height + 1)});
    }
    return left;
  }

  // `(a or b) or c` is `a or b or c`: programs write long filters so.
  static bool IsLogicChain(const Syntax& node, int level) {
    return (level == kLevelOr || level == kLevelAnd) && node.kind == SyntaxKind::kChain &&
           LevelOf(node.ops.front()) == level;
  }

  // However many parentheses open before it does, an expression is as deep as without.
  Result<Syntax> Parenthesised() {
    std::vector<size_t> starts;  // of what is inside each
    while (Peek().kind == TokenKind::kLeftParen) {
      Take();
      starts.push_back(Peek().offset);
    }
    ASSIGN_OR_RETURN(Syntax inner, Expression(0));
    for (;;) {
      RETURN_IF_ERROR(Expect(TokenKind::kRightParen, ")"));
      inner.in_parens = true;
      starts.pop_back();
      if (starts.empty()) return inner;
      ASSIGN_OR_RETURN(inner, Continued(std::move(inner), starts.back(), 0));
    }
  }

  Result<Syntax> RangeFrom(Syntax lower, size_t start) {
    if (lower.kind == SyntaxKind::kRange) {
      return Error(
          Code::kInvalidParameter,
          fmt::format("lowerbound cannot be a non-const expression: {}", CompactText(lower.text)));
    }
    Syntax range{.kind = SyntaxKind::kRange};
    range.children.push_back(std::move(lower));
    range.ops.push_back(Take().kind);
    ASSIGN_OR_RETURN(Syntax name, Name());
    range.children.push_back(std::move(name));
    const TokenKind op = Take().kind;
    range.ops.push_back(op);
    ASSIGN_OR_RETURN(Syntax upper, Expression((IsUp(op) ? kLevelRangeUp : kLevelRangeDown) + 1));
    range.children.push_back(std::move(upper));
    range.text = Span(start);
    RETURN_IF_ERROR(SetHeight(range));
    return range;
  }

  Result<Syntax> Name() {
    const Token token = Take();
    return Syntax{.kind = SyntaxKind::kName, .token = token.kind, .text = token.text};
  }

  Result<Syntax> Prefix(SyntaxKind kind, int level) {
    const Token op = Take();
    ASSIGN_OR_RETURN(Syntax operand, Expression(level));
    Syntax node{.kind = kind};
    node.ops.push_back(op.kind);
    node.children.push_back(std::move(operand));
    node.text = Span(op.offset);
    RETURN_IF_ERROR(SetHeight(node));
    return node;
  }

  Result<Syntax> Primary() {
    const Token& token = Peek();
    switch (token.kind) {
      case TokenKind::kOption:
        if (AtOption()) return Option();
        [[fallthrough]];
      case TokenKind::kFunction:
      case TokenKind::kIdentifier:
        if (Peek(1).kind == TokenKind::kLeftParen) return Call();
        [[fallthrough]];
      case TokenKind::kMeta:
      case TokenKind::kJsonPath:
      case TokenKind::kStructPath: return NameOrIsNull();
      case TokenKind::kInteger:
      case TokenKind::kFloat:
      case TokenKind::kString:
      case TokenKind::kRawString:
      case TokenKind::kTrue:
      case TokenKind::kFalse: return Literal();
      case TokenKind::kLeftParen: return Parenthesised();
      case TokenKind::kLeftBracket: return Array();
      case TokenKind::kLeftBrace: return Template();
      case TokenKind::kPlus:
      case TokenKind::kMinus:
      case TokenKind::kTilde:
      case TokenKind::kNot: return Prefix(SyntaxKind::kUnary, kLevelUnary);
      case TokenKind::kExists: return Prefix(SyntaxKind::kExists, kLevelExists);
      default: return Mismatch("an expression");
    }
  }

  Syntax Literal() {
    const Token literal = Take();
    return {.kind = SyntaxKind::kLiteral, .token = literal.kind, .text = literal.text};
  }

  Result<Syntax> NameOrIsNull() {
    const size_t start = Peek().offset;
    ASSIGN_OR_RETURN(Syntax name, Name());
    if (Peek().kind != TokenKind::kIsNull && Peek().kind != TokenKind::kIsNotNull) return name;
    Syntax node{.kind = SyntaxKind::kIsNull, .height = 2};
    node.ops.push_back(Take().kind);
    node.children.push_back(std::move(name));
    node.text = Span(start);
    return node;
  }

  Result<Syntax> Template() {
    const size_t start = Take().offset;
    if (Peek().kind != TokenKind::kIdentifier) return Mismatch("a template variable's name");
    const Token name = Take();
    RETURN_IF_ERROR(Expect(TokenKind::kRightBrace, "}"));
    return Syntax{.kind = SyntaxKind::kTemplate, .text = Span(start), .name = name.text};
  }

  // The rest of a list up to `close`; a comma may follow the last element of an array.
  Status List(TokenKind close, std::string_view shown, Syntax& node) {
    while (Peek().kind != close) {
      RETURN_IF_ERROR(CheckLength());
      // The short way for plain literals: lists of ten thousand keys are common.
      if (IsLiteralToken(Peek().kind) &&
          (Peek(1).kind == TokenKind::kComma || Peek(1).kind == close)) {
        node.children.push_back(Literal());
      } else {
        ASSIGN_OR_RETURN(Syntax element, Expression(0));
        node.children.push_back(std::move(element));
      }
      if (Peek().kind != TokenKind::kComma) break;
      Take();
      if (close == TokenKind::kRightParen && Peek().kind == close) {
        return Mismatch("an argument").error();
      }
    }
    RETURN_IF_ERROR(Expect(close, shown));
    return SetHeight(node);
  }

  Result<Syntax> Array() {
    const size_t start = Take().offset;
    Syntax node{.kind = SyntaxKind::kArray};
    RETURN_IF_ERROR(List(TokenKind::kRightBracket, "]", node));
    node.text = Span(start);
    return node;
  }

  Result<Syntax> Call() {
    const Token function = Take();
    Take();  // the parenthesis
    Syntax node{.kind = SyntaxKind::kCall, .name = function.text};
    if (Lower(function.text) == "array_length" && !HasLength(Peek())) {
      return Mismatch("{Identifier, JSONIdentifier, StructFieldIdentifier}");
    }
    RETURN_IF_ERROR(List(TokenKind::kRightParen, ")", node));
    node.text = Span(function.offset);
    return node;
  }

  // What may follow `threshold =`: the digits alone, no sign.
  Result<Syntax> WholeNumber() {
    constexpr std::string_view kWanted = "IntegerConstant";
    if (Peek().kind == TokenKind::kInteger) return Literal();
    if (Peek(1).kind == TokenKind::kInteger) {
      return Fault(Peek(),
                   fmt::format("extraneous input '{}' expecting {}", Shown(Peek()), kWanted));
    }
    if (Peek().kind == TokenKind::kRightParen) {
      return Fault(Peek(), fmt::format("missing {} at ')'", kWanted));
    }
    return Mismatch(kWanted);
  }

  // interval 'P1D', iso {t}, threshold = 2.
  bool AtOption() const {
    const TokenKind next = Peek(1).kind;
    return next == TokenKind::kAssign || next == TokenKind::kString ||
           next == TokenKind::kRawString || next == TokenKind::kLeftBrace;
  }
  Result<Syntax> Option() {
    const Token option = Take();
    const bool assigned = Peek().kind == TokenKind::kAssign;
    if (assigned) Take();
    ASSIGN_OR_RETURN(Syntax value, assigned ? WholeNumber() : Expression(kLevelUnary));
    Syntax node{.kind = SyntaxKind::kOption, .name = option.text};
    node.children.push_back(std::move(value));
    node.text = Span(option.offset);
    RETURN_IF_ERROR(SetHeight(node));
    return node;
  }

  std::string_view source_;
  Lexer lexer_;
  static constexpr size_t kAhead = 3;
  static constexpr size_t kRing = 4;
  std::array<Token, kRing> ahead_;
  size_t head_ = 0;
  size_t end_ = 0;
  int depth_ = 0;
  size_t taken_ = 0;
};

}  // namespace

Result<Syntax> ParseSyntax(std::string_view source) { return Parser(source).Whole(); }

std::string CompactText(std::string_view text) {
  std::string compact;
  Lexer lexer(text);
  for (;;) {
    const Token token = lexer.Next();
    if (token.kind == TokenKind::kEnd) return compact;
    compact += token.text;
  }
}

}  // namespace elanus::expr
