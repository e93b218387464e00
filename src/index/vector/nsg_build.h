// RNSG: one flat graph with one way in. Each row is linked to rows met on the way from the
// navigating row to it, as long as no nearer link makes them needless. Opened as a layered graph
// whose upper level is the navigating row alone. Holds: every row can be reached from there; one
// seed and one thread give one graph. Source: Fu et al. 2019 (NSG).
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildNsg(const VectorView& vectors, const BuildParams& params,
                           const BuildControl& control);

/// Links a row: out_degree, up to a full cache line.
size_t NsgDegree(int out_degree);

}  // namespace elanus::index
