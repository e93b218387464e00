#include "index/vector/vector_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "index/vector/brute_force.h"
#include "index/vector/choice.h"
#include "index/vector/flat_index.h"
#include "index/vector/hnsw_build.h"
#include "index/vector/hnsw_index.h"
#include "index/vector/ivf_build.h"
#include "index/vector/ivf_index.h"
#include "index/vector/ivf_pq_build.h"
#include "index/vector/ivf_pq_index.h"
#include "index/vector/pq4.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsMax = 0x7FFFFFFE;

Status CheckRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return Status::Ok();
  return InvalidParameter(fmt::format(
      "Out of range in json: param '{}' ({}) should be in range [{}, {}]", name, value, low, high));
}

bool HasParts(Kind kind) { return kind == Kind::kIvfPq || kind == Kind::kScann; }
bool IsIvf(Kind kind) { return kind == Kind::kIvfFlat || HasParts(kind); }

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
  if (vectors.rows == 0) return BuildFlat(vectors, params);
  if (params.choose) return BuildIndexFile(vectors, Choose(vectors, params), control);
  switch (params.kind) {
    case Kind::kFlat: break;
    case Kind::kHnsw: return BuildHnsw(vectors, params, control);
    case Kind::kIvfFlat: return BuildIvf(vectors, params, control);
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
  if (header.kind == Kind::kHnsw) return OpenHnsw(reader, raw, std::move(copies), std::move(owner));
  if (HasParts(header.kind)) return OpenIvfPq(reader, raw, std::move(copies), std::move(owner));
  return OpenIvf(reader, raw, std::move(copies), std::move(owner));
}

uint64_t EstimateIndexBytes(size_t rows, size_t dim, const BuildParams& params) {
  uint64_t row_bytes = params.metric == Metric::kCosine ? sizeof(float) : 0;
  uint64_t fixed = 1024;
  if (params.kind == Kind::kHnsw || params.kind == Kind::kIvfFlat) {
    const bool term = params.metric == Metric::kL2 && CodeStride(dim) - dim < sizeof(int32_t);
    row_bytes += CodeStride(dim) + (term ? sizeof(int32_t) : 0);
    fixed += dim * sizeof(float);
  }
  if (params.kind == Kind::kHnsw) {
    const auto m = static_cast<uint64_t>(params.m);
    row_bytes += HnswDegree(params.m) * sizeof(uint32_t);
    fixed += rows / std::max<uint64_t>(m - 1, 1) * (m + 2) *
             sizeof(uint32_t);  // upper levels: 1/m + 1/m^2 + ...
  }
  if (params.kind == Kind::kIvfFlat) {
    row_bytes += sizeof(uint32_t);
    fixed += static_cast<uint64_t>(params.nlist) * (dim + 1) * sizeof(float);
  }
  if (HasParts(params.kind)) {
    const auto part_dim = std::min(dim, static_cast<size_t>(params.part_dim));
    const auto nlist = std::clamp<uint64_t>(rows / kListRowsMin, 1, params.nlist);
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
    // Distances beside the links, terms, levels and places; upper levels twice.
    bytes += rows * (HnswDegree(params.m) * sizeof(int32_t) + 20);
  }
  if (IsIvf(params.kind)) {
    const uint64_t sample = std::min<uint64_t>(rows, static_cast<uint64_t>(params.nlist) * 256);
    bytes += sample * dim * sizeof(float) + rows * 8;
  }
  return bytes;
}

}  // namespace elanus::index
