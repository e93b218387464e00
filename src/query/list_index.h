// Search over lists of vectors through an index of their vectors. The index' rows are the vectors
// of all lists of a sealed segment one after another, as the segment file has them: nothing but the
// offsets of the lists says whose they are. Holds: distances are exact; a search answers
// min(top_k, visible rows or elements) hits. Which they are may differ from the exact ones as with
// any index. Why: docs/design/0005-structs-and-shapes.md. Threads: pure functions.
#pragma once

#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/vector_index.h"
#include "query/list_scan.h"
#include "query/search.h"
#include "query/visible_rows.h"
#include "segment/segment.h"

namespace elanus::query {

/// A sealed segment with such an index, and what a read may see of it.
struct ListIndex {
  const segment::Segment& segment;
  const index::VectorIndex& index;  ///< by the element metric of the search's
  const HiddenRows& hidden;
  const SearchRequest& request;  ///< widths that the user gave
};

/// As ScanLists. Vectors near each of a query's vectors name the rows that are measured exactly;
/// ever deeper ones until what is found stays, or reading all lists is cheaper.
/// Cost: about 64 vectors sought in the index for each vector of a query, at least.
Result<std::vector<std::vector<index::Hit>>> SearchLists(const ListIndex& through,
                                                         const ListSearch& search,
                                                         const Cancel& cancel);

/// As ScanElements.
Result<std::vector<std::vector<ElementHit>>> SearchElements(const ListIndex& through,
                                                            const ListSearch& search,
                                                            const expr::ElementFilter* elements,
                                                            const ReadView& view);

}  // namespace elanus::query
