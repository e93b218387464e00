// The elements of struct arrays as rows of their own: what a predicate of elements is asked of, and
// which of them it keeps. Threads: a source belongs to one thread, the rest is pure.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "expr/filter.h"
#include "model/schema.h"
#include "query/fetch.h"
#include "query/visible_rows.h"
#include "segment/column_view.h"
#include "segment/segment.h"

namespace elanus::query {

/// How many elements a row of a member column has: of an ARRAY, or of a list of vectors.
size_t ElementCount(const model::FieldSchema& member, std::string_view value);

/// The struct members of a schema as plain fields of their elements' types.
model::CollectionSchema ElementSchema(const model::CollectionSchema& schema);

/// The elements of chosen rows, one after another, as a filter reads them. Columns are spread when
/// they are asked for.
class ElementSource final : public segment::RowSource {
 public:
  /// \param rows  rows of `source` that have elements
  /// \param counts  how many each
  ElementSource(const segment::RowSource& source, const model::CollectionSchema& elements,
                std::span<const size_t> rows, std::span<const size_t> counts);

  size_t rows() const override { return total_; }
  std::optional<segment::ColumnView> Column(FieldId field) const override;

 private:
  const segment::RowSource& source_;
  const model::CollectionSchema& elements_;
  std::span<const size_t> rows_;
  std::span<const size_t> counts_;
  size_t total_ = 0;
  mutable std::deque<model::Column> spread_;  // views point into them
};

/// Rows that have elements, and how many each has.
struct ElementRows {
  std::vector<size_t> rows;  ///< of the source
  std::vector<size_t> counts;
};

/// For the elements of the rows one after another, 1 where the filter keeps one.
/// Errors: kInternal when the filter does not fit the schema; kCanceled, kTimeout.
Result<std::vector<uint64_t>> KeptBits(const segment::RowSource& source, const ElementRows& rows,
                                       const expr::ElementFilter& elements, const ReadView& view);

/// Of each row the positions of the elements that `elements` keeps, ascending.
/// Errors: kInternal when the filter does not fit the schema; kCanceled, kTimeout.
Result<std::vector<std::vector<int64_t>>> KeptElements(
    const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
    const expr::ElementFilter& elements, std::span<const RowRef> rows);

}  // namespace elanus::query
