// An opened layered graph and how it is searched. Bytes: docs/format/index_file.md.
#pragma once

#include "index/vector/graph_search.h"
#include "index/vector/sq8.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

/// \param copies  the memory `file` reads from when it is resident, else empty
/// Errors: kDataIntegrity; every id is checked here, so that a search need not.
Result<std::unique_ptr<VectorIndex>> OpenHnsw(const IndexFileReader& file, VectorView raw,
                                              std::vector<Buffer> copies,
                                              std::shared_ptr<const void> owner);

/// What this thread's graph searches have cost so far: differences of two calls are the cost of
/// what lies between.
struct GraphCost {
  uint64_t hops = 0;       ///< nodes whose links were read on level 0
  uint64_t distances = 0;  ///< codes compared there
};
GraphCost ThreadGraphCost();

/// Measures a graph that has just been built (self_test.h).
Result<Tuning> TuneHnsw(const IndexFileReader& file, const VectorView& raw);

}  // namespace elanus::index
