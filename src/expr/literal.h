// The values that literal tokens stand for. Called by the binder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus::expr {

/// An unsigned integer literal (decimal, octal 0.., hex 0x, binary 0b).
/// Errors: `... value out of range` above int64; 2^63 itself is accepted when `negated`, and comes
/// back as INT64_MIN.
Result<int64_t> IntegerValue(std::string_view token, bool negated);

/// A float literal, hex floats included. Errors: out of a double's range.
Result<double> FloatValue(std::string_view token);

/// The value of a quoted string: C escapes as Go knows them (\a \b \f \n \r \t \v \\ \' \", \ooo,
/// \xHH, \uHHHH, \UHHHHHHHH). Errors: `invalid syntax` for any other escape or a u8/u/U/L prefix.
Result<std::string> StringValue(std::string_view token);

/// The value of r"...": the bytes between the quotes.
std::string_view RawStringValue(std::string_view token);

/// A quoted regular expression: backslashes stay, except that \\ is one backslash and an escaped
/// quote is the quote.
Result<std::string> RegexValue(std::string_view token);

struct PathText {
  std::string_view base;           ///< the name before the first bracket
  std::vector<std::string> steps;  ///< keys and positions, unquoted
};

/// Splits a JSON path token. Keys are raw text apart from \uXXXX. Errors: `invalid identifier: ..`
/// for an empty key.
Result<PathText> SplitPath(std::string_view token);

}  // namespace elanus::expr
