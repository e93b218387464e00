// What AUTOINDEX becomes for the data at hand.
// Holds: a pure function of rows, metric and the memory there is. Called by BuildIndexFile when
// BuildParams::choose is set.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

/// How many directions neighbours spread in, as the maximum likelihood estimate over the 10 nearest
/// of 100 rows, the median of these. Word vectors: about 30; sentence embeddings: 8 to 16.
/// \param vectors  numbers, at least 100 rows. Cost: about half a second of distances at most.
/// Source: Levina and Bickel 2004.
double IntrinsicDimension(const VectorView& vectors, Metric metric);

/// `params` with kind, and what belongs to it, chosen by the data.
BuildParams Choose(const VectorView& vectors, const BuildParams& params);

}  // namespace elanus::index
