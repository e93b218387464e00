// Builds the layered graph by inserting rows, several at a time, on int8 codes.
// Holds: which levels a row has depends on seed and row alone; the row of the highest level goes
// first and is the entry for good; one thread gives the same graph every time. Source: Malkov and
// Yashunin 2018, algorithms 1 and 4.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildHnsw(const VectorView& vectors, const BuildParams& params,
                            const BuildControl& control);

/// Links a row on level 0: 2M, up to a full cache line.
size_t HnswDegree(int m);

}  // namespace elanus::index
