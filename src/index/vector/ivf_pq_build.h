// Builds an IVF with 4-bit codes: IVF_PQ and SCANN.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

/// \param vectors  at least one row of numbers
Result<IndexFile> BuildIvfPq(const VectorView& vectors, const BuildParams& params,
                             const BuildControl& control);

}  // namespace elanus::index
