#include "rank/collapse.h"

#include <algorithm>
#include <map>

namespace elanus::rank {
namespace {

struct Row {
  uint32_t nearest = 0;  ///< its place among all hits
  std::vector<float> scores;
};

struct Scored {
  float score = 0;
  size_t place = 0;  ///< among the keys, ascending
  uint32_t nearest = 0;
};

float ScoreOf(const Row& row, const Collapse& collapse) {
  if (collapse.by == Collapse::By::kNearest) return row.scores.front();
  const size_t count =
      collapse.top == 0 ? row.scores.size() : std::min(collapse.top, row.scores.size());
  float sum = 0;
  for (size_t i = 0; i < count; ++i) sum += row.scores[i];
  return collapse.by == Collapse::By::kSum ? sum : sum / static_cast<float>(count);
}

}  // namespace

CollapsedLists CollapseElements(const ScoredLists& lists, model::Metric metric,
                                const Collapse& collapse) {
  CollapsedLists out;
  const bool larger_first = model::ScoreAscendsWithNearness(metric);
  uint32_t next = 0;
  for (const int64_t count : lists.counts) {
    std::map<model::PrimaryKey, Row> rows;
    for (int64_t i = 0; i < count; ++i, ++next) {
      auto [at, added] = rows.try_emplace(lists.keys->At(next), Row{.nearest = next});
      at->second.scores.push_back(lists.scores[next]);
    }
    std::vector<Scored> scored;
    for (const auto& [key, row] : rows) {
      scored.push_back({ScoreOf(row, collapse), scored.size(), row.nearest});
    }
    std::ranges::sort(scored, [&](const Scored& a, const Scored& b) {
      if (a.score != b.score) return larger_first ? a.score > b.score : a.score < b.score;
      return a.place < b.place;
    });
    for (const Scored& row : scored) {
      out.rows.push_back({0, row.nearest});
      out.scores.push_back(row.score);
    }
    out.counts.push_back(static_cast<int64_t>(scored.size()));
  }
  return out;
}

}  // namespace elanus::rank
