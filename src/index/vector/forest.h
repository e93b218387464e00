// ANNOY: a forest of trees that halve the rows by planes until few are left. A search follows all
// trees at once, always the side that the query is deepest in, until it has gathered enough rows,
// and measures these exactly. Holds: leaves hold row numbers alone; the rows belong to the segment.
// One seed gives one forest, whatever the number of threads. Source: Bernhardsson's Annoy; for IP
// one more number a row makes all lengths equal (Bachrach et al. 2014).
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildForest(const VectorView& vectors, const BuildParams& params,
                              const BuildControl& control);

/// Errors: kDataIntegrity; planes, nodes and rows are checked here.
Result<std::unique_ptr<VectorIndex>> OpenForest(const IndexFileReader& file, VectorView raw,
                                                std::vector<Buffer> copies,
                                                std::shared_ptr<const void> owner);

/// Bytes of the trees over `rows` rows, about.
uint64_t ForestBytes(size_t rows, size_t dim, int trees);

}  // namespace elanus::index
