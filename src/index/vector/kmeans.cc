#include "index/vector/kmeans.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>
#include <random>

#include "base/thread.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kPoints = 12;      // of one tile
constexpr size_t kCentroids = 256;  // of one tile
constexpr size_t kPointsAtOnce = 1024;

// Rows spread over the data in random order, normalised if asked.
std::vector<float> TakeSample(const VectorView& vectors, const KMeansParams& params) {
  const size_t usual = params.clusters <= 1024 ? 256 : 64;
  const size_t per_cluster = params.sample != 0 ? params.sample : usual;
  const size_t count = std::min(vectors.rows, params.clusters * per_cluster);
  std::vector<uint32_t> rows(vectors.rows);
  std::iota(rows.begin(), rows.end(), 0u);
  std::mt19937_64 random(params.seed);
  for (size_t i = 0; i < count; ++i) std::swap(rows[i], rows[i + random() % (vectors.rows - i)]);
  FloatRows row_at(vectors);
  std::vector<float> points;
  points.reserve(count * vectors.dim);
  for (size_t i = 0; i < count; ++i) {
    const float* x = row_at(rows[i]);
    const float f = params.unit_length ? InverseNorm(simd::Active(), x, vectors.dim) : 1.0f;
    for (size_t d = 0; d < vectors.dim; ++d) points.push_back(x[d] * f);
  }
  return points;
}

// Means of the assigned points; an empty cluster takes a copy of a random point.
void MoveCentroids(std::span<const float> points, size_t dim, std::span<const uint32_t> nearest,
                   const KMeansParams& params, std::mt19937_64& random,
                   std::vector<float>& centroids) {
  const size_t rows = points.size() / dim;
  std::vector<double> sums(params.clusters * dim, 0.0);
  std::vector<size_t> counts(params.clusters, 0);
  for (size_t i = 0; i < rows; ++i) {
    ++counts[nearest[i]];
    for (size_t d = 0; d < dim; ++d) sums[nearest[i] * dim + d] += points[i * dim + d];
  }
  for (size_t c = 0; c < params.clusters; ++c) {
    float* centroid = centroids.data() + c * dim;
    if (counts[c] == 0) {
      std::copy_n(&points[random() % rows * dim], dim, centroid);
      continue;
    }
    for (size_t d = 0; d < dim; ++d)
      centroid[d] = static_cast<float>(sums[c * dim + d] / static_cast<double>(counts[c]));
    if (params.unit_length && params.unit_centroids) {
      const float f = InverseNorm(simd::Active(), centroid, dim);
      for (size_t d = 0; d < dim; ++d) centroid[d] *= f;
    }
  }
}

}  // namespace

void AssignToCentroids(const VectorView& vectors, size_t first, std::span<const float> centroids,
                       bool unit_length, std::span<uint32_t> nearest) {
  const simd::Kernels& kernels = simd::Active();
  const size_t dim = vectors.dim, clusters = centroids.size() / dim;
  std::vector<float> half_squares(clusters);
  for (size_t c = 0; c < clusters; ++c)
    half_squares[c] = 0.5f * kernels.ip(&centroids[c * dim], &centroids[c * dim], dim);
  FloatRows row_at(vectors);
  std::vector<float> points(kPoints * dim), products(kPoints * kCentroids);
  for (size_t i = 0; i < nearest.size(); i += kPoints) {
    OfferCore();
    const size_t count = std::min(kPoints, nearest.size() - i);
    for (size_t j = 0; j < count; ++j) {
      const float* x = row_at(first + i + j);
      const float f = unit_length ? InverseNorm(kernels, x, dim) : 1.0f;
      for (size_t d = 0; d < dim; ++d) points[j * dim + d] = x[d] * f;
    }
    float best[kPoints];
    std::fill_n(best, kPoints, -std::numeric_limits<float>::infinity());
    for (size_t j = 0; j < count; ++j) nearest[i + j] = 0;
    for (size_t c = 0; c < clusters; c += kCentroids) {
      const size_t width = std::min(kCentroids, clusters - c);
      kernels.ip_tile(points.data(), dim, count, &centroids[c * dim], dim, width, dim,
                      products.data(), kCentroids);
      for (size_t j = 0; j < count; ++j) {
        for (size_t k = 0; k < width; ++k) {
          const float value = products[j * kCentroids + k] - half_squares[c + k];
          if (value > best[j]) {
            best[j] = value;
            nearest[i + j] = static_cast<uint32_t>(c + k);
          }
        }
      }
    }
  }
}

Result<std::vector<float>> TrainCentroids(const VectorView& vectors, const KMeansParams& params,
                                          const std::stop_token& stop) {
  const std::vector<float> sample = TakeSample(vectors, params);
  const VectorView points{sample.data(), sample.size() / vectors.dim, vectors.dim};
  std::vector<float> centroids(
      sample.begin(), sample.begin() + static_cast<ptrdiff_t>(params.clusters * vectors.dim));
  std::vector<uint32_t> nearest(points.rows);
  std::mt19937_64 random(params.seed + 1);
  for (int round = 0; round < params.rounds; ++round) {
    std::atomic<size_t> next{0};
    RunWorkers(params.threads, [&](int) {
      for (size_t first;
           (first = next.fetch_add(kPointsAtOnce)) < points.rows && !stop.stop_requested();) {
        const size_t count = std::min(kPointsAtOnce, points.rows - first);
        AssignToCentroids(points, first, centroids, false,
                          std::span(nearest).subspan(first, count));
      }
    });
    if (stop.stop_requested()) return Error(Code::kCanceled, "index build canceled");
    MoveCentroids(sample, vectors.dim, nearest, params, random, centroids);
  }
  return centroids;
}

}  // namespace elanus::index
