// A read in independent pieces, done by helpers too when cores are idle and the work is worth
// waking them. Threads: see base/crew.h.
#pragma once

#include <cstddef>
#include <functional>

#include "base/status.h"
#include "query/visible_rows.h"

namespace elanus::query {

/// What a piece should take for a helper to be worth its waking.
inline constexpr double kPieceUs = 100;

/// Runs piece(0) to piece(count - 1), with helpers if they take `us` together. Helpers write no
/// trace, so a traced read has none. Errors: one of the pieces'.
Status ForEachPiece(const ReadView& view, size_t count, double us,
                    const std::function<Status(size_t)>& piece);

/// Microseconds, about, until the rows that a filter keeps of the segments are known.
double FilterUs(const std::vector<segment::SegmentPtr>& segments, const ReadView& view);

/// The rows of each segment that are no candidates. Errors: the filter's, kCanceled, kTimeout.
Result<std::vector<HiddenRows>> HiddenRowsOfAll(const std::vector<segment::SegmentPtr>& segments,
                                                const ReadView& view);

}  // namespace elanus::query
