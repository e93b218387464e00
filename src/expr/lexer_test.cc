#include "expr/lexer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace elanus::expr {
namespace {

using enum TokenKind;

std::vector<TokenKind> Kinds(std::string_view source) {
  std::vector<TokenKind> kinds;
  Lexer lexer(source);
  for (;;) {
    const Token token = lexer.Next();
    if (token.kind == kEnd) return kinds;
    kinds.push_back(token.kind);
    if (token.kind == kError) return kinds;
  }
}

TEST(Lexer, KnowsKeywordsInLowerOrUpperCaseOnly) {
  EXPECT_EQ(Kinds("and AND And"), (std::vector{kAnd, kAnd, kIdentifier}));
  EXPECT_EQ(Kinds("like Like is null IS NULL Is Null"),
            (std::vector{kLike, kIdentifier, kIsNull, kIsNull, kIdentifier, kIdentifier}));
  EXPECT_EQ(Kinds("true True TRUE tRue"), (std::vector{kTrue, kTrue, kTrue, kIdentifier}));
  EXPECT_EQ(Kinds("is  null"), (std::vector{kIdentifier, kIdentifier}));
  EXPECT_EQ(Kinds("is nullable"), (std::vector{kIdentifier, kIdentifier}));
}

TEST(Lexer, TakesTheLongestOperator) {
  EXPECT_EQ(Kinds("** * << <= < =~ == = !~ != !"),
            (std::vector{kPower, kStar, kShiftLeft, kLe, kLt, kMatch, kEq, kAssign, kNotMatch, kNe,
                         kNot}));
}

TEST(Lexer, ReadsEveryFormOfNumber) {
  EXPECT_EQ(Kinds("0 12 017 0x1F 0b101"),
            (std::vector{kInteger, kInteger, kInteger, kInteger, kInteger}));
  EXPECT_EQ(Kinds("1.5 5. .5 1e3 1.e-3 0x1.8p3"),
            (std::vector{kFloat, kFloat, kFloat, kFloat, kFloat, kFloat}));
  EXPECT_EQ(Kinds("1e"), (std::vector{kInteger, kIdentifier}));
  EXPECT_EQ(Kinds("09"), (std::vector{kInteger, kInteger}));
}

TEST(Lexer, MakesOneTokenOfAJsonPath) {
  EXPECT_EQ(Kinds(R"(a["b"]['c'][0] == $meta["x"])"), (std::vector{kJsonPath, kEq, kJsonPath}));
  EXPECT_EQ(Kinds(R"(a[r"b"])"), (std::vector{kJsonPath}));
  EXPECT_EQ(Kinds("a [0]"), (std::vector{kIdentifier, kLeftBracket, kInteger, kRightBracket}));
  EXPECT_EQ(Kinds("s[sub] s[1][sub] $[sub]"), (std::vector{kStructPath, kStructPath, kStructPath}));
  EXPECT_EQ(Kinds("x in[1]"),
            (std::vector{kIdentifier, kIn, kLeftBracket, kInteger, kRightBracket}));
}

TEST(Lexer, EndsAStringAtItsOwnQuote) {
  EXPECT_EQ(Kinds(R"("a'b" 'a"b' "a\"b" r"a\")"), (std::vector{kString, kString, kString, kError}));
  EXPECT_EQ(Kinds("'open"), (std::vector{kError}));
  EXPECT_EQ(Kinds("'a\nb'"), (std::vector{kError}));
  EXPECT_EQ(Kinds("'a\\\nb'"), (std::vector{kString}));
  EXPECT_EQ(Kinds("'\\"), (std::vector{kError}));
}

TEST(Lexer, RefusesCharactersOfNoToken) {
  EXPECT_EQ(Kinds("a # b"), (std::vector{kIdentifier, kError}));
  EXPECT_EQ(Kinds("\xE4\xB8\xAD"), (std::vector{kError}));
  EXPECT_EQ(Kinds("$other"), (std::vector{kError}));
}

TEST(Lexer, QuotesAWholeCharacterThatIsNoToken) {
  const Token token = Lexer("\xE4\xB8\xAD\xE6\x96\x87").Next();
  EXPECT_EQ(token.kind, TokenKind::kError);
  EXPECT_EQ(token.text, "\xE4\xB8\xAD");
}

}  // namespace
}  // namespace elanus::expr
