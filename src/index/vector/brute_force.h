// Exact search without an index: growing segments, small sealed ones, filters that leave few rows,
// and the reference of every test. Threads: pure functions; one TopK a query.
#pragma once

#include <span>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/hidden_bits.h"
#include "index/vector/top_k.h"
#include "index/vector/vectors.h"

namespace elanus::index {

/// A run of a segment's rows that lies in one piece: row i here is row `row_offset` + i of the
/// segment.
struct VectorChunk {
  VectorView vectors;
  size_t row_offset = 0;
  const float* inverse_norms = nullptr;  ///< float[rows] for kCosine, or null: computed on the way
};

/// Adds the visible rows of one chunk to `top`. Call it once a chunk with the same `top`.
/// \param query   float[dim], or bits when the rows are bits
/// \param hidden  by segment row (not by chunk row)
/// Errors: those of `cancel`, asked every few milliseconds of work. Cost: the bytes of the visible
/// rows.
Status BruteForce(Metric metric, const void* query, const VectorChunk& chunk,
                  const HiddenBits& hidden, const Cancel& cancel, TopK& top);

/// The same for many queries (tops.size() of them, vectors.query_bytes() apart) at once: rows are
/// read once for all of them.
Status BruteForceMany(Metric metric, const void* queries, const VectorChunk& chunk,
                      const HiddenBits& hidden, const Cancel& cancel, std::span<TopK> tops);

}  // namespace elanus::index
