// The elements of vectors that are not plain floats: half and brain floats, bytes, sparse rows.
// Called by the proxy (checks, conversion of what clients send as floats) and by query (search).
// Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "model/data_type.h"

namespace elanus::model {

/// Elements of a dense vector type (IsDenseVector) as floats; exact.
/// \param elements  `count` of them, without gaps; any alignment
void DenseToFloats(DataType type, const char* elements, size_t count, float* out);

/// Floats as elements of FloatVector, Float16Vector or BFloat16Vector, rounded to the nearest (ties
/// to even); what is too large becomes infinite.
void FloatsToDense(DataType type, const float* values, size_t count, char* out);

/// One (index, value) of a sparse vector, as it lies in a row: little endian, indexes ascending.
struct SparseElement {
  uint32_t index;
  float value;
};

/// Whether `row` is a well-formed sparse vector. Errors: kInvalidParameter with Milvus' texts.
Status CheckSparse(std::string_view row);

inline size_t SparseSize(std::string_view row) { return row.size() / sizeof(SparseElement); }
SparseElement SparseAt(std::string_view row, size_t i);

/// The highest index plus one of a well-formed row; 0 when it is empty.
int64_t SparseDim(std::string_view row);

}  // namespace elanus::model
