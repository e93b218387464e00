#include "index/vector/vector_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "index/vector/brute_force.h"
#include "index/vector/choice.h"
#include "index/vector/coded_lists.h"
#include "index/vector/coded_rows.h"
#include "index/vector/flat_index.h"
#include "index/vector/forest.h"
#include "index/vector/graph_cells.h"
#include "index/vector/graph_codes.h"
#include "index/vector/hnsw_build.h"
#include "index/vector/hnsw_index.h"
#include "index/vector/ivf_build.h"
#include "index/vector/ivf_index.h"
#include "index/vector/ivf_pq_build.h"
#include "index/vector/ivf_pq_index.h"
#include "index/vector/nsg_build.h"
#include "index/vector/pq4.h"
#include "index/vector/search_cost.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsMax = 0x7FFFFFFE;
constexpr size_t kWindowRowsMin = 16384;  // fewer are read within a millisecond, exactly
constexpr size_t kWindowPart = 16;  // of the visible rows: how far a window search asks the index

Status CheckRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return Status::Ok();
  return InvalidParameter(fmt::format(
      "Out of range in json: param '{}' ({}) should be in range [{}, {}]", name, value, low, high));
}

bool HasParts(Kind kind) { return kind == Kind::kIvfPq || kind == Kind::kScann; }
bool IsIvf(Kind kind) {
  return kind == Kind::kIvfFlat || kind == Kind::kIvfCoded || HasParts(kind);
}

Status CheckNsg(const NsgParams& nsg) {
  RETURN_IF_ERROR(CheckRange("out_degree", nsg.out_degree, 5, 300));
  RETURN_IF_ERROR(CheckRange("candidate_pool_size", nsg.candidate_pool, 50, 1000));
  RETURN_IF_ERROR(CheckRange("search_length", nsg.search_length, 10, 300));
  return CheckRange("knng", nsg.knng, 5, 300);
}

Status CheckCodec(const BuildParams& params, size_t dim) {
  const CodecParams& codec = params.codec;
  if (params.kind == Kind::kIvfCoded && codec.kind == CodecKind::kOwn)
    return InvalidParameter("lists of coded rows need a codec");
  if (codec.kind == CodecKind::kOwn) return Status::Ok();
  if (params.kind != Kind::kHnsw && params.kind != Kind::kIvfCoded)
    return InvalidParameter("this index type has codes of its own");
  if (codec.kind == CodecKind::kRabitq)
    return params.kind == Kind::kIvfCoded ? CheckRange("rbq_bits", codec.bits, 1, 9)
                                          : InvalidParameter("RaBitQ is a codec of lists");
  if (codec.kind == CodecKind::kPacked) return CheckRange("bits", codec.bits, 1, 8);
  if (codec.kind != CodecKind::kProduct) return Status::Ok();
  RETURN_IF_ERROR(CheckRange("nbits", codec.bits, 1, 24));
  RETURN_IF_ERROR(CheckRange("nrq", codec.rounds, 1, 16));
  RETURN_IF_ERROR(CheckRange("m", codec.parts, 1, 65536));
  if (dim % static_cast<size_t>(codec.parts) == 0) return Status::Ok();
  return InvalidParameter(
      fmt::format("The dimension of the vector (dim) should be a multiple of the number of "
                  "subquantizers (m). Dimension:{}, m:{}",
                  dim, codec.parts));
}

uint64_t CodeStride(size_t dim) { return (dim + 63) / 64 * 64; }

}  // namespace

Result<std::vector<std::vector<Hit>>> VectorIndex::SearchMany(const void* queries, size_t nq,
                                                              const SearchParams& params,
                                                              const HiddenBits& hidden,
                                                              const Cancel& cancel) const {
  // Counted once for all queries.
  const HiddenBits counted = hidden.empty()
                                 ? hidden
                                 : HiddenBits(hidden.words(), hidden.rows(),
                                              hidden.rows() - hidden.CountVisible(hidden.rows()));
  std::vector<std::vector<Hit>> all;
  all.reserve(nq);
  for (size_t q = 0; q < nq; ++q) {
    // A single search may be too short to ask by itself.
    RETURN_IF_ERROR(cancel.Check());
    const auto* query = static_cast<const uint8_t*>(queries) + q * raw_.query_bytes();
    ASSIGN_OR_RETURN(auto hits, Search(query, params, counted, cancel));
    all.push_back(std::move(hits));
  }
  return all;
}

Result<std::vector<Hit>> VectorIndex::SearchWindow(const void* query, size_t limit,
                                                   const Window& window, const HiddenBits& hidden,
                                                   const Cancel& cancel) const {
  const size_t visible = hidden.CountVisible(raw_.rows);
  // The nearest rows, more and more of them, until those inside the window are certain: all that
  // are nearer than its far end have come, or as many as wanted lie well before the last found,
  // where an index misses least. Beyond a part of the rows reading them all is cheaper, and exact.
  const bool large = kind() != Kind::kFlat && visible >= kWindowRowsMin;
  for (size_t found = 2 * limit + 50; large && found <= visible / kWindowPart; found *= 4) {
    ASSIGN_OR_RETURN(auto hits, Search(query, {.top_k = found}, hidden, cancel));
    const bool whole = hits.size() < found || hits.back().distance >= window.upper;
    TopK inside(limit, window);
    size_t place = 0, last = 0;  // of the limit-th row inside
    for (const Hit& hit : hits) {
      const size_t before = inside.size();
      ++place;
      if (last == 0) inside.Push(hit.distance, hit.row);
      if (last == 0 && inside.size() != before && inside.size() == limit) last = place;
    }
    if (whole || (last != 0 && last <= found * 2 / 3)) return inside.Take();
  }
  TopK top(limit, window);
  RETURN_IF_ERROR(BruteForce(metric(), query, chunk(), hidden, cancel, top));
  return top.Take();
}

VectorChunk VectorIndex::chunk() const {
  return {.vectors = raw_, .row_offset = 0, .inverse_norms = inverse_norms_};
}

Result<std::vector<Hit>> VectorIndex::SearchAll(const void* query, size_t top_k,
                                                const HiddenBits& hidden,
                                                const Cancel& cancel) const {
  TopK top(top_k);
  RETURN_IF_ERROR(BruteForce(metric(), query, chunk(), hidden, cancel, top));
  return top.Take();
}

std::vector<Hit> VectorIndex::Rerank(const void* query, std::span<const uint32_t> rows,
                                     size_t top_k) const {
  static thread_local std::vector<float> distances;
  distances.resize(std::max(distances.size(), rows.size()));
  ThreadSearchCost().exact += rows.size();
  ExactDistance(metric(), raw_, inverse_norms_, query)
      .Rows(rows.data(), rows.size(), distances.data());
  std::vector<Hit> hits(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) hits[i] = {rows[i], distances[i]};
  top_k = std::min(top_k, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(top_k), hits.end(), Nearer);
  hits.resize(top_k);
  return hits;
}

Result<IndexFile> BuildIndexFile(const VectorView& vectors, const BuildParams& params,
                                 const BuildControl& control) {
  if (vectors.dim == 0 || vectors.dim > 32768)
    return Error(InvalidParameter("dimension must be in [1, 32768]"));
  if (vectors.rows > kRowsMax) return Error(InvalidParameter("too many rows for one index"));
  if (params.threads < 1) return Error(InvalidParameter("threads must be at least 1"));
  if (params.kind == Kind::kHnsw) {
    RETURN_IF_ERROR(CheckRange("M", params.m, 2, 2048));
    RETURN_IF_ERROR(CheckRange("efConstruction", params.ef_construction, 1, 0x7FFFFFFF));
  }
  if (IsIvf(params.kind)) RETURN_IF_ERROR(CheckRange("nlist", params.nlist, 1, 65536));
  if (HasParts(params.kind)) RETURN_IF_ERROR(CheckRange("sub_dim", params.part_dim, 1, 65536));
  if (params.kind == Kind::kForest) RETURN_IF_ERROR(CheckRange("n_trees", params.trees, 1, 1024));
  if (params.kind == Kind::kNsg) RETURN_IF_ERROR(CheckNsg(params.nsg));
  RETURN_IF_ERROR(CheckCodec(params, vectors.dim));
  if (vectors.rows == 0) return BuildFlat(vectors, params);
  if (params.choose) return BuildIndexFile(vectors, Choose(vectors, params), control);
  switch (params.kind) {
    case Kind::kFlat: break;
    case Kind::kHnsw: return BuildHnsw(vectors, params, control);
    case Kind::kIvfFlat: return BuildIvf(vectors, params, control);
    case Kind::kIvfCoded: return BuildCodedLists(vectors, params, control);
    case Kind::kForest: return BuildForest(vectors, params, control);
    case Kind::kNsg: return BuildNsg(vectors, params, control);
    case Kind::kIvfPq:
    case Kind::kScann: return BuildIvfPq(vectors, params, control);
  }
  return BuildFlat(vectors, params);
}

Result<std::unique_ptr<VectorIndex>> OpenIndex(std::shared_ptr<const void> owner,
                                               std::span<const std::byte> file, VectorView raw,
                                               OpenMode mode) {
  ASSIGN_OR_RETURN(IndexFileReader reader, IndexFileReader::Open(file));
  const IndexHeader& header = reader.header();
  if (header.rows != raw.rows || header.dim != raw.dim || header.element != raw.element) {
    return Error(
        Code::kDataIntegrity,
        fmt::format("index file: made for {} rows of dimension {}, the segment has {} of {}",
                    header.rows, header.dim, raw.rows, raw.dim));
  }
  std::vector<Buffer> copies;
  // Numbers are read in place: an owner that gave odd addresses gets a copy instead.
  const bool aligned = reinterpret_cast<uintptr_t>(file.data()) % alignof(uint64_t) == 0;
  if (mode == OpenMode::kResident || !aligned) copies = reader.MakeResident();
  if (header.kind == Kind::kFlat || header.rows == 0)
    return OpenFlat(reader, raw, std::move(copies), std::move(owner));
  if (header.kind == Kind::kHnsw || header.kind == Kind::kNsg)
    return OpenHnsw(reader, raw, std::move(copies), std::move(owner));
  if (header.kind == Kind::kForest)
    return OpenForest(reader, raw, std::move(copies), std::move(owner));
  if (header.kind == Kind::kIvfCoded)
    return OpenCodedLists(reader, raw, std::move(copies), std::move(owner));
  if (HasParts(header.kind)) return OpenIvfPq(reader, raw, std::move(copies), std::move(owner));
  return OpenIvf(reader, raw, std::move(copies), std::move(owner));
}

uint64_t EstimateIndexBytes(size_t rows, size_t dim, const BuildParams& params) {
  uint64_t row_bytes = params.metric == Metric::kCosine ? sizeof(float) : 0;
  uint64_t fixed = 1024;
  const auto nlist = std::clamp<uint64_t>(rows / kListRowsMin, 1,
                                          static_cast<uint64_t>(std::max(1, params.nlist)));
  if (params.kind == Kind::kHnsw && params.codec.kind != CodecKind::kOwn) {
    const CodecParams codec = EffectiveCodec(params.codec, rows);
    row_bytes += CodeBytesOf(codec, dim) + (params.metric == Metric::kL2 ? sizeof(float) : 0);
    fixed += (dim + CodecNumbersOf(codec, dim)) * sizeof(float);
  } else if (params.kind == Kind::kHnsw || params.kind == Kind::kNsg ||
             params.kind == Kind::kIvfFlat) {
    row_bytes +=
        GraphCodeBytes(params.metric, dim, params.kind == Kind::kHnsw ? params.codec.bits : 8);
    fixed += dim * sizeof(float);
  }
  if (params.kind == Kind::kHnsw) {
    const auto m = static_cast<uint64_t>(params.m);
    row_bytes += HnswDegree(params.m) * sizeof(uint32_t);
    fixed += rows / std::max<uint64_t>(m - 1, 1) * (m + 2) *
             sizeof(uint32_t);  // upper levels: 1/m + 1/m^2 + ...
  }
  if ((params.kind == Kind::kHnsw || params.kind == Kind::kNsg) && params.cells)
    fixed += CellBytes(rows, dim);
  if (params.kind == Kind::kIvfFlat || params.kind == Kind::kIvfCoded) {
    row_bytes += sizeof(uint32_t);
    fixed += nlist * (dim + 1) * sizeof(float);
  }
  if (params.kind == Kind::kNsg) row_bytes += NsgDegree(params.nsg.out_degree) * sizeof(uint32_t);
  if (params.kind == Kind::kForest) fixed += ForestBytes(rows, dim, params.trees);
  if (params.kind == Kind::kIvfCoded) fixed += CodedListsBytes(rows, dim, nlist, params);
  if (HasParts(params.kind)) {
    const auto part_dim = std::min(dim, static_cast<size_t>(params.part_dim));
    const uint64_t entries = rows * (params.kind == Kind::kScann && nlist > 1 ? 2 : 1);
    // A list ends with a block that is half full on average.
    const uint64_t blocks = entries / Pq4::kBlockRows + nlist / 2;
    const uint64_t entry_bytes = sizeof(uint32_t) + (params.metric == Metric::kL2 ? 4 : 0);
    fixed += blocks * Pq4::BlockBytesOf(dim, part_dim) + entries * entry_bytes +
             nlist * (dim + 1) * sizeof(float) +
             Pq4::PartsOf(dim, part_dim) * part_dim * Pq4::kWords * sizeof(float);
  }
  return fixed + rows * row_bytes;
}

uint64_t EstimateBuildBytes(size_t rows, size_t dim, const BuildParams& params) {
  uint64_t bytes = EstimateIndexBytes(rows, dim, params) + (uint64_t{64} << 20);
  if (params.kind == Kind::kHnsw) {
    // Distances beside the links and what is known of them, terms, levels and places; upper levels
    // twice.
    bytes += rows * (HnswDegree(params.m) * sizeof(int32_t) + sizeof(ListState) + 20);
    // The graph is made on int8 codes before the others take their place.
    const bool halves = params.codec.bits == kHalfByte && HalfBytesSaveLines(params.metric, dim);
    if (params.codec.kind != CodecKind::kOwn || halves) bytes += rows * CodeStride(dim);
  }
  if ((params.kind == Kind::kHnsw || params.kind == Kind::kNsg) && params.cells)
    bytes += CellBuildBytes(rows, dim);
  if (params.kind == Kind::kNsg) {
    bytes += rows * (NsgDegree(params.nsg.out_degree) * sizeof(int32_t) +
                     static_cast<uint64_t>(params.nsg.knng) * sizeof(uint32_t) + 20);
  }
  if (params.kind == Kind::kForest) bytes += EstimateIndexBytes(rows, dim, params) + rows * 8;
  if (IsIvf(params.kind)) {
    const uint64_t sample = std::min<uint64_t>(rows, static_cast<uint64_t>(params.nlist) * 256);
    bytes += sample * dim * sizeof(float) + rows * 8;
    const uint64_t nlist = std::min(rows / kListRowsMin + 1, static_cast<uint64_t>(params.nlist));
    bytes += (nlist + 16) * (dim + 1) * sizeof(float);  // the centroids packed
  }
  if (params.codec.kind != CodecKind::kOwn)
    bytes += 2 * CodecSampleRows(EffectiveCodec(params.codec, rows), rows) * dim * sizeof(float);
  return bytes;
}

}  // namespace elanus::index
