// Which rows does a bound filter keep? Columns are read block by block, each node of the tree
// yielding two bitsets (true, unknown): SQL's three-valued logic, so that `not` is right on nulls.
// Holds: is_true and is_unknown have no common bit and none at or after rows().
// Called by the search and retrieve operators for each run of rows. Threads: any; no state is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "expr/filter.h"
#include "model/schema.h"
#include "query/trace.h"
#include "segment/column_view.h"

namespace elanus::query {

class Matches;

/// Row r is bit r % 64 of word r / 64.
struct Truth {
  std::vector<uint64_t> is_true;
  std::vector<uint64_t> is_unknown;
};

/// When a leaf is answered by a scalar index of its source. The answer is the same.
enum class IndexUse : uint8_t {
  kWhenCheaper,
  kWheneverPossible,  ///< for tests
  kNever,
};

/// Which rows a caller cares about, and when it stops caring.
struct EvaluateScope {
  /// One bit a row of the source, 1 = the answer is not wanted; nullptr = all are. Hidden rows come
  /// out neither true nor unknown, and cost nothing where a row is expensive.
  const uint64_t* hidden = nullptr;
  const Cancel* cancel = nullptr;  ///< asked every 4096 rows, or ms of a long filter
  IndexUse index_use = IndexUse::kWhenCheaper;
  SegmentTrace* trace = nullptr;  ///< where every leaf's way and cost are added
  /// What indexes of the source said about leaves of the filter already, with `index_use` of its
  /// own; nullptr: they are asked.
  Matches* matches = nullptr;
};

/// Evaluates a filter over the rows of a source.
/// \param schema  the source's collection: types, and defaults of columns the rows lack
/// Errors: kInternal when the tree does not fit the schema (a filter of another version, or bytes
/// that are no filter); kCanceled, kTimeout. Cost: once the filter's own size (an `in` list becomes
/// a set); then about 0.3-1 ns a row for a comparison of numbers, 1-10 for strings,
/// 20-200 for JSON; nodes that an `and` or `or` has decided already are skipped.
Result<Truth> Evaluate(const expr::BoundFilter& filter, const segment::RowSource& source,
                       const model::CollectionSchema& schema, const EvaluateScope& scope = {});

/// The rows for which the filter is true, ascending, when indexes of the source propose at most
/// `most` rows: looks at those alone, without a bit for each of the others. Nothing when they do
/// not. Errors: as Evaluate.
Result<std::optional<std::vector<uint32_t>>> FewRowsByIndex(const expr::BoundFilter& filter,
                                                            const segment::RowSource& source,
                                                            const model::CollectionSchema& schema,
                                                            uint64_t most,
                                                            const EvaluateScope& scope);

}  // namespace elanus::query
