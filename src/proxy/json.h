// JSON as a proxy meets it: search parameters in one object, rows of JSON columns, the dynamic
// field. Wraps simdjson: its types and errors stay inside. Bounded by the input's size; nesting
// deeper than 1,024 is refused. Threads: a JsonReader belongs to one.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus::proxy {

/// A value as the client typed it.
struct JsonValue {
  enum class Kind { kNull, kBool, kInteger, kReal, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::string text;  ///< a string's characters, otherwise the value's JSON
};

class JsonReader {
 public:
  JsonReader();
  ~JsonReader();

  /// The members of an object; of repeated keys the last. Error text is simdjson's.
  Result<std::map<std::string, JsonValue>> Object(std::string_view text);
  /// The keys of an object, nested values left alone.
  Result<std::vector<std::string>> Keys(std::string_view text);
  /// Ok when the text is one JSON value.
  Status Check(std::string_view text);
  /// The elements of an array of numbers. Errors: kInvalidParameter for anything else.
  Result<std::vector<double>> Numbers(std::string_view text);
  /// The object with only those of its members that are wanted, in its own order.
  std::string Trim(std::string_view text, std::span<const std::string> wanted);
  /// The old object with the new one's members put over it, top level only.
  std::string Merge(std::string_view old_text, std::string_view new_text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::proxy
