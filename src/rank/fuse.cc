#include "rank/fuse.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <unordered_map>

namespace elanus::rank {
namespace {

/// What rankings have in common.
struct Identity {
  model::PrimaryKey key;
  int64_t element = 0;
  friend auto operator<=>(const Identity&, const Identity&) = default;
};

struct Entry {
  Identity of;
  SourceRow at;
  float score = 0;
  int rankings = 0;  // that have the row
};

/// What a ranking adds to a row's score.
class Contribution {
 public:
  Contribution(std::span<const Ranking> rankings, const Fusion& fusion) : fusion_(fusion) {
    size_t similarities = 0;
    for (const Ranking& ranking : rankings) {
      metrics_.push_back(ranking.metric);
      similarities += ScoreAscendsWithNearness(ranking.metric) ? 1 : 0;
    }
    const auto* weighted = std::get_if<WeightedSum>(&fusion);
    decayed_ = std::get_if<Decayed>(&fusion);
    normalize_ =
        weighted != nullptr ? weighted->normalize : decayed_ != nullptr && decayed_->normalize;
    mixed_ = similarities != 0 && similarities != rankings.size();
    smaller_is_better_ = weighted != nullptr && !normalize_ && similarities == 0;
  }

  bool smaller_is_better() const { return smaller_is_better_; }

  float Of(size_t ranking, size_t place, float score) const {
    if (const auto* rrf = std::get_if<ReciprocalRank>(&fusion_)) {
      return static_cast<float>(1.0 / (rrf->k + static_cast<double>(place + 1)));
    }
    const model::Metric metric = metrics_[ranking];
    const bool convert =
        normalize_ || ((mixed_ || decayed_ != nullptr) && !ScoreAscendsWithNearness(metric));
    const float similarity = convert ? NormalScore(metric, score) : score;
    if (decayed_ != nullptr) return similarity;
    return std::get<WeightedSum>(fusion_).weights[ranking] * similarity;
  }

  /// Takes one more ranking's contribution into a row's score.
  void Add(float contribution, Entry& entry) const {
    const bool first = entry.rankings++ == 0;
    if (decayed_ != nullptr && decayed_->mode == ScoreMode::kMax && !first) {
      entry.score = std::max(entry.score, contribution);
    } else {
      entry.score += contribution;
    }
  }
  /// The row's score when all rankings have been added.
  float Total(const Entry& entry, std::span<const Ranking> rankings) const {
    if (decayed_ == nullptr) return entry.score;
    const bool average = decayed_->mode == ScoreMode::kAverage;
    const float score = average ? entry.score / static_cast<float>(entry.rankings) : entry.score;
    return score * rankings[entry.at.source].factors[entry.at.row];
  }

 private:
  const Fusion& fusion_;
  std::vector<model::Metric> metrics_;
  const Decayed* decayed_ = nullptr;
  bool normalize_ = false;
  bool mixed_ = false;
  bool smaller_is_better_ = false;
};

struct IdentityHash {
  size_t operator()(const Identity& of) const {
    const size_t key = std::visit([]<class K>(const K& k) { return std::hash<K>{}(k); }, of.key);
    return key + static_cast<size_t>(of.element) * 0x9e3779b97f4a7c15;
  }
};

void Append(FusedLists& out, std::span<const SourceRow> rows, std::span<const float> scores) {
  out.rows.insert(out.rows.end(), rows.begin(), rows.end());
  out.scores.insert(out.scores.end(), scores.begin(), scores.end());
  out.counts.push_back(static_cast<int64_t>(rows.size()));
}

struct ScoredGroup {
  std::vector<uint32_t> hits;  // never empty; the first is the group's best
  float score = 0;
};

float GroupScore(const std::vector<float>& scores, const std::vector<uint32_t>& hits,
                 bool smaller_is_better, GroupScorer scorer) {
  float sum = 0;
  for (uint32_t hit : hits) sum += scores[hit];
  switch (scorer) {
    case GroupScorer::kSum: return sum;
    case GroupScorer::kAverage: return sum / static_cast<float>(hits.size());
    case GroupScorer::kMax: break;
  }
  float best = scores[hits[0]];
  for (uint32_t hit : hits) {
    best = smaller_is_better ? std::min(best, scores[hit]) : std::max(best, scores[hit]);
  }
  return best;
}

}  // namespace

float NormalScore(model::Metric metric, float score) {
  const double value = score;
  if (metric == model::Metric::kCosine) return static_cast<float>((1 + value) * 0.5);
  if (ScoreAscendsWithNearness(metric)) {
    return static_cast<float>(0.5 + std::atan(value) / std::numbers::pi);
  }
  return static_cast<float>(1.0 - 2 * std::atan(value) / std::numbers::pi);
}

FusedLists Fuse(std::span<const Ranking> rankings, const Fusion& fusion) {
  const Contribution contribution(rankings, fusion);
  FusedLists fused{.smaller_is_better = contribution.smaller_is_better()};
  const size_t nq = rankings.empty() ? 0 : rankings[0].lists.counts.size();
  std::vector<size_t> next(rankings.size(), 0);
  std::vector<Entry> entries;
  std::unordered_map<Identity, size_t, IdentityHash> found;
  for (size_t query = 0; query < nq; ++query) {
    entries.clear();
    found.clear();
    for (uint32_t r = 0; r < rankings.size(); ++r) {
      const ScoredLists& lists = rankings[r].lists;
      const auto count = static_cast<size_t>(lists.counts[query]);
      for (size_t place = 0; place < count; ++place) {
        const size_t row = next[r] + place;
        const int64_t element = lists.elements.empty() ? 0 : lists.elements[row];
        auto [at, added] = found.emplace(Identity{lists.keys->At(row), element}, entries.size());
        if (added) entries.push_back({at->first, {r, static_cast<uint32_t>(row)}});
        contribution.Add(contribution.Of(r, place, lists.scores[row]), entries[at->second]);
      }
      next[r] += count;
    }
    for (Entry& entry : entries) entry.score = contribution.Total(entry, rankings);
    std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
      if (a.score != b.score)
        return fused.smaller_is_better ? a.score < b.score : a.score > b.score;
      return a.of < b.of;
    });
    for (const Entry& entry : entries) {
      fused.rows.push_back(entry.at);
      fused.scores.push_back(entry.score);
    }
    fused.counts.push_back(static_cast<int64_t>(entries.size()));
  }
  return fused;
}

FusedLists Cut(const FusedLists& lists, Slice slice) {
  FusedLists cut{.smaller_is_better = lists.smaller_is_better};
  size_t begin = 0;
  for (const int64_t count : lists.counts) {
    const auto size = static_cast<size_t>(count);
    const auto [first, last] = BoundsOf(slice, size);
    Append(cut, std::span(lists.rows).subspan(begin + first, last - first),
           std::span(lists.scores).subspan(begin + first, last - first));
    begin += size;
  }
  return cut;
}

FusedLists GroupFused(const FusedLists& lists, const GroupMerge& merge, GroupScorer scorer) {
  FusedLists grouped{.smaller_is_better = lists.smaller_is_better};
  std::string key;
  size_t begin = 0;
  for (const int64_t count : lists.counts) {
    const size_t end = begin + static_cast<size_t>(count);
    GroupFill fill(static_cast<size_t>(count), static_cast<size_t>(merge.size));
    for (size_t i = begin; i < end; ++i) {
      GroupKeyOf(*merge.values[lists.rows[i].source], merge.columns, lists.rows[i].row, key);
      fill.Push(key, static_cast<uint32_t>(i));
    }
    std::vector<ScoredGroup> groups;
    for (const auto& hits : fill.groups()) {
      groups.push_back({hits, GroupScore(lists.scores, hits, lists.smaller_is_better, scorer)});
    }
    std::ranges::sort(groups, [&](const ScoredGroup& a, const ScoredGroup& b) {
      if (a.score != b.score)
        return lists.smaller_is_better ? a.score < b.score : a.score > b.score;
      return a.hits[0] < b.hits[0];
    });
    const size_t before = grouped.rows.size();
    const auto [first, last] = BoundsOf(merge.groups, groups.size());
    for (size_t g = first; g < last; ++g) {
      for (uint32_t hit : groups[g].hits) {
        grouped.rows.push_back(lists.rows[hit]);
        grouped.scores.push_back(lists.scores[hit]);
      }
    }
    grouped.counts.push_back(static_cast<int64_t>(grouped.rows.size() - before));
    begin = end;
  }
  return grouped;
}

}  // namespace elanus::rank
