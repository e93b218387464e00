// A run of rows whose columns can be read where they lie. Valid as long as the segment it came
// from. Threads: any number of readers.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "model/column_view.h"

namespace elanus::index {
class ScalarIndex;
}

namespace elanus::segment {

using model::BlockRange;
using model::ColumnView;
using model::kRangeRows;
using model::ViewOf;

/// The ranges of a number column, one each kRangeRows rows; empty for other types. Cost: one pass.
std::vector<BlockRange> RangesOf(const ColumnView& column);

/// A run of rows whose columns a filter can read: a chunk of a growing segment, or a sealed one.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual size_t rows() const = 0;
  /// nullopt when these rows were written before the field existed: every row then has the field's
  /// default or null.
  virtual std::optional<ColumnView> Column(FieldId field) const = 0;
  /// The index of exactly these rows over a field, or over a path inside a JSON field; nullptr when
  /// there is none.
  virtual std::shared_ptr<const index::ScalarIndex> ScalarIndexOn(
      FieldId /*field*/, std::span<const std::string> /*path*/) const {
    return nullptr;
  }
};

}  // namespace elanus::segment
