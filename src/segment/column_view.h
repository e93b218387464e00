// A borrowed look at one column of a run of rows, whatever holds it: a growing chunk, a mapped
// segment file. Valid as long as the segment it came from. Threads: any number of readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/ids.h"
#include "model/column.h"
#include "model/data_type.h"

namespace elanus::segment {

struct ColumnView {
  model::DataType type = model::DataType::kNone;
  int64_t dim = 0;
  size_t rows = 0;
  const uint8_t* valid = nullptr;     ///< one byte a row; nullptr = no nulls
  const char* fixed = nullptr;        ///< fixed-width types: rows * ValueBytes bytes
  const uint64_t* offsets = nullptr;  ///< others, sealed form: rows + 1 offsets into `bytes`
  const char* bytes = nullptr;
  const std::string_view* strings = nullptr;  ///< others, growing form: one view a row

  /// The same without its first rows.
  ColumnView From(size_t first) const {
    ColumnView rest = *this;
    rest.rows -= first;
    if (valid != nullptr) rest.valid += first;
    if (fixed != nullptr) rest.fixed += first * model::ValueBytes(type, dim);
    if (offsets != nullptr) rest.offsets += first;
    if (strings != nullptr) rest.strings += first;
    return rest;
  }

  bool IsNull(size_t row) const { return valid != nullptr && valid[row] == 0; }
  template <class T>
  std::span<const T> Values() const {
    return {reinterpret_cast<const T*>(fixed), rows * model::ValueBytes(type, dim) / sizeof(T)};
  }
  std::string_view StringAt(size_t row) const {
    if (strings != nullptr) return strings[row];
    return {bytes + offsets[row], offsets[row + 1] - offsets[row]};
  }
  std::string_view ValueAt(size_t row) const {
    const size_t width = model::ValueBytes(type, dim);
    if (width == 0) return StringAt(row);
    return {fixed + row * width, width};
  }
};

inline ColumnView ViewOf(const model::Column& column) {
  return {.type = column.type,
          .dim = column.dim,
          .rows = column.rows,
          .valid = column.valid.empty() ? nullptr : column.valid.data(),
          .fixed = column.fixed.data(),
          .offsets = column.offsets.data(),
          .bytes = column.bytes.data()};
}

/// A run of rows whose columns a filter can read: a chunk of a growing segment, or a sealed one.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual size_t rows() const = 0;
  /// nullopt when these rows were written before the field existed: every row then has the field's
  /// default or null.
  virtual std::optional<ColumnView> Column(FieldId field) const = 0;
};

}  // namespace elanus::segment
