// A borrowed look at one column of a run of rows, whatever holds it: a batch, a growing chunk, a
// mapped segment file. Valid as long as what it came from. Threads: any number of readers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "model/column.h"
#include "model/data_type.h"

namespace elanus::model {

/// Rows that share one BlockRange.
inline constexpr size_t kRangeRows = 4096;

/// The smallest and the largest value of some rows of a number column that are not null: low > high
/// when there is none, both NaN when one of them is.
struct BlockRange {
  uint64_t low_bits = 0;  ///< of an int64 or a double, as the column's type is whole or not
  uint64_t high_bits = 0;

  template <class Wide>
  Wide low() const {
    return std::bit_cast<Wide>(low_bits);
  }
  template <class Wide>
  Wide high() const {
    return std::bit_cast<Wide>(high_bits);
  }
};

struct ColumnView {
  DataType type = DataType::kNone;
  int64_t dim = 0;
  size_t rows = 0;
  const uint8_t* valid = nullptr;     ///< one byte a row; nullptr = no nulls
  const char* fixed = nullptr;        ///< fixed-width types: rows * ValueBytes bytes
  const uint64_t* offsets = nullptr;  ///< others, sealed form: rows + 1 offsets into `bytes`
  const char* bytes = nullptr;
  const std::string_view* strings = nullptr;  ///< others, growing form: one view a row
  const BlockRange* ranges = nullptr;         ///< one each kRangeRows rows; nullptr = not known

  /// The same without its first rows.
  ColumnView From(size_t first) const {
    ColumnView rest = *this;
    rest.rows -= first;
    if (valid != nullptr) rest.valid += first;
    if (fixed != nullptr) rest.fixed += first * ValueBytes(type, dim);
    if (offsets != nullptr) rest.offsets += first;
    if (strings != nullptr) rest.strings += first;
    rest.ranges = nullptr;
    return rest;
  }

  /// Rows [first, first + count).
  ColumnView Part(size_t first, size_t count) const {
    ColumnView part = From(first);
    part.rows = count;
    return part;
  }

  bool IsNull(size_t row) const { return valid != nullptr && valid[row] == 0; }
  template <class T>
  std::span<const T> Values() const {
    return {reinterpret_cast<const T*>(fixed), rows * ValueBytes(type, dim) / sizeof(T)};
  }
  std::string_view StringAt(size_t row) const {
    if (strings != nullptr) return strings[row];
    return {bytes + offsets[row], offsets[row + 1] - offsets[row]};
  }
  std::string_view ValueAt(size_t row) const {
    const size_t width = ValueBytes(type, dim);
    if (width == 0) return StringAt(row);
    return {fixed + row * width, width};
  }
};

inline ColumnView ViewOf(const Column& column) {
  return {.type = column.type,
          .dim = column.dim,
          .rows = column.rows,
          .valid = column.valid.empty() ? nullptr : column.valid.data(),
          .fixed = column.fixed.data(),
          .offsets = column.offsets.data(),
          .bytes = column.bytes.data()};
}

}  // namespace elanus::model
