// The codes of a graph that brings none of its own: int8, or half bytes where a row then lies in
// fewer cache lines and they still tell neighbours apart. A graph is always built on int8 codes;
// these take their place when it is done. Called by FinishHnsw, by the reader of its file, and
// where bytes are estimated.
#pragma once

#include "index/vector/graph_inserter.h"
#include "index/vector/sq4.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

/// Whether a row in half bytes touches fewer cache lines than one of bytes.
bool HalfBytesSaveLines(Metric metric, size_t dim);

/// Bytes of a row's code, and of its term where that lies elsewhere.
uint64_t GraphCodeBytes(Metric metric, size_t dim, int bits);

/// Rows to measure exactly for the `wanted` nearest by half bytes.
inline size_t HalfBytesMeasured(size_t wanted) { return 2 * wanted + 20; }

/// The half bytes of a graph that was built on `codes`, if that was asked for, saves lines and
/// costs no recall; adds what ReadHalfBytes wants to `writer`, which has the norms already. False:
/// the graph keeps its bytes.
Result<bool> AddHalfBytes(const VectorView& vectors, const BuildParams& params, const Sq8& codes,
                          GraphLists& lists, IndexFileWriter& writer, const IndexHeader& header);

struct HalfBytes {
  Sq4 codec;
  Sq4View codes;
};
/// Borrows the sections of `file`. Errors: kDataIntegrity.
Result<HalfBytes> ReadHalfBytes(const IndexFileReader& file);

}  // namespace elanus::index
