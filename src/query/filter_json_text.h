// Reads single values out of JSON text without parsing the rest: a filter wants one key of each
// row. Holds: never reads outside the text; malformed text is `missing`, never a fault. No padding
// is needed and nothing is allocated, except by Unescaped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expr/node.h"

namespace elanus::query {

enum class JsonKind : uint8_t {
  kMissing,
  kNull,
  kFalse,
  kTrue,
  kInt,       ///< fits int64
  kUnsigned,  ///< above int64, fits uint64
  kDouble,
  kString,
  kArray,
  kObject,
};

/// A value within a JSON text: a view, valid as long as the text.
struct JsonValue {
  JsonKind kind = JsonKind::kMissing;
  bool escaped = false;         ///< of a string: it holds backslashes
  bool is_array_bytes = false;  ///< of an array: `text` is an ARRAY's bytes, not JSON
  int64_t number = 0;           ///< kInt; kUnsigned as its bits
  double fraction = 0;          ///< kDouble
  std::string_view text;        ///< a string between its quotes; a container with its brackets

  bool IsNumber() const { return kind >= JsonKind::kInt && kind <= JsonKind::kDouble; }
};

/// The value at a path; kMissing when the path leads nowhere. A step of decimal digits is a
/// position in an array and a key of an object. Of equal keys the first counts.
JsonValue FindJson(std::string_view document, const std::vector<std::string>& path);

/// The text of a string value; `buffer` holds it when it had escapes.
std::string_view Unescaped(const JsonValue& value, std::string& buffer);

/// Whether nothing but null, {} and [] is in the value.
bool IsEmptyJson(const JsonValue& value);

/// Calls visit(element) for each element of an array until it returns false.
/// \return false when the text is malformed
template <class Visit>
bool ForEachElement(std::string_view array, Visit visit);

/// Walks values one after another; what the functions above are made of.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  /// The next value, consumed whole; kMissing when there is none.
  JsonValue Value();
  /// Consumes `c` after blanks if it is next.
  bool Take(char c);
  /// Stands at the value of `key` inside the object that is next.
  bool EnterKey(std::string_view key);
  /// Stands at element `position` of the array that is next.
  bool EnterElement(uint64_t position);
  char Peek();

 private:
  bool SkipValue();
  bool StringToken(std::string_view* text, bool* escaped);
  bool SkipContainer();
  JsonValue Number();
  bool TakeWord(std::string_view word);

  const char* at_;
  const char* end_;
};

template <class Visit>
bool ForEachElement(std::string_view array, Visit visit) {
  JsonCursor cursor(array);
  if (!cursor.Take('[')) return false;
  if (cursor.Take(']')) return true;
  for (;;) {
    const JsonValue element = cursor.Value();
    if (element.kind == JsonKind::kMissing) return false;
    if (!visit(element)) return true;
    if (cursor.Take(',')) continue;
    return cursor.Take(']');
  }
}

}  // namespace elanus::query
