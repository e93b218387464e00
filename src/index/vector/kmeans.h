// Lloyd's k-means on a sample, for the lists of IVF. Deterministic for a seed, whatever the number
// of threads.
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "base/status.h"
#include "index/vector/vectors.h"

namespace elanus::index {

struct KMeansParams {
  size_t clusters = 1;
  int rounds = 10;
  size_t sample = 0;  ///< points a cluster to learn from; 0: 256, of more than 1,024 clusters 64
  uint64_t seed = 1;
  int threads = 1;
  bool unit_length = false;    ///< points are brought to unit length first (COSINE)
  bool unit_centroids = true;  ///< and then the centroids too
};

/// \return float[clusters][dim]; clusters <= rows. Errors: kCanceled. Cost: sample * clusters * dim
/// * rounds.
Result<std::vector<float>> TrainCentroids(const VectorView& vectors, const KMeansParams& params,
                                          const std::stop_token& stop);

/// Centroids as the many-to-many kernels read them. Threads: any number may ask.
class CentroidTiles {
 public:
  /// \param centroids  float[count][dim]; copied
  CentroidTiles(std::span<const float> centroids, size_t dim);
  /// The nearest centroid (Euclidean) of each row from `first` on. Points are normalised first when
  /// `unit_length`.
  void Assign(const VectorView& vectors, size_t first, bool unit_length,
              std::span<uint32_t> nearest) const;

 private:
  size_t dim_, count_;
  std::vector<float> packed_;
};

}  // namespace elanus::index
