// What the user asked of an index, as the vector index understands it.
#pragma once

#include <optional>

#include "index/vector/vector_index.h"
#include "model/collection.h"

namespace elanus::worker {

/// Segments with fewer rows are searched by brute force: building costs more than it saves (Milvus'
/// own threshold).
inline constexpr uint64_t kIndexRowsMin = 1024;

/// Build parameters of an index on a dense vector field; nullopt when no file is to be built for so
/// many rows (FLAT, few rows, binary and sparse vectors, a scalar field's index). AUTOINDEX is HNSW
/// with M 18, efConstruction 240, unless the data asks for lists (index/vector/choice.h).
std::optional<index::BuildParams> BuildParamsOf(const model::IndexInfo& info,
                                                const model::FieldSchema& field, uint64_t rows);

}  // namespace elanus::worker
