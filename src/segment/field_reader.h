// One field of a segment, row by row, whatever runs it lies in; rows written before the field
// existed answer with the field's default or null. For output fields, merges and keys: work per
// row. Threads: one reader an object.
#pragma once

#include <string>
#include <vector>

#include "model/schema.h"
#include "segment/segment.h"

namespace elanus::segment {

/// The bytes that a scalar literal has in a column of this type; empty for null.
std::string ScalarBytes(const model::Scalar& value, model::DataType type);

class FieldReader {
 public:
  /// \param segment  outlives the reader
  FieldReader(const Segment& segment, uint32_t rows, const model::FieldSchema& field);

  bool IsNull(uint32_t row);
  std::string_view ValueAt(uint32_t row);
  /// Adds the row's value to a column of the field's type.
  void AppendTo(uint32_t row, model::Column& out);

 private:
  struct Piece {
    uint32_t first;
    uint32_t end;
    std::shared_ptr<const RowSource> source;  // keeps the view alive
    std::optional<ColumnView> view;
  };
  const Piece& PieceOf(uint32_t row);

  std::vector<Piece> pieces_;
  size_t current_ = 0;
  bool default_null_;
  std::string default_bytes_;
};

}  // namespace elanus::segment
