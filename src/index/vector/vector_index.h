// The door to vector search inside a sealed segment: build a file of bytes from raw rows, open it,
// ask it. Holds: raw vectors belong to the segment and are never copied; distances are exact, from
// raw rows; a search answers min(top_k, visible rows) hits, always. Called by segment/ (open,
// search) and worker/build (build). Threads: an opened index is immutable: any number may search. A
// build runs on its caller and params.threads - 1 more. Bytes: docs/format/index_file.md.  Why:
// docs/design/0002-vector-index.md
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "index/vector/brute_force.h"
#include "index/vector/hidden_bits.h"
#include "index/vector/index_file.h"
#include "index/vector/top_k.h"
#include "index/vector/vectors.h"

namespace elanus::index {

/// Milvus clamps nlist so that a list has that many rows on average.
inline constexpr size_t kListRowsMin = 39;

/// RNSG, in the words of its paper.
struct NsgParams {
  int out_degree = 30;       ///< links a row, [5, 300]
  int candidate_pool = 300;  ///< of the nearest met that may become links, [50, 1000]
  int search_length = 60;    ///< width of the searches that meet them, [10, 300]
  int knng = 50;             ///< neighbours a row in the graph they walk on, [5, 300]
};

class VectorIndex;
struct HnswGraph;

struct BuildParams {
  Kind kind = Kind::kHnsw;
  Metric metric = Metric::kL2;
  bool choose = false;               ///< AUTOINDEX: `kind` unless the data asks for another
  uint64_t memory_max = UINT64_MAX;  ///< AUTOINDEX: what raw vectors and index should fit into
  int m = 30;                        ///< HNSW: links of a new row a level, [2, 2048]
  int ef_construction = 360;         ///< HNSW, >= 1
  bool cells = true;                 ///< HNSW, RNSG: rows in cells too, for filters (graph_cells.h)
  int nlist = 128;                   ///< IVF, [1, 65536]; at most rows / 39 are made
  int part_dim = 2;  ///< IVF_PQ, SCANN: dimensions a 4-bit code, [1, 65536]; at most dim are used
  NsgParams nsg;
  int trees = 8;  ///< ANNOY, [1, 1024]
  /// HNSW: a codec of its own under the same graph; kIvfCoded: that of the lists.
  CodecParams codec;
  uint64_t seed = 1;  ///< same rows, parameters, seed and one thread: the same bytes
  int threads = 1;
};

/// An index over part of the rows of a build. A layered graph made with the same parameters is gone
/// on with, so that only the rows it lacks are inserted; anything else is of no use.
struct BuildStart {
  const VectorIndex* index = nullptr;
  std::span<const uint32_t> new_row;  ///< of each of its rows: which one it is now; kRowGone: none
};
inline constexpr uint32_t kRowGone = 0xFFFFFFFF;

struct BuildControl {
  BuildStart start;
  std::stop_token stop;
  /// Called now and then, from the building thread, with the part done in [0, 1]; may be empty.
  std::function<void(double)> progress;
};

struct SearchParams {
  size_t top_k = 10;
  int ef = 0;         ///< HNSW, RNSG: width of the beam; ANNOY: rows gathered; 0: the index's own
                      ///< choice, for recall .95
  int nprobe = 0;     ///< IVF; 0: the index's own choice, for recall .95
  int reorder_k = 0;  ///< IVF_PQ, SCANN: rows measured exactly, >= top_k; 0: the index's own choice
};

struct IndexMemory {
  uint64_t resident_bytes = 0;  ///< anonymous memory of the index itself
  uint64_t mapped_bytes = 0;    ///< read in place from the file
};

/// Resident: sections are copied into memory of our own, large ones on huge pages. Mapped: read
/// where they lie.
enum class OpenMode : uint8_t { kResident, kMapped };

class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /// The nearest visible rows of one query, nearest first.
  /// \param query   float[dim], finite; bits when the rows are bits
  /// \param hidden  by row of the segment
  /// Errors: kInvalidParameter (top_k 0; ef below top_k), those of `cancel`.
  virtual Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                          const HiddenBits& hidden, const Cancel& cancel) const = 0;

  /// The same for nq queries (vectors().query_bytes() apart), one list each.
  virtual Result<std::vector<std::vector<Hit>>> SearchMany(const void* queries, size_t nq,
                                                           const SearchParams& params,
                                                           const HiddenBits& hidden,
                                                           const Cancel& cancel) const;

  /// The nearest visible rows inside `window` (top_k.h), at most `limit`: range search, and the
  /// next page of an iterator with Window::After(last hit). Through the index while that is cheaper
  /// than reading all visible rows, which is exact.
  Result<std::vector<Hit>> SearchWindow(const void* query, size_t limit, const Window& window,
                                        const HiddenBits& hidden, const Cancel& cancel) const;

  virtual IndexMemory Memory() const = 0;

  /// Its layered graph, or nullptr: for a build that goes on with it.
  virtual const HnswGraph* graph() const { return nullptr; }

  Kind kind() const { return header_.kind; }
  Metric metric() const { return header_.metric; }
  const IndexHeader& header() const { return header_; }
  const VectorView& vectors() const { return raw_; }
  /// float[rows] for kCosine, else null: for exact distances made elsewhere.
  const float* inverse_norms() const { return inverse_norms_; }

 protected:
  VectorIndex(const IndexHeader& header, VectorView raw, const float* inverse_norms)
      : header_(header), raw_(raw), inverse_norms_(inverse_norms) {}

  VectorChunk chunk() const;
  Result<std::vector<Hit>> SearchAll(const void* query, size_t top_k, const HiddenBits& hidden,
                                     const Cancel& cancel) const;
  /// Exact distances of candidate rows, the best top_k of them, nearest first.
  std::vector<Hit> Rerank(const void* query, std::span<const uint32_t> rows, size_t top_k) const;

  IndexHeader header_;
  VectorView raw_;
  const float* inverse_norms_;
};

/// Builds an index over `vectors`.
/// Errors: kInvalidParameter (a parameter out of range, more than 2^31 - 1 rows), kCanceled.
/// Cost: HNSW about rows * ef_construction * m distances; memory: EstimateBuildBytes.
Result<IndexFile> BuildIndexFile(const VectorView& vectors, const BuildParams& params,
                                 const BuildControl& control = {});

/// Opens the bytes of a file over the segment's raw rows.
/// \param owner  keeps `file` and `raw` alive
/// Errors: kDataIntegrity when the bytes are not a whole index over raw.rows rows of raw.dim.
Result<std::unique_ptr<VectorIndex>> OpenIndex(std::shared_ptr<const void> owner,
                                               std::span<const std::byte> file, VectorView raw,
                                               OpenMode mode);

/// Bytes of memory a build takes beside the raw vectors, its result included.
uint64_t EstimateBuildBytes(size_t rows, size_t dim, const BuildParams& params);

/// Bytes of the finished index, on disk and resident.
uint64_t EstimateIndexBytes(size_t rows, size_t dim, const BuildParams& params);

}  // namespace elanus::index
