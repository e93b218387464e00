// k-means of rows by their int8 codes: a twelfth of the time that floats take, for clusters that
// need not be the best. Deterministic for a seed, whatever the number of threads. Called by the
// cells of graphs. Threads: functions; they start workers of their own.
#pragma once

#include <stop_token>
#include <vector>

#include "base/status.h"
#include "index/vector/buffer.h"
#include "index/vector/sq8.h"

namespace elanus::index {

struct CodeClusterParams {
  size_t clusters = 1;  ///< at most as many as rows
  size_t sample = 32;   ///< rows a cluster to learn from
  int rounds = 4;
  uint64_t seed = 1;
  int threads = 1;
};

struct CodeClusters {
  Buffer centres;                 ///< codes, as those of rows
  std::vector<uint32_t> nearest;  ///< centre, by row
};

/// Clusters by Euclidean distance of the codes.
/// Errors: kCanceled. Cost: (rows + sample * clusters * rounds) * clusters * dim / 64 instructions.
Result<CodeClusters> ClusterCodes(const Sq8& codec, const CodeView& codes, size_t rows,
                                  const CodeClusterParams& params, const std::stop_token& stop);

/// Memory it takes beside its result.
uint64_t ClusterCodesBytes(size_t rows, const CodeClusterParams& params, size_t dim);

}  // namespace elanus::index
