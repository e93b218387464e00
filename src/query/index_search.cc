#include "query/index_search.h"

#include <algorithm>
#include <utility>

#include "query/vector_scan.h"
#include "simd/dispatch.h"

namespace elanus::query {
namespace {

using Hits = std::vector<index::Hit>;

/// A width that was checked against the hits the user asked for must not fall below those that are
/// asked of a segment: groups and keys that rows share need more.
int Effort(int given, size_t top_k) {
  return given == 0 ? 0 : static_cast<int>(std::max(static_cast<size_t>(given), top_k));
}

/// Rows to measure exactly; a request may want more hits of a segment than the user asked for.
int ReorderK(const SearchRequest& request, size_t top_k) {
  size_t rows = static_cast<size_t>(request.reorder_k);
  if (request.refine_k > 0)
    rows = static_cast<size_t>(std::min(request.refine_k * static_cast<double>(top_k), 1e9));
  return rows == 0 ? 0 : static_cast<int>(std::max(rows, top_k));
}

}  // namespace

index::HiddenBits CountedBitsOf(const HiddenRows& hidden) {
  if (hidden.bits == nullptr) return {};
  const uint64_t* words = hidden.bits->words();
  return {words, hidden.rows, simd::Active().popcount(words, (hidden.rows + 63) / 64)};
}

Result<std::vector<std::vector<index::Hit>>> SearchIndex(const index::VectorIndex& index,
                                                         const HiddenRows& hidden,
                                                         const SearchRequest& request, size_t top_k,
                                                         const Cancel& cancel) {
  std::vector<float> floats;
  const auto* queries = static_cast<const char*>(KernelQueries(request.queries, floats));
  const size_t nq = request.queries.rows;
  const index::HiddenBits bits = CountedBitsOf(hidden);
  if (!request.window.all()) {
    std::vector<Hits> results;
    for (size_t q = 0; q < nq; ++q) {
      const char* query = queries + q * index.vectors().query_bytes();
      ASSIGN_OR_RETURN(Hits hits, index.SearchWindow(query, top_k, request.window, bits, cancel));
      results.push_back(std::move(hits));
    }
    return results;
  }
  const index::SearchParams params{.top_k = top_k,
                                   .ef = Effort(request.ef, top_k),
                                   .nprobe = request.nprobe,
                                   .reorder_k = ReorderK(request, top_k)};
  if (nq == 1) {
    ASSIGN_OR_RETURN(Hits hits, index.Search(queries, params, bits, cancel));
    std::vector<Hits> results;
    results.push_back(std::move(hits));
    return results;
  }
  return index.SearchMany(queries, nq, params, bits, cancel);
}

}  // namespace elanus::query
