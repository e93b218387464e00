#include "query/search.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "index/vector/search_cost.h"
#include "query/index_search.h"
#include "query/list_index.h"
#include "query/list_scan.h"
#include "query/pieces.h"
#include "query/row_value.h"
#include "query/vector_scan.h"
#include "rank/group.h"

namespace elanus::query {
namespace {

using Hits = std::vector<index::Hit>;

index::HiddenBits BitsOf(const HiddenRows& hidden) {
  if (hidden.bits == nullptr) return {};
  return {hidden.bits->words(), hidden.rows};
}

/// The graph that answers for the first rows of a growing segment, or nullptr.
std::shared_ptr<const index::GrowingGraph> UsableGraph(const segment::Segment& segment,
                                                       const SearchRequest& request) {
  if (!request.window.all()) return nullptr;
  auto graph = segment.GraphOn(request.field);
  return graph != nullptr && graph->metric() == request.metric ? std::move(graph) : nullptr;
}

/// Finds hits among the first rows of a growing segment by their graph; returns how many rows need
/// not be read any more.
Result<uint32_t> SearchGraph(const segment::Segment& segment, const std::vector<segment::Run>& runs,
                             const HiddenRows& hidden, const SearchRequest& request, size_t width,
                             const Cancel& cancel, std::span<index::TopK> tops) {
  const auto graph = UsableGraph(segment, request);
  if (graph == nullptr) return 0;
  const uint32_t limit = std::min(graph->rows(), hidden.rows);
  const size_t top_k = tops.empty() ? 0 : tops[0].k();
  const index::HiddenBits bits = CountedBitsOf(hidden);
  std::vector<float> floats;
  const auto* queries = static_cast<const float*>(KernelQueries(request.queries, floats));
  const auto dim = static_cast<size_t>(request.queries.dim);
  std::vector<std::vector<uint32_t>> found;
  for (size_t q = 0; q < tops.size(); ++q) {
    ASSIGN_OR_RETURN(
        auto rows, graph->Search(queries + q * dim, {.top_k = top_k, .ef = static_cast<int>(width)},
                                 limit, bits, cancel));
    if (!rows.has_value()) return 0;  // the filter leaves few rows to any query
    std::ranges::sort(*rows);
    found.push_back(std::move(*rows));
  }
  std::vector<size_t> next(tops.size());  // the first row found that no run had yet
  for (const segment::Run& run : runs) {
    const auto column = run.source->Column(request.field);
    if (!column) continue;
    const index::VectorChunk chunk = ChunkOf({*column, run.first});
    for (size_t q = 0; q < tops.size(); ++q) {
      const std::span<uint32_t> left = std::span(found[q]).subspan(next[q]);
      const auto end = std::ranges::lower_bound(left, run.first + run.source->rows());
      const std::span<uint32_t> rows(left.begin(), end);
      next[q] += rows.size();
      for (uint32_t& row : rows) row -= run.first;
      index::MeasureRows(request.metric, queries + q * dim, chunk, rows, tops[q]);
    }
  }
  return limit;
}

/// Rows of a growing segment beyond the reader's cut are no candidates either; runs end there.
Result<std::vector<Hits>> SearchRuns(const segment::Segment& segment, const HiddenRows& hidden,
                                     const SearchRequest& request, size_t top_k, size_t width,
                                     const Cancel& cancel) {
  std::vector<index::TopK> tops(request.queries.rows, index::TopK(top_k, request.window));
  segment.NoteSearch();
  const std::vector<segment::Run> runs = segment.Runs(hidden.rows);
  ASSIGN_OR_RETURN(const uint32_t done,
                   SearchGraph(segment, runs, hidden, request, width, cancel, tops));
  const size_t row_bytes =
      std::max<size_t>(model::ValueBytes(request.queries.type, request.queries.dim), 1);
  if (hidden.rows - done >= index::GrowingGraph::RowsMin(row_bytes)) segment.NoteScan();
  for (const segment::Run& run : runs) {
    const auto column = run.source->Column(request.field);
    if (!column || run.first + run.source->rows() <= done) continue;
    const uint32_t skipped = done > run.first ? done - run.first : 0;
    RETURN_IF_ERROR(ScanVectors(request.metric, request.queries,
                                {column->From(skipped), run.first + skipped}, BitsOf(hidden),
                                cancel, tops));
  }
  std::vector<Hits> results;
  for (index::TopK& top : tops) {
    RETURN_IF_ERROR(cancel.Check());
    results.push_back(top.Take());
  }
  return results;
}

/// Vectors of a nullable field: rows without one are no candidates.
Status HideNullVectors(const segment::Segment& segment, FieldId field, HiddenRows& hidden) {
  std::shared_ptr<Bitset> bits;
  for (const segment::Run& run : segment.Runs(hidden.rows)) {
    const auto column = run.source->Column(field);
    if (column && column->valid == nullptr) continue;
    if (bits == nullptr) {
      bits = hidden.bits == nullptr ? std::make_shared<Bitset>(hidden.rows)
                                    : std::make_shared<Bitset>(*hidden.bits);
    }
    for (uint32_t i = 0; i < run.source->rows(); ++i) {
      if (!column || column->IsNull(i)) bits->Set(run.first + i);
    }
  }
  if (bits != nullptr) hidden.bits = std::move(bits);
  return Status::Ok();
}

struct Candidate {
  SearchHit hit;
  model::PrimaryKey key;
  model::Timestamp timestamp = 0;
};

/// Drops rows whose key has a newer row among the candidates; leaves them nearest first, ties by
/// key and element.
void KeepNewest(std::vector<Candidate>& candidates) {
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    if (a.key != b.key) return a.key < b.key;
    if (a.timestamp != b.timestamp) return a.timestamp > b.timestamp;
    return a.hit.element < b.hit.element;
  });
  // Of the newest row every element stays; of wholes there is one.
  size_t kept = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (kept != 0 && candidates[kept - 1].key == candidates[i].key) {
      const Candidate& last = candidates[kept - 1];
      const bool older = candidates[i].timestamp != last.timestamp;
      if (older || candidates[i].hit.element == last.hit.element) continue;
    }
    if (kept != i) candidates[kept] = std::move(candidates[i]);
    ++kept;
  }
  candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(kept), candidates.end());
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    if (a.hit.distance != b.hit.distance) return a.hit.distance < b.hit.distance;
    if (a.key != b.key) return a.key < b.key;
    return a.hit.element < b.hit.element;
  });
}

// Rules of thumb for what a piece takes.
constexpr double kIndexQueryUs = 50;
constexpr double kScanBytesPerUs = 10'000;
constexpr double kNullRowsPerUs = 2'000;
constexpr size_t kPiecesPerCore = 4;  // so that all end at about the same time
constexpr size_t kScanQueries = 12;   // a scan reads rows once for about so many

/// Queries [first, first + count) against one segment.
struct Piece {
  size_t segment = 0;
  size_t first = 0;
  size_t count = 0;
};

class Searcher {
 public:
  Searcher(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
           const SearchRequest& request)
      : segments_(segments), view_(view), request_(request), cancel_(*view.cancel) {}

  Result<std::vector<std::vector<SearchHit>>> Run() {
    const model::FieldSchema* field = view_.schema->FindField(request_.field);
    field_ = field;
    RETURN_IF_ERROR(FindHidden());
    if (!OverLists()) MakePieces();
    std::vector<std::vector<SearchHit>> results(request_.queries.rows);
    // Rows that share a key or a group, or a page that must not cut ties, may need more than top_k
    // rows of a segment. Groups may be few and large: they grow faster.
    const bool grouped = !request_.group_by.empty();
    const size_t first = grouped ? request_.top_k * request_.group_size * 2 : request_.top_k;
    for (size_t wanted = first + (request_.whole_ties ? 16 : 0);; wanted *= grouped ? 4 : 2) {
      ASSIGN_OR_RETURN(bool complete, Round(wanted, results));
      if (complete) return results;
    }
  }

 private:
  Status FindHidden() {
    hidden_.resize(segments_.size());
    const bool nulls = field_ != nullptr && field_->nullable && !OverLists();
    double us = FilterUs(segments_, view_);
    for (const segment::SegmentPtr& segment : segments_)
      us += nulls ? segment->RowsAt(view_.at) / kNullRowsPerUs : 0;
    return ForEachPiece(view_, segments_.size(), us, [&](size_t s) -> Status {
      ASSIGN_OR_RETURN(hidden_[s], HiddenRowsOf(*segments_[s], view_));
      if (!nulls) return Status::Ok();
      return HideNullVectors(*segments_[s], request_.field, hidden_[s]);
    });
  }

  /// The index that answers for a segment, or nullptr.
  std::shared_ptr<const index::VectorIndex> UsableIndex(size_t s) const {
    auto index = segments_[s]->IndexOn(request_.field);
    return index != nullptr && index->metric() == request_.metric ? std::move(index) : nullptr;
  }

  /// One a segment; more where so many queries are worth it.
  void MakePieces() {
    const size_t nq = request_.queries.rows;
    const double bytes = static_cast<double>(
        std::max<size_t>(model::ValueBytes(request_.queries.type, request_.queries.dim), 1));
    for (size_t s = 0; s < segments_.size(); ++s) {
      const auto index = UsableIndex(s);
      const auto graph = index == nullptr ? UsableGraph(*segments_[s], request_) : nullptr;
      const bool scans =
          graph == nullptr && (index == nullptr || index->kind() == index::Kind::kFlat);
      double query_us = scans ? 0 : kIndexQueryUs;
      if (index == nullptr || scans) {
        const uint32_t linked = graph == nullptr ? 0 : std::min(graph->rows(), hidden_[s].rows);
        query_us += bytes * (hidden_[s].rows - linked) / kScanBytesPerUs;
      }
      const double us = query_us * static_cast<double>(nq);
      pieces_us_ += us;
      const size_t parts_max = view_.crew == nullptr ? 1 : kPiecesPerCore * view_.crew->cores();
      const size_t parts = std::clamp<size_t>(static_cast<size_t>(us / kPieceUs), 1, parts_max);
      size_t part = std::max<size_t>((nq + parts - 1) / parts, 1);
      if (scans) part = (part + kScanQueries - 1) / kScanQueries * kScanQueries;
      for (size_t first = 0; first < nq; first += part)
        pieces_.push_back({s, first, std::min(part, nq - first)});
    }
  }

  /// The hits of the piece's queries in the piece's segment.
  Result<std::vector<Hits>> Search(const Piece& piece, size_t wanted, size_t graph_width) const {
    const auto index = UsableIndex(piece.segment);
    const StepTimer timer(Trace(piece.segment, index.get()));
    const index::SearchCost before = index::ThreadSearchCost();
    SearchRequest request = request_;
    request.queries = request_.queries.Part(piece.first, piece.count);
    const HiddenRows& hidden = hidden_[piece.segment];
    ASSIGN_OR_RETURN(auto hits, index != nullptr
                                    ? SearchIndex(*index, hidden, request, wanted, cancel_)
                                    : SearchRuns(*segments_[piece.segment], hidden, request, wanted,
                                                 graph_width, cancel_));
    TraceCost(piece.segment, before);
    return hits;
  }

  bool OverLists() const {
    return field_ != nullptr && field_->type == model::DataType::kArrayOfVector;
  }

  /// One segment's answer over lists of vectors; the elements of the hits go to `elements_`.
  Result<std::vector<Hits>> SearchListsOf(size_t s, size_t wanted) {
    const auto index = segments_[s]->IndexOn(request_.field);
    const bool usable =
        index != nullptr && index->metric() == model::ElementMetric(request_.metric);
    const StepTimer timer(Trace(s, usable ? index.get() : nullptr));
    const ListSearch search{.field = field_,
                            .metric = request_.metric,
                            .queries = request_.queries,
                            .top_k = wanted,
                            .window = request_.window};
    std::optional<ListIndex> through;
    if (usable) through.emplace(ListIndex{*segments_[s], *index, hidden_[s], request_});
    if (!request_.by_element) {
      return through ? SearchLists(*through, search, cancel_)
                     : ScanLists(*segments_[s], hidden_[s], search, cancel_);
    }
    const expr::ElementFilter* kept =
        view_.filter == nullptr ? nullptr : view_.filter->elements.get();
    ASSIGN_OR_RETURN(const auto found,
                     through ? SearchElements(*through, search, kept, view_)
                             : ScanElements(*segments_[s], hidden_[s], search, kept, view_));
    std::vector<Hits> results;
    auto& elements = elements_.emplace_back();
    for (const auto& hits : found) {
      Hits& rows = results.emplace_back();
      std::vector<uint32_t>& positions = elements.emplace_back();
      for (const ElementHit& hit : hits) {
        rows.push_back({hit.row, hit.distance});
        positions.push_back(hit.element);
      }
    }
    return results;
  }

  /// Writes down how a segment is searched. \return where its time is added, or nullptr
  double* Trace(size_t s, const index::VectorIndex* index) const {
    if (view_.trace == nullptr) return nullptr;
    SegmentTrace& trace = view_.trace->Of(segments_[s]->id());
    const bool by_graph = index == nullptr && UsableGraph(*segments_[s], request_) != nullptr;
    trace.search_way = by_graph           ? "growing graph"
                       : index == nullptr ? "brute force"
                                          : index::KindName(index->kind());
    return &trace.search_us;
  }
  /// Writes down the distances computed since `before`.
  void TraceCost(size_t s, const index::SearchCost& before) const {
    if (view_.trace == nullptr) return;
    SegmentTrace& trace = view_.trace->Of(segments_[s]->id());
    const index::SearchCost& now = index::ThreadSearchCost();
    const uint64_t exact = now.exact - before.exact;
    trace.distances = trace.distances.value_or(0) + exact + now.codes - before.codes;
    trace.exact += exact;
  }

  Result<bool> Round(size_t wanted, std::vector<std::vector<SearchHit>>& results) {
    std::vector<std::vector<Hits>> found(segments_.size());  // [segment][query]
    elements_.clear();
    if (OverLists()) {
      for (size_t s = 0; s < segments_.size(); ++s) {
        ASSIGN_OR_RETURN(found[s], SearchListsOf(s, wanted));
      }
    } else {
      for (auto& lists : found) lists.resize(request_.queries.rows);
      const size_t graph_width = GraphWidth(wanted);
      RETURN_IF_ERROR(ForEachPiece(view_, pieces_.size(), pieces_us_, [&](size_t i) -> Status {
        const Piece& piece = pieces_[i];
        ASSIGN_OR_RETURN(auto hits, Search(piece, wanted, graph_width));
        std::ranges::move(hits,
                          found[piece.segment].begin() + static_cast<std::ptrdiff_t>(piece.first));
        return Status::Ok();
      }));
    }
    bool complete = true;
    const StepTimer timer(view_.trace == nullptr ? nullptr : &view_.trace->merge_us);
    for (size_t q = 0; q < request_.queries.rows; ++q) {
      RETURN_IF_ERROR(cancel_.Check());
      ASSIGN_OR_RETURN(bool whole, MergeQuery(found, q, wanted, results[q]));
      complete &= whole;
    }
    return complete;
  }

  /// The ef of growing graphs: what the request says; else what the indexes of sealed segments
  /// found enough, and a quarter more, since these graphs are coarser; 0: nothing is known.
  size_t GraphWidth(size_t top_k) const {
    if (request_.ef != 0) return static_cast<size_t>(request_.ef);
    size_t width = 0;
    for (const segment::SegmentPtr& segment : segments_) {
      const auto index = segment->IndexOn(request_.field);
      if (index == nullptr || index->kind() != index::Kind::kHnsw) continue;
      const index::Tuning& tuning = index->header().tuning;
      const size_t enough = top_k <= 10 ? tuning.width_10
                                        : std::max(tuning.width_10, tuning.width_100) *
                                              std::max<size_t>(top_k, 100) / 100;
      width = std::max(width, enough * 5 / 4);
    }
    return width;
  }

  /// False when a segment gave all it was asked for and may have more that belongs into the result.
  Result<bool> MergeQuery(const std::vector<std::vector<Hits>>& found, size_t q, size_t wanted,
                          std::vector<SearchHit>& result) {
    std::vector<Candidate> candidates;
    float certain = std::numeric_limits<float>::infinity();  // hits beyond this may be missing
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      const Hits& hits = found[s][q];
      if (hits.size() == wanted) certain = std::min(certain, hits.back().distance);
      for (size_t i = 0; i < hits.size(); ++i) {
        const uint32_t row = hits[i].row;
        candidates.push_back(
            {.hit = {{s, row},
                     hits[i].distance,
                     elements_.empty() ? int64_t{-1} : int64_t{elements_[s][q][i]}},
             .key = segments_[s]->KeyAt(row),
             .timestamp = segments_[s]->TimestampAt(row)});
      }
    }
    const size_t before = candidates.size();
    KeepNewest(candidates);
    const bool duplicates = candidates.size() != before;
    if (!request_.group_by.empty()) return TakeGroups(candidates, certain, result);
    size_t count = std::min(request_.top_k, candidates.size());
    if (request_.whole_ties && count != 0) {
      while (count < candidates.size() &&
             candidates[count].hit.distance == candidates[count - 1].hit.distance)
        ++count;
      if (count != 0 && candidates[count - 1].hit.distance >= certain) return false;
    }
    if (duplicates && count < request_.top_k && !std::isinf(certain)) return false;
    result.clear();
    for (size_t i = 0; i < count; ++i) result.push_back(candidates[i].hit);
    return true;
  }

  /// The groups among the candidates up to the distance that is certain. False when more rows could
  /// change them.
  Result<bool> TakeGroups(const std::vector<Candidate>& candidates, float certain,
                          std::vector<SearchHit>& result) const {
    std::vector<RowRef> rows;
    for (const Candidate& candidate : candidates) {
      if (candidate.hit.distance > certain) break;
      rows.push_back(candidate.hit.ref);
    }
    const ValuesRequest values{
        .segments = &segments_, .schema = view_.schema, .values = request_.group_by};
    ASSIGN_OR_RETURN(const model::RowBatch keys, FetchValues(values, rows));
    rank::GroupFill fill(request_.top_k, request_.group_size);
    if (!request_.group_only.empty()) fill.Only(request_.group_only);
    std::string key;
    for (uint32_t i = 0; i < rows.size() && !fill.full(); ++i) {
      rank::GroupKeyOf(keys, keys.columns.size(), i, key);
      fill.Push(key, i);
    }
    const bool enough = request_.group_strict ? fill.full() : fill.begun();
    if (!enough && !std::isinf(certain)) return false;
    result.clear();
    for (const auto& group : fill.groups()) {
      for (uint32_t hit : group) result.push_back(candidates[hit].hit);
    }
    return true;
  }

  const std::vector<segment::SegmentPtr>& segments_;
  const ReadView& view_;
  const SearchRequest& request_;
  const Cancel& cancel_;
  const model::FieldSchema* field_ = nullptr;
  std::vector<HiddenRows> hidden_;
  std::vector<Piece> pieces_;
  double pieces_us_ = 0;
  std::vector<std::vector<std::vector<uint32_t>>> elements_;  // as `found`, of a search by element
};

}  // namespace

Result<std::vector<std::vector<SearchHit>>> Search(const std::vector<segment::SegmentPtr>& segments,
                                                   const ReadView& view,
                                                   const SearchRequest& request) {
  return Searcher(segments, view, request).Run();
}

}  // namespace elanus::query
