#include "query/list_index.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "query/index_search.h"
#include "query/struct_elements.h"

namespace elanus::query {
namespace {

using Hits = std::vector<index::Hit>;

/// Whose vectors the index' rows are.
class VectorRows {
 public:
  VectorRows(const segment::ColumnView& lists, size_t vector_bytes)
      : offsets_(lists.offsets), rows_(lists.rows), vector_bytes_(vector_bytes) {}

  /// The first vector of a row; of the row behind the last one, the number of all.
  uint32_t First(size_t row) const { return static_cast<uint32_t>(offsets_[row] / vector_bytes_); }
  uint32_t total() const { return First(rows_); }
  size_t Count(size_t row) const { return First(row + 1) - First(row); }
  uint32_t RowOf(uint32_t vector) const {
    const uint64_t* end = offsets_ + rows_ + 1;
    const uint64_t* next = std::upper_bound(offsets_, end, vector * uint64_t{vector_bytes_});
    return static_cast<uint32_t>(next - offsets_ - 1);
  }

 private:
  const uint64_t* offsets_;
  size_t rows_;
  size_t vector_bytes_;
};

/// The vectors of hidden rows.
HiddenRows HiddenVectors(const VectorRows& vectors, const HiddenRows& hidden) {
  HiddenRows out{.rows = vectors.total()};
  if (hidden.bits == nullptr) return out;
  auto bits = std::make_shared<Bitset>(out.rows);
  for (uint32_t row = 0; row < hidden.rows; ++row) {
    if (hidden.Hidden(row)) bits->SetRange(vectors.First(row), vectors.First(row + 1));
  }
  out.bits = std::move(bits);
  return out;
}

/// The vectors that a filter of elements does not keep, those of hidden rows among them.
Result<HiddenRows> UnkeptVectors(const VectorRows& vectors, const ListIndex& through,
                                 const segment::RowSource& source,
                                 const expr::ElementFilter& elements, const ReadView& view) {
  ElementRows rows;
  through.hidden.ForEachVisible([&](uint32_t row) {
    if (vectors.Count(row) == 0) return;
    rows.rows.push_back(row);
    rows.counts.push_back(vectors.Count(row));
  });
  ASSIGN_OR_RETURN(const std::vector<uint64_t> kept, KeptBits(source, rows, elements, view));
  auto bits = std::make_shared<Bitset>(vectors.total());
  bits->SetRange(0, vectors.total());
  size_t bit = 0;
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    for (size_t e = 0; e < rows.counts[i]; ++e, ++bit) {
      if ((kept[bit / 64] >> (bit % 64) & 1) != 0) bits->Clear(vectors.First(rows.rows[i]) + e);
    }
  }
  return HiddenRows{.rows = vectors.total(), .bits = std::move(bits)};
}

/// The one run that a sealed segment is, with the column of the lists.
struct Lists {
  segment::Run run;
  segment::ColumnView column;
};
std::optional<Lists> ListsOf(const ListIndex& through) {
  const std::vector<segment::Run> runs = through.segment.Runs(through.hidden.rows);
  if (runs.size() != 1) return std::nullopt;
  const auto column = runs[0].source->Column(through.request.field);
  if (!column || column->offsets == nullptr) return std::nullopt;
  return Lists{runs[0], *column};
}

/// Searches by MAX_SIM metrics, one query after another.
class ListSearcher {
 public:
  ListSearcher(const ListIndex& through, const ListSearch& search, const Lists& lists,
               const Cancel& cancel)
      : through_(through),
        search_(search),
        lists_(lists.column),
        distance_(search),
        vectors_(lists.column, model::ValueBytes(search.field->element_type, lists.column.dim)),
        hidden_(HiddenVectors(vectors_, through.hidden)),
        visible_(hidden_.rows - (hidden_.bits == nullptr ? 0 : hidden_.bits->Count())),
        cancel_(cancel),
        patience_(cancel) {}

  Result<std::vector<Hits>> Run() {
    RETURN_IF_ERROR(distance_.Prepare());
    std::vector<Hits> results;
    for (size_t q = 0; q < distance_.queries(); ++q) {
      ASSIGN_OR_RETURN(Hits hits, Query(q));
      results.push_back(std::move(hits));
    }
    return results;
  }

 private:
  // A row among the best by its sum is seldom far down the list of every vector of the query: a
  // search to this depth is seldom repeated.
  static constexpr size_t kDepthMin = 64;
  static constexpr size_t kDepthOfWanted = 6;
  // Fewer rows than this say little about whether a search went deep enough.
  static constexpr size_t kJudgedMin = 10;
  // Vectors that a scan measures in the time in which the index finds one more.
  static constexpr size_t kScanPart = 16;

  struct Candidate {
    float distance = 0;
    size_t place = 0;  ///< in the list of the query's vector that it is nearest to
  };
  using Candidates = std::unordered_map<uint32_t, Candidate>;

  Result<Hits> Query(size_t q) {
    const bool indexable = distance_.VectorsOf(q) != 0 && search_.window.all();
    SearchRequest near = through_.request;
    near.queries = {.type = search_.field->element_type,
                    .dim = lists_.dim,
                    .rows = distance_.VectorsOf(q),
                    .fixed = search_.queries.ValueAt(q).data()};
    Candidates found;
    for (size_t depth = std::max(kDepthMin, kDepthOfWanted * std::max(search_.top_k, kJudgedMin));
         indexable && depth < visible_ / kScanPart; depth *= 2) {
      ASSIGN_OR_RETURN(const std::vector<Hits> lists,
                       SearchIndex(through_.index, hidden_, near, depth, cancel_));
      RETURN_IF_ERROR(Take(q, lists, depth, found));
      if (auto best = Settled(found, lists, depth)) return *std::move(best);
    }
    return Scan(q);
  }

  /// Measures the rows that were not met before.
  Status Take(size_t q, const std::vector<Hits>& lists, size_t depth, Candidates& found) {
    for (auto& [row, candidate] : found) candidate.place = depth;
    for (const Hits& hits : lists) {
      for (size_t place = 0; place < hits.size(); ++place) {
        const uint32_t row = vectors_.RowOf(hits[place].row);
        auto [it, fresh] = found.try_emplace(row, Candidate{.place = place});
        if (fresh) {
          ASSIGN_OR_RETURN(it->second.distance, Measure(q, row));
        }
        it->second.place = std::min(it->second.place, place);
      }
    }
    return Status::Ok();
  }

  /// The nearest rows, when going deeper would hardly change them: they, and a few more when few
  /// are wanted, were each met in the first half of a list; or no row that was not met can be as
  /// near as the last of them.
  std::optional<Hits> Settled(const Candidates& found, const std::vector<Hits>& lists,
                              size_t depth) const {
    const size_t wanted = search_.top_k;
    if (found.size() < wanted) return std::nullopt;
    Hits best;
    for (const auto& [row, candidate] : found) best.push_back({row, candidate.distance});
    const size_t judged = std::max(wanted, kJudgedMin);
    const auto end = best.begin() + static_cast<std::ptrdiff_t>(std::min(judged, best.size()));
    std::partial_sort(best.begin(), end, best.end(), index::Nearer);
    float unmet = 0;  // a row that was not met is no nearer than this
    for (const Hits& hits : lists) {
      unmet += hits.size() < depth ? std::numeric_limits<float>::infinity() : hits.back().distance;
    }
    const bool halves =
        best.size() >= judged && std::all_of(best.begin(), end, [&](const auto& hit) {
          return found.at(hit.row).place < depth / 2;
        });
    best.resize(wanted);
    if (halves || best.empty() || best.back().distance <= unmet) return best;
    return std::nullopt;
  }

  Result<float> Measure(size_t q, uint32_t row) {
    const std::string_view list = lists_.StringAt(row);
    RETURN_IF_ERROR(patience_.Spend(distance_.VectorsOf(q) * list.size()));
    const float* norms = through_.index.inverse_norms();
    return distance_.SumOfNearest(q, list, norms == nullptr ? norms : norms + vectors_.First(row));
  }

  Result<Hits> Scan(size_t q) {
    index::TopK top(search_.top_k, search_.window);
    for (uint32_t row = 0; row < through_.hidden.rows; ++row) {
      if (through_.hidden.Hidden(row) || vectors_.Count(row) == 0) continue;
      ASSIGN_OR_RETURN(const float distance, Measure(q, row));
      top.Push(distance, row);
    }
    return top.Take();
  }

  const ListIndex& through_;
  const ListSearch& search_;
  const segment::ColumnView lists_;
  ListDistance distance_;
  const VectorRows vectors_;
  const HiddenRows hidden_;
  const size_t visible_;  // vectors
  const Cancel& cancel_;
  Patience patience_;
};

}  // namespace

Result<std::vector<std::vector<index::Hit>>> SearchLists(const ListIndex& through,
                                                         const ListSearch& search,
                                                         const Cancel& cancel) {
  const auto lists = ListsOf(through);
  if (!lists) return ScanLists(through.segment, through.hidden, search, cancel);
  return ListSearcher(through, search, *lists, cancel).Run();
}

Result<std::vector<std::vector<ElementHit>>> SearchElements(const ListIndex& through,
                                                            const ListSearch& search,
                                                            const expr::ElementFilter* elements,
                                                            const ReadView& view) {
  const auto lists = ListsOf(through);
  if (!lists) return ScanElements(through.segment, through.hidden, search, elements, view);
  const VectorRows vectors(lists->column,
                           model::ValueBytes(search.field->element_type, lists->column.dim));
  HiddenRows hidden;
  if (elements == nullptr) {
    hidden = HiddenVectors(vectors, through.hidden);
  } else {
    ASSIGN_OR_RETURN(hidden, UnkeptVectors(vectors, through, *lists->run.source, *elements, view));
  }
  ASSIGN_OR_RETURN(const std::vector<Hits> found,
                   SearchIndex(through.index, hidden, through.request, search.top_k, *view.cancel));
  std::vector<std::vector<ElementHit>> results;
  for (const Hits& hits : found) {
    std::vector<ElementHit>& out = results.emplace_back();
    for (const index::Hit& hit : hits) {
      const uint32_t row = vectors.RowOf(hit.row);
      out.push_back({row, hit.row - vectors.First(row), hit.distance});
    }
  }
  return results;
}

}  // namespace elanus::query
