#include "query/vector_scan.h"

#include <fmt/core.h>

#include <cstring>
#include <optional>
#include <vector>

#include "index/vector/search_cost.h"
#include "model/vector_values.h"

namespace elanus::query {
namespace {

using model::DataType;
using model::Metric;

constexpr size_t kCancelEvery = 4096;  // distances between two looks at `cancel`

/// By the index room's kernels, which want queries as floats, or as bits for bits.
Status ScanByKernels(Metric metric, const segment::ColumnView& queries, const ScanRows& rows,
                     const index::HiddenBits& hidden, const Cancel& cancel,
                     std::span<index::TopK> tops) {
  const index::VectorChunk chunk = ChunkOf(rows);
  std::vector<float> floats;
  const void* raw = KernelQueries(queries, floats);
  if (tops.size() == 1) return index::BruteForce(metric, raw, chunk, hidden, cancel, tops[0]);
  return index::BruteForceMany(metric, raw, chunk, hidden, cancel, tops);
}

/// Calls measure(query, row) for each pair; a distance goes into the query's list.
template <class Measure>
Status ScanPairs(const ScanRows& rows, const index::HiddenBits& hidden, const Cancel& cancel,
                 std::span<index::TopK> tops, Measure measure) {
  size_t work = 0;
  for (size_t row = 0; row < rows.vectors.rows; ++row) {
    if (work++ % kCancelEvery == 0) RETURN_IF_ERROR(cancel.Check());
    const size_t in_segment = rows.first + row;
    if (hidden.Hidden(in_segment)) continue;
    index::ThreadSearchCost().exact += tops.size();
    for (size_t q = 0; q < tops.size(); ++q) {
      if (work++ % kCancelEvery == 0) RETURN_IF_ERROR(cancel.Check());
      if (const std::optional<float> distance = measure(q, row)) {
        tops[q].Push(*distance, static_cast<uint32_t>(in_segment));
      }
    }
  }
  return Status::Ok();
}

/// True when every bit of `part` is set in `whole`.
bool IsSubset(std::string_view part, std::string_view whole) {
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= part.size(); at += sizeof(uint64_t)) {
    uint64_t a;
    uint64_t b;
    std::memcpy(&a, part.data() + at, sizeof(a));
    std::memcpy(&b, whole.data() + at, sizeof(b));
    if ((a & ~b) != 0) return false;
  }
  for (; at < part.size(); ++at) {
    if ((part[at] & ~whole[at]) != 0) return false;
  }
  return true;
}

Status ScanStructures(Metric metric, const segment::ColumnView& queries, const ScanRows& rows,
                      const index::HiddenBits& hidden, const Cancel& cancel,
                      std::span<index::TopK> tops) {
  const bool query_inside = metric == Metric::kSubstructure;
  return ScanPairs(rows, hidden, cancel, tops, [&](size_t q, size_t row) {
    const std::string_view query = queries.ValueAt(q);
    const std::string_view vector = rows.vectors.ValueAt(row);
    const bool hit = query_inside ? IsSubset(query, vector) : IsSubset(vector, query);
    return hit ? std::optional(0.0F) : std::nullopt;
  });
}

float SparseProduct(std::string_view a, std::string_view b) {
  float sum = 0;
  size_t i = 0;
  size_t j = 0;
  const size_t a_size = model::SparseSize(a);
  const size_t b_size = model::SparseSize(b);
  while (i < a_size && j < b_size) {
    const model::SparseElement left = model::SparseAt(a, i);
    const model::SparseElement right = model::SparseAt(b, j);
    if (left.index == right.index) sum += left.value * right.value;
    i += left.index <= right.index ? 1 : 0;
    j += right.index <= left.index ? 1 : 0;
  }
  return sum;
}

/// As in Milvus a row that shares nothing with the query is no hit.
Status ScanSparse(const segment::ColumnView& queries, const ScanRows& rows,
                  const index::HiddenBits& hidden, const Cancel& cancel,
                  std::span<index::TopK> tops) {
  return ScanPairs(rows, hidden, cancel, tops, [&](size_t q, size_t row) {
    const float product = SparseProduct(queries.StringAt(q), rows.vectors.StringAt(row));
    return product > 0 ? std::optional(0.0F - product) : std::nullopt;
  });
}

}  // namespace

index::VectorChunk ChunkOf(const ScanRows& rows) {
  const segment::ColumnView& vectors = rows.vectors;
  return {.vectors = {.data = vectors.fixed,
                      .rows = vectors.rows,
                      .dim = static_cast<size_t>(vectors.dim),
                      .element = index::ElementOf(vectors.type)},
          .row_offset = rows.first};
}

const void* KernelQueries(const segment::ColumnView& queries, std::vector<float>& floats) {
  if (queries.type == DataType::kFloatVector || queries.type == DataType::kBinaryVector)
    return queries.fixed;
  floats.resize(queries.rows * static_cast<size_t>(queries.dim));
  model::DenseToFloats(queries.type, queries.fixed, floats.size(), floats.data());
  return floats.data();
}

Status ScanVectors(Metric metric, const segment::ColumnView& queries, const ScanRows& rows,
                   const index::HiddenBits& hidden, const Cancel& cancel,
                   std::span<index::TopK> tops) {
  const DataType type = rows.vectors.type;
  if (!model::SupportsMetric(type, metric)) {
    return InvalidParameter(fmt::format("{} is not compared by {}", model::DataTypeName(type),
                                        model::MetricName(metric)));
  }
  if (type == DataType::kSparseFloatVector) return ScanSparse(queries, rows, hidden, cancel, tops);
  if (metric == Metric::kSubstructure || metric == Metric::kSuperstructure)
    return ScanStructures(metric, queries, rows, hidden, cancel, tops);
  return ScanByKernels(metric, queries, rows, hidden, cancel, tops);
}

}  // namespace elanus::query
