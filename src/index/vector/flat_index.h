// Brute force in the form of an index: the file holds no vectors, only inverse norms for COSINE.
#pragma once

#include "index/vector/vector_index.h"

namespace elanus::index {

Result<IndexFile> BuildFlat(const VectorView& vectors, const BuildParams& params);

/// Also opens a file of any kind over no rows at all.
Result<std::unique_ptr<VectorIndex>> OpenFlat(const IndexFileReader& file, VectorView raw,
                                              std::vector<Buffer> copies,
                                              std::shared_ptr<const void> owner);

/// Adds what exact COSINE distances need; nothing for other metrics.
void AddInverseNorms(const VectorView& vectors, Metric metric, IndexFileWriter& writer);

/// The inverse norms of a file: null for other metrics. Errors: kDataIntegrity.
Result<const float*> ReadInverseNorms(const IndexFileReader& file);

}  // namespace elanus::index
