// A search through a vector index of a segment, as a request words it: widths that were checked
// against what the user asked for, windows, several queries at once. Threads: pure functions.
#pragma once

#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/hidden_bits.h"
#include "index/vector/vector_index.h"
#include "query/search.h"
#include "query/visible_rows.h"

namespace elanus::query {

/// The rows that are no candidates with their number: an index chooses its way by it, and asks once
/// a query.
index::HiddenBits CountedBitsOf(const HiddenRows& hidden);

/// The nearest rows of the index to each of the request's queries, at most `top_k` (which may be
/// more than the request's own), inside its window.
/// \param hidden  by row of the index
Result<std::vector<std::vector<index::Hit>>> SearchIndex(const index::VectorIndex& index,
                                                         const HiddenRows& hidden,
                                                         const SearchRequest& request, size_t top_k,
                                                         const Cancel& cancel);

}  // namespace elanus::query
