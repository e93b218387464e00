// Exact search over lists of vectors, the vector members of struct arrays: by whole lists (MAX_SIM
// metrics), or by their vectors one by one. Where no index is (list_index.h).
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/top_k.h"
#include "query/list_distance.h"
#include "query/visible_rows.h"
#include "segment/segment.h"

namespace elanus::query {

/// The rows whose lists are nearest to each query list: the sum, over the query's vectors, of the
/// distance to the nearest vector of the row. Rows without vectors are no hits.
/// Errors: kInvalidParameter when the field is not compared by the metric; those of `cancel`.
Result<std::vector<std::vector<index::Hit>>> ScanLists(const segment::Segment& segment,
                                                       const HiddenRows& hidden,
                                                       const ListSearch& search,
                                                       const Cancel& cancel);

struct ElementHit {
  uint32_t row = 0;
  uint32_t element = 0;  ///< position in the row's list
  float distance = 0;
};

/// The vectors nearest to each query, wherever they lie; equal distances by row, then position.
/// \param elements  when not nullptr: only the elements it keeps
Result<std::vector<std::vector<ElementHit>>> ScanElements(const segment::Segment& segment,
                                                          const HiddenRows& hidden,
                                                          const ListSearch& search,
                                                          const expr::ElementFilter* elements,
                                                          const ReadView& view);

}  // namespace elanus::query
