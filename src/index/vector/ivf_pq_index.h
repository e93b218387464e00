// Search of an IVF with 4-bit codes (IVF_PQ, SCANN): lists scanned by table look-ups, the best rows
// measured exactly. A row may stand in two lists.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<std::unique_ptr<VectorIndex>> OpenIvfPq(const IndexFileReader& file, VectorView raw,
                                               std::vector<Buffer> copies,
                                               std::shared_ptr<const void> owner);

/// Measures how many lists a search must look at (self_test.h).
Result<Tuning> TuneIvfPq(const IndexFileReader& file, const VectorView& raw, int threads);

/// The first block of each list, and the end of the last one.
std::vector<uint32_t> BlockStarts(std::span<const uint32_t> starts);

}  // namespace elanus::index
