// Exact search over a run of rows, whatever the type of their vectors. Dense and binary vectors go
// to the index room's kernels; bit structures and sparse rows are measured here.
// Holds: distances are the metric's (model/metric.h), smaller is nearer; hidden rows never enter.
// Threads: a pure function; the lists belong to the caller.
#pragma once

#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/brute_force.h"
#include "index/vector/hidden_bits.h"
#include "index/vector/top_k.h"
#include "model/metric.h"
#include "segment/column_view.h"

namespace elanus::query {

/// Where the rows of a scan lie in their segment.
struct ScanRows {
  segment::ColumnView vectors;
  uint32_t first = 0;  ///< segment row of the view's row 0
};

/// Adds the visible rows to the lists of the queries.
/// \param queries  tops.size() vectors of the rows' type and dimension
/// \param hidden   by segment row; rows without a vector (null) must be hidden
/// Errors: kInvalidParameter when the type is not compared by the metric; those of `cancel`, asked
/// every few thousand distances. Cost: one pass over the bytes of the rows a query (dense: a block
/// of rows at a time for all queries).
Status ScanVectors(model::Metric metric, const segment::ColumnView& queries, const ScanRows& rows,
                   const index::HiddenBits& hidden, const Cancel& cancel,
                   std::span<index::TopK> tops);

/// Dense or binary rows as the index room takes them.
index::VectorChunk ChunkOf(const ScanRows& rows);

/// Dense or binary queries as the index room wants them: floats, or bits for bits.
/// \param floats  memory for the answer when it is not the queries themselves
const void* KernelQueries(const segment::ColumnView& queries, std::vector<float>& floats);

}  // namespace elanus::query
