#include "query/boost.h"

#include <xxhash.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "query/filter.h"
#include "query/row_value.h"

namespace elanus::query {
namespace {

/// For each row, whether the filter keeps it. Only the blocks that hold one of the rows are read.
Result<std::vector<bool>> Kept(const std::vector<segment::SegmentPtr>& segments,
                               const ReadView& view, const expr::BoundFilter& filter,
                               const std::vector<RowRef>& rows) {
  std::vector<bool> kept(rows.size(), filter.keeps_all());
  if (filter.keeps_all()) return kept;
  std::vector<size_t> order(rows.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(rows[i].segment, rows[i].row); });
  size_t next = 0;
  for (uint32_t s = 0; s < segments.size() && next < order.size(); ++s) {
    for (const segment::Run& run : segments[s]->Runs(segments[s]->RowsAt(view.at))) {
      const size_t count = run.source->rows();
      const size_t first = next;
      std::vector<uint64_t> hidden((count + 63) / 64, ~uint64_t{0});
      for (; next < order.size(); ++next) {
        const RowRef& ref = rows[order[next]];
        if (ref.segment != s || ref.row >= run.first + count) break;
        const uint32_t at = ref.row - run.first;
        hidden[at / 64] &= ~(uint64_t{1} << (at % 64));
      }
      if (next == first) continue;
      ASSIGN_OR_RETURN(const Truth truth,
                       Evaluate(filter, *run.source, *view.schema,
                                {.hidden = hidden.data(), .cancel = view.cancel}));
      for (size_t i = first; i < next; ++i) {
        const uint32_t at = rows[order[i]].row - run.first;
        kept[order[i]] = (truth.is_true[at / 64] >> (at % 64) & 1) != 0;
      }
    }
  }
  return kept;
}

/// A number in [0, 1) from some bytes.
float RandomOf(std::string_view bytes, int64_t seed) {
  const uint64_t hash = XXH64(bytes.data(), bytes.size(), static_cast<uint64_t>(seed));
  return static_cast<float>(hash >> 40) * 0x1p-24F;
}

class Booster {
 public:
  Booster(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
          const std::vector<RowRef>& rows)
      : segments_(segments), view_(view), rows_(rows), factors_(rows.size()) {}

  Status Add(const expr::BoostFunction& function, bool adds) {
    ASSIGN_OR_RETURN(const std::vector<bool> kept, Kept(segments_, view_, function.filter, rows_));
    std::vector<float> numbers;
    if (function.random) RETURN_IF_ERROR(Randoms(function, numbers));
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (!kept[i]) continue;
      const float own = function.random ? function.weight * numbers[i] : function.weight;
      std::optional<float>& factor = factors_[i];
      factor = !factor ? own : adds ? *factor + own : *factor * own;
    }
    return Status::Ok();
  }

  /// nullopt: no function counts for the row.
  std::optional<float> At(size_t row) const { return factors_[row]; }

 private:
  Status Randoms(const expr::BoostFunction& function, std::vector<float>& numbers) const {
    if (function.field.value == 0) {
      for (const RowRef& ref : rows_) {
        const model::PrimaryKey key = segments_[ref.segment]->KeyAt(ref.row);
        const auto* number = std::get_if<int64_t>(&key);
        numbers.push_back(number == nullptr
                              ? RandomOf(std::get<std::string>(key), function.seed)
                              : RandomOf({reinterpret_cast<const char*>(number), sizeof(*number)},
                                         function.seed));
      }
      return Status::Ok();
    }
    const model::RowValue wanted[] = {{.field = function.field}};
    ASSIGN_OR_RETURN(
        const model::RowBatch values,
        FetchValues({.segments = &segments_, .schema = view_.schema, .values = wanted}, rows_));
    for (size_t i = 0; i < rows_.size(); ++i) {
      numbers.push_back(RandomOf(values.columns[0].ValueAt(i), function.seed));
    }
    return Status::Ok();
  }

  const std::vector<segment::SegmentPtr>& segments_;
  const ReadView& view_;
  const std::vector<RowRef>& rows_;
  std::vector<std::optional<float>> factors_;
};

}  // namespace

Status ApplyBoost(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                  const expr::Boost& boost, std::vector<std::vector<SearchHit>>& results) {
  std::vector<RowRef> rows;
  for (const auto& hits : results) {
    for (const SearchHit& hit : hits) rows.push_back(hit.ref);
  }
  Booster booster(segments, view, rows);
  for (const expr::BoostFunction& function : boost.functions) {
    RETURN_IF_ERROR(booster.Add(function, boost.adds_functions));
  }
  size_t row = 0;
  for (auto& hits : results) {
    std::vector<std::pair<SearchHit, model::PrimaryKey>> keyed;
    for (SearchHit& hit : hits) {
      if (const auto factor = booster.At(row++)) {
        hit.distance = boost.adds_score ? hit.distance - *factor : hit.distance * *factor;
      }
      keyed.emplace_back(hit, segments[hit.ref.segment]->KeyAt(hit.ref.row));
    }
    std::ranges::sort(keyed, [](const auto& a, const auto& b) {
      if (a.first.distance != b.first.distance) return a.first.distance < b.first.distance;
      return a.second < b.second;
    });
    for (size_t i = 0; i < hits.size(); ++i) hits[i] = keyed[i].first;
  }
  return Status::Ok();
}

}  // namespace elanus::query
