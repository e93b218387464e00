#include "index/vector/vector_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "index/vector/brute_force.h"
#include "index/vector/flat_index.h"
#include "index/vector/hnsw_build.h"
#include "index/vector/hnsw_index.h"
#include "index/vector/ivf_build.h"
#include "index/vector/ivf_index.h"

namespace elanus::index {
namespace {

constexpr size_t kRowsMax = 0x7FFFFFFE;

Status CheckRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return Status::Ok();
  return InvalidParameter(fmt::format(
      "Out of range in json: param '{}' ({}) should be in range [{}, {}]", name, value, low, high));
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
  if (params.kind == Kind::kIvfFlat) RETURN_IF_ERROR(CheckRange("nlist", params.nlist, 1, 65536));
  if (params.kind == Kind::kFlat || vectors.rows == 0) return BuildFlat(vectors, params);
  return params.kind == Kind::kHnsw ? BuildHnsw(vectors, params, control)
                                    : BuildIvf(vectors, params, control);
}

Result<std::unique_ptr<VectorIndex>> OpenIndex(std::shared_ptr<const void> owner,
                                               std::span<const std::byte> file, VectorView raw,
                                               OpenMode mode) {
  ASSIGN_OR_RETURN(IndexFileReader reader, IndexFileReader::Open(file));
  const IndexHeader& header = reader.header();
  if (header.rows != raw.rows || header.dim != raw.dim) {
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
  return OpenIvf(reader, raw, std::move(copies), std::move(owner));
}

uint64_t EstimateIndexBytes(size_t rows, size_t dim, const BuildParams& params) {
  uint64_t row_bytes = params.metric == Metric::kCosine ? sizeof(float) : 0;
  uint64_t fixed = 1024;
  if (params.kind != Kind::kFlat) {
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
  return fixed + rows * row_bytes;
}

uint64_t EstimateBuildBytes(size_t rows, size_t dim, const BuildParams& params) {
  uint64_t bytes = EstimateIndexBytes(rows, dim, params) + (uint64_t{64} << 20);
  if (params.kind == Kind::kHnsw) {
    // Distances beside the links, terms, levels and places; upper levels twice.
    bytes += rows * (HnswDegree(params.m) * sizeof(int32_t) + 20);
  }
  if (params.kind == Kind::kIvfFlat) {
    const uint64_t sample = std::min<uint64_t>(rows, static_cast<uint64_t>(params.nlist) * 256);
    bytes += sample * dim * sizeof(float) + rows * 8;
  }
  return bytes;
}

}  // namespace elanus::index
