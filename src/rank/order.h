// Rows in the order of chosen columns: ORDER BY. Pure functions; any thread.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "model/row_batch.h"
#include "rank/merge.h"

namespace elanus::rank {

/// How one column orders rows.
struct Direction {
  bool descending = false;
  bool nulls_first = false;

  template <class V>
  void Visit(V& v) {
    v(descending);
    v(nulls_first);
  }
  friend bool operator==(const Direction&, const Direction&) = default;
};

/// The order of two values of one type, nulls apart: numbers by value (NaN last), false before
/// true, text bytewise. JSON values: numbers by value and strings bytewise, numbers before strings
/// before all else, which goes by its text.
std::weak_ordering CompareValues(const model::Column& a, size_t row_a, const model::Column& b,
                                 size_t row_b);

/// Orders rows of several sources by the columns with these positions in their batches; the first
/// column that tells two rows apart decides.
class RowOrder {
 public:
  /// \param first  where in each batch the ordering columns begin
  /// \param sources  all with the same columns
  RowOrder(std::span<const Direction> directions, size_t first,
           std::span<const model::RowBatch* const> sources)
      : directions_(directions), first_(first), sources_(sources) {}

  std::weak_ordering Compare(SourceRow a, SourceRow b) const;
  bool operator()(SourceRow a, SourceRow b) const { return Compare(a, b) < 0; }

 private:
  std::span<const Direction> directions_;
  size_t first_;
  std::span<const model::RowBatch* const> sources_;
};

/// Positions 0 to n - 1 in the order of less(i, j); equal ones stay in place.
template <class Less>
std::vector<size_t> StableOrder(size_t n, Less less) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) {
    if (less(a, b)) return true;
    return !less(b, a) && a < b;
  });
  return order;
}

/// Orders each query's list and keeps the slice of it; rows that the order does not tell apart stay
/// as they were.
void SortLists(MergedLists& lists, const RowOrder& order, Slice slice);

/// All rows of the sources in one order, equal ones by ascending key; only the slice of them.
/// \param keys  a source each, aligned with the order's batches
std::vector<SourceRow> MergeOrdered(std::span<const model::PrimaryKeys* const> keys,
                                    const RowOrder& order, Slice slice);

}  // namespace elanus::rank
