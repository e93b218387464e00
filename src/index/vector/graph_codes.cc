#include "index/vector/graph_codes.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "index/vector/flat_index.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kRowsAtOnce = 1024;
constexpr size_t kProbes = 100;      // rows whose surroundings are looked at
constexpr size_t kAround = 600;      // rows around each
constexpr size_t kNearest = 10;      // of which these are wanted
constexpr double kFoundMin = 0.995;  // part of them

// Nearly all components of all rows are inside the range of the int8 codes.
Sq4 CodecOf(Metric metric, float scale, std::span<const float> mean) {
  const float far = 4 * 127 * scale * std::sqrt(static_cast<float>(mean.size()));
  return Sq4(metric, {mean.begin(), mean.end()}, far);
}

Buffer Encode(const VectorView& vectors, const Sq4& codec, int threads) {
  Buffer codes(vectors.rows * codec.stride());
  std::atomic<size_t> next{0};
  RunWorkers(threads, [&](int) {
    FloatRows row_at(vectors);
    for (size_t first; (first = next.fetch_add(kRowsAtOnce)) < vectors.rows;) {
      for (size_t row = first; row < std::min(first + kRowsAtOnce, vectors.rows); ++row)
        codec.EncodeRow(row_at(row), codes.As<uint8_t>() + row * codec.stride());
    }
  });
  return codes;
}

// Rows that a row's links lead to, about kAround, without itself.
// \param seen  by row, all zero before and after
std::vector<uint32_t> Around(uint32_t row, GraphLists& lists, std::vector<uint8_t>& seen) {
  std::vector<uint32_t> met = {row};
  std::vector<uint32_t> links(lists.degree() + 16);
  seen[row] = 1;
  for (size_t i = 0; i < met.size() && met.size() < kAround; ++i) {
    const size_t count = lists.Level(0).Read(met[i], links.data());
    for (size_t l = 0; l < count; ++l) {
      if (seen[links[l]] == 0) met.push_back(links[l]);
      seen[links[l]] = 1;
    }
  }
  for (uint32_t other : met) seen[other] = 0;
  met.erase(met.begin());
  return met;
}

// Part of the nearest rows around `row` that are among the nearest by code.
double Found(const std::vector<float>& distances, const std::vector<int32_t>& keys) {
  const size_t wanted = std::min(kNearest, keys.size());
  const size_t measured = std::min(HalfBytesMeasured(wanted), keys.size());
  if (wanted == 0) return 1;
  std::vector<float> sorted = distances;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(wanted - 1),
                   sorted.end());
  std::vector<std::pair<int32_t, float>> order(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) order[i] = {keys[i], distances[i]};
  std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(measured - 1),
                   order.end());
  size_t found = 0;
  for (size_t i = 0; i < measured; ++i) found += order[i].second <= sorted[wanted - 1] ? 1 : 0;
  return static_cast<double>(std::min(found, wanted)) / static_cast<double>(wanted);
}

// Tight clusters far apart look like one point each in half bytes: a search would not find its way
// inside.
bool TellApart(const VectorView& vectors, Metric metric, const float* norms, const Sq4& codec,
               const uint8_t* codes, GraphLists& lists) {
  const Sq4View view(codec, codes);
  FloatRows row_at(vectors);
  std::vector<uint8_t> seen(vectors.rows, 0);
  Sq4::Query query;
  double found = 0;
  const size_t probes = std::min(kProbes, vectors.rows);
  for (size_t i = 0; i < probes; ++i) {
    const auto row = static_cast<uint32_t>((2 * i + 1) * vectors.rows / (2 * probes));
    const std::vector<uint32_t> around = Around(row, lists, seen);
    std::vector<float> distances(around.size());
    std::vector<int32_t> keys(around.size());
    const float* x = row_at(row);
    ExactDistance(metric, vectors, norms, x).Rows(around.data(), around.size(), distances.data());
    codec.Prepare(x, query);
    view.Keys(query, around.data(), around.size(), keys.data());
    found += Found(distances, keys);
  }
  return found >= kFoundMin * static_cast<double>(probes);
}

uint64_t ByteLines(Metric metric, size_t dim) {
  const uint64_t bytes = GraphCodeBytes(metric, dim, 8);
  return (bytes + kLine - 1) / kLine;  // a term elsewhere is one more line
}

}  // namespace

bool HalfBytesSaveLines(Metric metric, size_t dim) {
  return Sq4::StrideOf(dim) / kLine < ByteLines(metric, dim);
}

uint64_t GraphCodeBytes(Metric metric, size_t dim, int bits) {
  if (bits == kHalfByte && HalfBytesSaveLines(metric, dim)) return Sq4::StrideOf(dim);
  const uint64_t stride = (dim + kLine - 1) / kLine * kLine;
  const bool term = metric == Metric::kL2 && stride - dim < sizeof(int32_t);
  return stride + (term ? sizeof(int32_t) : 0);
}

Result<bool> AddHalfBytes(const VectorView& vectors, const BuildParams& params, const Sq8& codes,
                          GraphLists& lists, IndexFileWriter& writer, const IndexHeader& header) {
  if (params.codec.bits != kHalfByte || !HalfBytesSaveLines(params.metric, vectors.dim))
    return false;
  const Sq4 codec = CodecOf(params.metric, codes.scale(), codes.mean());
  Buffer halves = Encode(vectors, codec, params.threads);
  const IndexFileReader norms_file = writer.Peek(header);
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(norms_file));
  if (!TellApart(vectors, params.metric, norms, codec, halves.As<uint8_t>(), lists)) return false;
  writer.Add(SectionId::kMean, codec.mean());
  writer.Add(SectionId::kCodes, std::move(halves));
  return true;
}

Result<HalfBytes> ReadHalfBytes(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  ASSIGN_OR_RETURN(auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  if (!std::all_of(mean.begin(), mean.end(), [](float x) { return std::isfinite(x); }))
    return Error(Code::kDataIntegrity, "index file: mean is not finite");
  HalfBytes halves{.codec = CodecOf(h.metric, h.scale, mean), .codes = {}};
  ASSIGN_OR_RETURN(
      auto codes,
      file.Values<uint8_t>(SectionId::kCodes, uint64_t{h.rows} * halves.codec.stride(), "codes"));
  halves.codes = Sq4View(halves.codec, codes.data());
  return halves;
}

}  // namespace elanus::index
