// Finds how wide a search must be: asks a fresh index for neighbours of some of its own rows, each
// row left out as if it were not there, and compares with brute force. The answer goes into the
// header of the file (Tuning).
#pragma once

#include <functional>

#include "index/vector/index_file.h"
#include "index/vector/top_k.h"
#include "index/vector/vectors.h"

namespace elanus::index {

/// Some rows of an index and the nearest others of each, exactly.
struct SelfSample {
  static constexpr size_t kNearest = 100;
  std::vector<uint32_t> rows;
  std::vector<std::vector<Hit>> truth;  ///< up to kNearest, nearest first, without the row itself
};
SelfSample TakeSelfSample(const VectorView& vectors, Metric metric, const float* inverse_norms,
                          int threads);

struct SelfTest {
  /// The best `top_k` rows near row `row`, without that row, at the given width (ef or nprobe).
  /// Called by `threads` at once.
  std::function<std::vector<Hit>(uint32_t row, size_t top_k, uint32_t width)> search;
  int threads = 1;
  uint32_t width_max;
  bool at_least_top_k;  ///< a width below top_k makes no sense (ef)
};

/// The smallest widths that reach recall .96 on the sample (.95 is wanted of rows never seen).
Tuning FindTuning(size_t rows, const SelfSample& sample, const SelfTest& test);

/// The same for an index over lists: the width is nprobe.
template <class Index>
Tuning TuneLists(const Index& index, int threads) {
  const SelfTest test{
      .search = [&](uint32_t row, size_t top_k,
                    uint32_t nprobe) { return index.SearchWithout(row, top_k, nprobe); },
      .threads = threads,
      .width_max = index.header().nlist,
      .at_least_top_k = false};
  const VectorView& vectors = index.vectors();
  return FindTuning(vectors.rows,
                    TakeSelfSample(vectors, index.metric(), index.inverse_norms(), threads), test);
}

}  // namespace elanus::index
