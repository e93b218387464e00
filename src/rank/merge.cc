#include "rank/merge.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/check.h"
#include "rank/score.h"

namespace elanus::rank {
namespace {

size_t WantedOf(Slice slice) {
  if (slice.limit < 0) return std::numeric_limits<size_t>::max();
  return static_cast<size_t>(std::max<int64_t>(slice.offset, 0)) + static_cast<size_t>(slice.limit);
}

template <class Key>
Key KeyAt(const model::PrimaryKeys& keys, size_t row) {
  if constexpr (std::is_same_v<Key, int64_t>) {
    return keys.ints[row];
  } else {
    return keys.strings[row];
  }
}

template <class Key>
struct Candidate {
  float distance = 0;
  SourceRow at;
  Key key;
  int64_t element = 0;
};

// Which keys a list has so far; forgets all of them at once.
template <class Key>
class KeySet {
 public:
  void Reset(size_t keys_max) {
    const size_t size = std::bit_ceil(std::max<size_t>(keys_max * 2, 16));
    if (slots_.size() < size) slots_.assign(size, Slot{});
    ++round_;
  }
  /// False when the key is there already.
  bool Insert(const Key& key, int64_t element) {
    const auto salt = static_cast<uint64_t>(element);
    size_t at = Mix(std::hash<Key>{}(key) + salt) & (slots_.size() - 1);
    while (slots_[at].round == round_) {
      if (slots_[at].key == key && slots_[at].element == element) return false;
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {round_, key, element};
    return true;
  }

 private:
  struct Slot {
    uint64_t round = 0;
    Key key{};
    int64_t element = 0;
  };
  static uint64_t Mix(uint64_t hash) {
    hash *= 0x9E3779B97F4A7C15ULL;
    return hash ^ (hash >> 32);
  }
  std::vector<Slot> slots_;
  uint64_t round_ = 0;
};

template <class Key>
class ScoredMerge {
 public:
  ScoredMerge(std::span<const ScoredLists> sources, model::Metric metric, Slice slice)
      : sources_(sources), metric_(metric), slice_(slice), next_(sources.size(), 0) {}

  MergedLists Run() {
    MergedLists merged;
    const size_t nq = sources_.empty() ? 0 : sources_[0].counts.size();
    for (size_t query = 0; query < nq; ++query) {
      Collect(query);
      merged.counts.push_back(static_cast<int64_t>(TakeBest(merged.rows)));
    }
    return merged;
  }

 private:
  void Collect(size_t query) {
    candidates_.clear();
    for (uint32_t s = 0; s < sources_.size(); ++s) {
      const ScoredLists& source = sources_[s];
      ELANUS_CHECK(query < source.counts.size());
      const auto count = static_cast<size_t>(source.counts[query]);
      ELANUS_CHECK(next_[s] + count <= source.scores.size() &&
                   next_[s] + count <= source.keys->size());
      ELANUS_CHECK(source.elements.empty() || next_[s] + count <= source.elements.size());
      for (size_t row = next_[s]; row < next_[s] + count; ++row) {
        float distance = DistanceOf(metric_, source.scores[row]);
        if (std::isnan(distance)) distance = std::numeric_limits<float>::infinity();
        candidates_.push_back({distance,
                               {s, static_cast<uint32_t>(row)},
                               KeyAt<Key>(*source.keys, row),
                               source.elements.empty() ? 0 : source.elements[row]});
      }
      next_[s] += count;
    }
  }

  size_t TakeBest(std::vector<SourceRow>& out) {
    std::ranges::sort(candidates_, [](const Candidate<Key>& a, const Candidate<Key>& b) {
      if (a.distance != b.distance) return a.distance < b.distance;
      if (a.key != b.key) return a.key < b.key;
      if (a.element != b.element) return a.element < b.element;
      return a.at.source != b.at.source ? a.at.source < b.at.source : a.at.row < b.at.row;
    });
    const size_t wanted = WantedOf(slice_);
    seen_.Reset(candidates_.size());
    best_.clear();
    for (const Candidate<Key>& candidate : candidates_) {
      if (best_.size() == wanted) break;
      if (seen_.Insert(candidate.key, candidate.element)) best_.push_back(candidate.at);
    }
    const Bounds bounds = BoundsOf(slice_, best_.size());
    out.insert(out.end(), best_.begin() + static_cast<std::ptrdiff_t>(bounds.first),
               best_.begin() + static_cast<std::ptrdiff_t>(bounds.last));
    return bounds.last - bounds.first;
  }

  std::span<const ScoredLists> sources_;
  model::Metric metric_;
  Slice slice_;
  std::vector<size_t> next_;  // row of each source where the query's list starts
  std::vector<Candidate<Key>> candidates_;
  std::vector<SourceRow> best_;
  KeySet<Key> seen_;
};

template <class Key>
std::vector<SourceRow> MergeKeyed(std::span<const KeyedRows> sources, Slice slice) {
  struct Head {
    Key key;
    SourceRow at;
  };
  // A heap whose front is the smallest key, of equal keys the first source.
  auto later = [](const Head& a, const Head& b) {
    if (a.key != b.key) return b.key < a.key;
    return b.at.source < a.at.source;
  };
  std::vector<Head> heap;
  auto push = [&](uint32_t source, size_t row) {
    if (row == sources[source].keys->size()) return;
    heap.push_back({KeyAt<Key>(*sources[source].keys, row), {source, static_cast<uint32_t>(row)}});
    std::ranges::push_heap(heap, later);
  };
  for (uint32_t s = 0; s < sources.size(); ++s) push(s, 0);
  auto time_of = [&](SourceRow at) { return sources[at.source].timestamps[at.row]; };
  const size_t wanted = WantedOf(slice);
  std::vector<SourceRow> merged;
  Key last{};
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, later);
    const Head head = heap.back();
    heap.pop_back();
    push(head.at.source, head.at.row + size_t{1});
    if (!merged.empty() && head.key == last) {
      if (time_of(head.at) > time_of(merged.back())) merged.back() = head.at;
      continue;
    }
    if (merged.size() == wanted) break;
    merged.push_back(head.at);
    last = head.key;
  }
  const Bounds bounds = BoundsOf(slice, merged.size());
  merged.resize(bounds.last);
  merged.erase(merged.begin(), merged.begin() + static_cast<std::ptrdiff_t>(bounds.first));
  return merged;
}

// An empty source does not say which kind of key it would have.
template <class Source>
bool HasStringKeys(std::span<const Source> sources) {
  return std::ranges::any_of(sources, [](const Source& s) { return s.keys->is_string; });
}

void TakeColumn(std::span<const model::RowBatch* const> sources, std::span<const SourceRow> rows,
                size_t index, model::Column& out) {
  const size_t width = model::ValueBytes(out.type, out.dim);
  const bool any_null = std::ranges::any_of(
      sources, [&](const model::RowBatch* batch) { return !batch->columns[index].valid.empty(); });
  if (width == 0 || any_null) {
    for (const SourceRow& at : rows) out.AppendFrom(sources[at.source]->columns[index], at.row);
    return;
  }
  out.fixed.resize(width * rows.size());
  out.rows = rows.size();
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(out.fixed.data() + i * width,
                sources[rows[i].source]->columns[index].fixed.data() + rows[i].row * width, width);
  }
}

}  // namespace

Bounds BoundsOf(Slice slice, size_t size) {
  const size_t first = std::min(size, static_cast<size_t>(std::max<int64_t>(slice.offset, 0)));
  if (slice.limit < 0) return {first, size};
  return {first, first + std::min(size - first, static_cast<size_t>(slice.limit))};
}

MergedLists MergeScored(std::span<const ScoredLists> sources, model::Metric metric, Slice slice) {
  if (HasStringKeys(sources)) return ScoredMerge<std::string_view>(sources, metric, slice).Run();
  return ScoredMerge<int64_t>(sources, metric, slice).Run();
}

std::vector<SourceRow> MergeByKey(std::span<const KeyedRows> sources, Slice slice) {
  if (HasStringKeys(sources)) return MergeKeyed<std::string_view>(sources, slice);
  return MergeKeyed<int64_t>(sources, slice);
}

model::PrimaryKeys TakeKeys(std::span<const model::PrimaryKeys* const> sources,
                            std::span<const SourceRow> rows) {
  model::PrimaryKeys keys;
  keys.is_string = std::ranges::any_of(
      sources, [](const model::PrimaryKeys* source) { return source->is_string; });
  for (const SourceRow& at : rows) {
    if (keys.is_string) {
      keys.strings.push_back(sources[at.source]->strings[at.row]);
    } else {
      keys.ints.push_back(sources[at.source]->ints[at.row]);
    }
  }
  return keys;
}

model::RowBatch TakeRows(std::span<const model::RowBatch* const> sources,
                         std::span<const SourceRow> rows) {
  model::RowBatch taken;
  if (sources.empty()) return taken;
  for (const model::RowBatch* source : sources) {
    ELANUS_CHECK(source->columns.size() == sources[0]->columns.size());
  }
  taken.rows = rows.size();
  for (size_t c = 0; c < sources[0]->columns.size(); ++c) {
    const model::Column& first = sources[0]->columns[c];
    taken.columns.push_back(model::MakeColumn(first.field, first.type, first.dim));
    TakeColumn(sources, rows, c, taken.columns.back());
  }
  return taken;
}

}  // namespace elanus::rank
