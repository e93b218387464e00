// Several rankings of the same rows to one: hybrid search. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "model/metric.h"
#include "rank/group.h"
#include "rank/merge.h"

namespace elanus::rank {

/// The answer of one search: each query's hits nearest first, a key (or an element of a key's list)
/// at most once.
struct Ranking {
  ScoredLists lists;
  model::Metric metric = model::Metric::kL2;
  std::span<const float> factors;  ///< of Decayed: what is left of each hit's score
};

/// Reciprocal rank fusion: a row scores the sum of 1 / (k + rank), rank from 1.
/// Source: Cormack, Clarke, Buettcher 2009.
struct ReciprocalRank {
  double k = 60;
};

/// A row scores the sum of weight * score. Normalised, or when rankings of both directions meet,
/// scores are first made similarities (NormalScore).
struct WeightedSum {
  std::vector<float> weights;  ///< one a ranking
  bool normalize = false;
};

/// How the scores that one row has in several rankings become one.
enum class ScoreMode : uint8_t { kMax, kSum, kAverage };

/// A row scores its similarity in the rankings, combined, times its factor. Distances are made
/// similarities always, others when normalised.
struct Decayed {
  ScoreMode mode = ScoreMode::kMax;
  bool normalize = false;
};

using Fusion = std::variant<ReciprocalRank, WeightedSum, Decayed>;

/// A similarity in (0, 1): (1 + s) / 2 of a cosine, 0.5 + atan(s) / pi of another similarity,
/// 1 - 2 atan(d) / pi of a distance.
float NormalScore(model::Metric metric, float score);

/// One list a query, best first; rows name the ranking and place a key was first met at.
struct FusedLists {
  std::vector<int64_t> counts;
  std::vector<SourceRow> rows;
  std::vector<float> scores;
  bool smaller_is_better = false;  ///< a weighted sum of plain distances
};

/// A row missing from a ranking gets nothing from it. Equal scores: the smaller key first. Where
/// the rankings tell elements, what is fused is these and not their rows.
/// \param rankings  all with the same number of queries, all with elements or none
FusedLists Fuse(std::span<const Ranking> rankings, const Fusion& fusion);

/// Only the part of each query's list that the slice keeps.
FusedLists Cut(const FusedLists& lists, Slice slice);

/// What a group's hits make the group worth.
enum class GroupScorer : uint8_t { kMax, kSum, kAverage };

/// The hits in groups, best group first; inside a group best first. Equal groups: the one whose
/// best hit came first.
FusedLists GroupFused(const FusedLists& lists, const GroupMerge& merge, GroupScorer scorer);

}  // namespace elanus::rank
