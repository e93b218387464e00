// Builds IVF_FLAT: k-means lists, each the int8 codes of its rows one after another.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildIvf(const VectorView& vectors, const BuildParams& params,
                           const BuildControl& control);

}  // namespace elanus::index
