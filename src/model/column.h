// One column of a batch of rows.
// Holds: fixed-width types keep rows * ValueBytes bytes in `fixed`; the others keep rows + 1
// ascending offsets into `bytes`. `valid` is empty (no nulls) or one byte a row; a null row's value
// is zero bytes or an empty string. Plain data: built by one thread, then read by any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "model/data_type.h"

namespace elanus::model {

struct Column {
  FieldId field;
  DataType type = DataType::kNone;
  int64_t dim = 0;  ///< of a vector field: elements (bits for a binary vector)
  uint64_t rows = 0;
  std::vector<uint8_t> valid;
  std::string fixed;
  std::vector<uint64_t> offsets;
  std::string bytes;

  bool IsFixed() const { return ValueBytes(type, dim) != 0; }
  bool IsNull(size_t row) const { return !valid.empty() && valid[row] == 0; }

  /// The values of a fixed-width scalar column; bool columns are uint8_t. For a float vector
  /// column: rows * dim floats.
  template <class T>
  std::span<const T> Values() const {
    return {reinterpret_cast<const T*>(fixed.data()), fixed.size() / sizeof(T)};
  }
  template <class T>
  std::span<T> MutableValues() {
    return {reinterpret_cast<T*>(fixed.data()), fixed.size() / sizeof(T)};
  }
  std::string_view StringAt(size_t row) const {
    return std::string_view(bytes).substr(offsets[row], offsets[row + 1] - offsets[row]);
  }
  /// The bytes of one row's value, whatever the type.
  std::string_view ValueAt(size_t row) const;

  /// Gives the column `count` rows of zeros or empty strings, all valid.
  void ResizeZero(size_t count);
  /// Adds one value: `value` has ValueBytes bytes for a fixed-width type, any length otherwise.
  void AppendValue(std::string_view value);
  void AppendNull();
  template <class T>
  void Append(T value) {
    AppendValue({reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  /// Adds a row of another column of the same type, null or not.
  void AppendFrom(const Column& other, size_t row);

  /// kDataIntegrity unless sizes, offsets and validity agree with `rows`: for columns that came
  /// from outside.
  Status Validate() const;

  template <class V>
  void Visit(V& v) {
    v(field);
    v(type);
    v(dim);
    v(rows);
    v(valid);
    v(fixed);
    v(offsets);
    v(bytes);
  }
  friend bool operator==(const Column&, const Column&) = default;
};

/// An empty column of a type.
Column MakeColumn(FieldId field, DataType type, int64_t dim = 0);

}  // namespace elanus::model
