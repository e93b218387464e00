// The coarse part of every IVF: centroids, and which lists lie nearest to a query.
// Holds: ranking looks at int8 codes of the centroids first, which stay in the second-level cache,
// and at the floats of those that may count. Threads: immutable; scratch belongs to the caller.
#pragma once

#include <span>
#include <vector>

#include "index/vector/sq8.h"

namespace elanus::index {

struct NearList {
  float distance;  ///< L2: |c|^2 - 2 q.c; otherwise -q.c
  uint32_t list;
};

struct ListScratch {
  std::vector<int8_t> query_code;
  std::vector<int32_t> codes;  ///< distance by code, by list; kMeasured: looked at by floats
  size_t unmeasured = 0;       ///< lists that were not
  std::vector<uint32_t> ids;
  std::vector<float> products;
  std::vector<NearList> measured;  ///< not among `lists` yet
  std::vector<NearList> lists;     ///< the answer
};

class IvfLists {
 public:
  IvfLists() = default;
  /// \param centroids  float[nlist][dim], borrowed; nlist >= 1
  IvfLists(Metric metric, size_t dim, std::span<const float> centroids);

  size_t count() const { return count_; }
  const float* Centroid(size_t list) const { return centroids_.data() + list * dim_; }

  /// Leaves the `wanted` <= count() nearest lists in s.lists, nearest first.
  void Nearest(const float* query, size_t wanted, ListScratch& s) const;

  /// Ranks all lists by code, for Extend; empties s.lists.
  void Rank(const float* query, ListScratch& s) const;
  /// After Rank: adds the next nearest lists to s.lists, until it has `wanted` <= count().
  void Extend(const float* query, size_t wanted, ListScratch& s) const;

 private:
  void Choose(size_t count, ListScratch& s) const;
  void Measure(const float* query, size_t count, ListScratch& s) const;

  Metric metric_ = Metric::kL2;
  size_t dim_ = 0;
  size_t count_ = 0;
  std::span<const float> centroids_;
  std::vector<float> squares_;
  Sq8 codec_;
  Buffer code_bytes_;
  std::vector<int32_t> terms_;
  CodeView codes_;
};

}  // namespace elanus::index
