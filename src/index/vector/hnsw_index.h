// An opened layered graph and how it is searched. Bytes: docs/format/index_file.md.
#pragma once

#include "index/vector/graph_search.h"
#include "index/vector/sq8.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

struct SelfSample;

/// \param copies  the memory `file` reads from when it is resident, else empty
/// Errors: kDataIntegrity; every id is checked here, so that a search need not.
Result<std::unique_ptr<VectorIndex>> OpenHnsw(const IndexFileReader& file, VectorView raw,
                                              std::vector<Buffer> copies,
                                              std::shared_ptr<const void> owner);

/// How many nodes' links this thread's searches have read on level 0 so far.
uint64_t ThreadGraphHops();

/// Measures a graph that has just been built (self_test.h).
Result<Tuning> TuneHnsw(const IndexFileReader& file, const VectorView& raw,
                        const SelfSample& sample, int threads);

}  // namespace elanus::index
