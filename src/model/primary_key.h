// Primary keys: one (PrimaryKey) and many of one type (PrimaryKeys).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/column.h"

namespace elanus::model {

/// A key by value. Keys of one collection are all int64 or all strings, so the variant's order is
/// the keys' order (numbers numeric, strings bytewise).
using PrimaryKey = std::variant<int64_t, std::string>;

std::string PrimaryKeyText(const PrimaryKey& key);

/// Many keys of one type; exactly one of the two vectors is used.
struct PrimaryKeys {
  bool is_string = false;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;

  size_t size() const { return is_string ? strings.size() : ints.size(); }
  bool empty() const { return size() == 0; }
  PrimaryKey At(size_t i) const { return is_string ? PrimaryKey(strings[i]) : PrimaryKey(ints[i]); }
  void Append(const PrimaryKey& key);

  /// The keys of a pk column (Int64 or VarChar), in row order.
  static PrimaryKeys FromColumn(const Column& column);

  template <class V>
  void Visit(V& v) {
    v(is_string);
    v(ints);
    v(strings);
  }
  friend bool operator==(const PrimaryKeys&, const PrimaryKeys&) = default;
};

}  // namespace elanus::model
