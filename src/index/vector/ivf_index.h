// An opened IVF_FLAT index: the lists whose centroids are nearest are scanned by code, the best
// rows re-ranked exactly.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

/// \param copies  the memory `file` reads from when it is resident, else empty
/// Errors: kDataIntegrity; list bounds and rows are checked here, so that a search need not.
Result<std::unique_ptr<VectorIndex>> OpenIvf(const IndexFileReader& file, VectorView raw,
                                             std::vector<Buffer> copies,
                                             std::shared_ptr<const void> owner);

/// Measures lists that have just been made (self_test.h).
Result<Tuning> TuneIvf(const IndexFileReader& file, const VectorView& raw, int threads);

}  // namespace elanus::index
