#include "index/vector/choice.h"

#include <algorithm>
#include <cmath>

#include "index/vector/brute_force.h"

namespace elanus::index {
namespace {

constexpr size_t kSample = 100;
constexpr size_t kNeighbours = 10;
constexpr size_t kWork = size_t{20'000'000'000};  // multiplications

// Below it a graph is as fast at every recall and cheap enough to build.
constexpr size_t kRowsForLists = 50'000;
// Between word vectors (30: lists win above recall .95 at a quarter of the build and the memory)
// and embeddings of text (below 20: the graph wins).
constexpr double kHighDimension = 24.0;
constexpr size_t kRowsPerList = 170;

}  // namespace

double IntrinsicDimension(const VectorView& vectors, Metric metric) {
  VectorView part = vectors;
  part.rows = std::clamp<size_t>(kWork / (kSample * vectors.dim), kSample, vectors.rows);
  const Metric measure = metric == Metric::kL2 ? Metric::kL2 : Metric::kCosine;
  FloatRows row_at(part);
  std::vector<float> queries;
  std::vector<TopK> tops(kSample, TopK(kNeighbours + 1));
  for (size_t i = 0; i < kSample; ++i) {
    const float* x = row_at((2 * i + 1) * part.rows / (2 * kSample));
    queries.insert(queries.end(), x, x + vectors.dim);
  }
  (void)BruteForceMany(measure, queries.data(), {.vectors = part}, {}, {}, tops)
      .ok();  // a Cancel that never stops
  std::vector<double> dimensions;
  for (TopK& top : tops) {
    std::vector<double> distances;
    for (const Hit& hit : top.Take()) {
      // The angle's chord stands for the distance of unit vectors; the row itself and its
      // duplicates say nothing.
      const double square = measure == Metric::kL2 ? hit.distance : 2.0 + 2.0 * hit.distance;
      if (square > 1e-9) distances.push_back(std::sqrt(square));
    }
    double sum = 0;
    for (double d : distances) sum += std::log(distances.back() / d);
    if (sum > 0) dimensions.push_back(static_cast<double>(distances.size() - 1) / sum);
  }
  if (dimensions.empty()) return 0;
  const auto middle = dimensions.begin() + static_cast<ptrdiff_t>(dimensions.size() / 2);
  std::nth_element(dimensions.begin(), middle, dimensions.end());
  return *middle;
}

BuildParams Choose(const VectorView& vectors, const BuildParams& params) {
  BuildParams chosen = params;
  chosen.choose = false;
  const uint64_t raw = vectors.rows * vectors.row_bytes();
  const bool tight =
      raw + EstimateIndexBytes(vectors.rows, vectors.dim, chosen) > params.memory_max;
  if (!tight && vectors.rows < kRowsForLists) return chosen;
  if (!tight && IntrinsicDimension(vectors, params.metric) < kHighDimension) return chosen;
  chosen.kind = Kind::kScann;
  chosen.part_dim = 2;
  chosen.nlist = static_cast<int>(std::clamp<size_t>(vectors.rows / kRowsPerList, 1, 65536));
  return chosen;
}

}  // namespace elanus::index
