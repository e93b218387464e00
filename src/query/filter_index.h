// A filter's leaf by a scalar index instead of a scan: which keys it keeps, how many rows that are,
// what they cost. Inside this room only. Holds: an index answers exactly what the scan of the leaf
// would, or is not taken.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "expr/node.h"
#include "index/scalar/scalar_index.h"
#include "query/filter_operator.h"
#include "segment/column_view.h"

namespace elanus::query {

/// The rows of some keys, or the known rows that have none of them.
struct KeySet {
  std::vector<index::KeyRange> ranges;  ///< ascending, apart
  bool negated = false;
};

/// What an index says about a leaf.
struct IndexMatch {
  std::shared_ptr<const index::ScalarIndex> index;
  std::vector<KeySet> sets;  ///< rows are in all of them; at least one
  bool exact = true;         ///< false: rows outside fail, rows inside need the scan's look
  uint64_t rows_max = 0;     ///< no more rows than that
  size_t fewest = 0;         ///< the set of `sets` with the fewest rows that is not negated
  std::optional<uint64_t> rows_of_fewest;  ///< at most; nothing when all are negated
  double lookup_ns = 0;  ///< to find the keys (done already) and to collect the rows
};

/// Nothing when no index of the source can answer the leaf, or when that would surely cost more
/// than a scan. Errors: those of `cancel`.
Result<std::optional<IndexMatch>> MatchIndex(const expr::Node& leaf,
                                             const segment::RowSource& source,
                                             const Cancel* cancel);

/// The leaf's operator: bits of all rows, collected here. \param scan  looks at rows that a match
/// only proposes; unused when it is exact
Operator MakeIndexOperator(const IndexMatch& match, Operator scan);

/// Adds the rows of the match's set with the fewest, ascending. \pre match.rows_of_fewest
void CollectFewest(const IndexMatch& match, std::vector<uint32_t>& rows);

/// Puts rows in ascending order, each once. \param below  no row is as large
void SortRows(size_t below, std::vector<uint32_t>& rows);

}  // namespace elanus::query
