// Builds the layered graph by inserting rows, several at a time, on int8 codes.
// Holds: the row of the highest level goes first (graph_inserter.h); one thread gives the same
// graph every time.
#pragma once

#include <optional>

#include "index/vector/code_clusters.h"
#include "index/vector/graph_inserter.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildHnsw(const VectorView& vectors, const BuildParams& params,
                            const BuildControl& control);

/// The file of a linked graph over `vectors`, whose rows those of `codes` and `lists` are.
/// Cost: the self-test that finds its width, about half a second.
Result<IndexFile> FinishHnsw(const VectorView& vectors, const BuildParams& params, CodeTable codes,
                             GraphLists lists, const BuildControl& control = {},
                             std::optional<CodeClusters> cells = {});

}  // namespace elanus::index
