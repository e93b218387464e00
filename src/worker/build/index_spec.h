// What the user asked of an index, as the vector and the scalar index understand it.
#pragma once

#include <optional>
#include <variant>

#include "index/vector/vector_index.h"
#include "model/collection.h"
#include "query/scalar_keys.h"

namespace elanus::worker {

/// Segments with fewer rows are searched by brute force: building costs more than it saves (Milvus'
/// own threshold).
inline constexpr uint64_t kIndexRowsMin = 1024;

/// Whether an index on a vector field is AUTOINDEX: what it becomes follows from the rows.
bool ChoosesItsType(const model::IndexInfo& info);

/// Build parameters of an index on a dense vector field, or on lists of such vectors: its rows are
/// then the vectors of all lists. nullopt when no file is to be built for so many rows (FLAT, few
/// rows, binary and sparse vectors, a scalar field's index). AUTOINDEX is HNSW with M 18,
/// efConstruction 240, unless the data asks for lists (index/vector/choice.h).
std::optional<index::BuildParams> BuildParamsOf(const model::IndexInfo& info,
                                                const model::FieldSchema& field, uint64_t rows);

/// The keys of an index on a scalar field or a JSON path. INVERTED, BITMAP, STL_SORT, TRIE, HYBRID
/// and AUTOINDEX are one structure, which chooses lists or bits by how many rows share a value;
/// NGRAM and FMINDEX have grams, RTREE and AUTOINDEX of shapes boxes. nullopt when none is built:
/// few rows, vectors, text fields, a JSON index without a type of its own (cast type JSON).
std::optional<query::ScalarSpec> ScalarSpecOf(const model::IndexInfo& info,
                                              const model::FieldSchema& field, uint64_t rows);

using IndexPlan = std::variant<index::BuildParams, query::ScalarSpec>;
/// Whichever of the two the field calls for; nullopt when no file is to be built.
std::optional<IndexPlan> IndexPlanOf(const model::IndexInfo& info, const model::FieldSchema& field,
                                     uint64_t rows);

}  // namespace elanus::worker
