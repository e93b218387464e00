#include "query/retrieve.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <numeric>
#include <optional>

#include "query/filter.h"
#include "query/first_keys.h"
#include "query/order_cut.h"
#include "query/pieces.h"
#include "query/row_value.h"
#include "segment/field_reader.h"

namespace elanus::query {
namespace {

class Retriever {
 public:
  Retriever(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
            const RetrieveRequest& request)
      : segments_(segments), view_(view), request_(request) {}

  Result<Retrieved> Run() {
    if (CutsByOrder()) return FirstInOrderOnly();
    std::vector<std::vector<KeyedRow>> found(segments_.size());
    std::vector<uint8_t> by_block(segments_.size(), 0);
    RETURN_IF_ERROR(ForEachPiece(view_, segments_.size(), UsToLook(), [&](size_t s) -> Status {
      RETURN_IF_ERROR(view_.cancel->Check());
      const auto segment = static_cast<uint32_t>(s);
      if (request_.keys != nullptr) {
        FindKeys(segment, found[s]);
        return Status::Ok();
      }
      VisibleRows visible(*segments_[s], view_);
      ASSIGN_OR_RETURN(const auto listed, visible.Few());
      if (listed) {
        for (const uint32_t row : *listed) Add(segment, row, found[s]);
        return Status::Ok();
      }
      // All of few rows are found sooner by an index than the first of them by looking.
      ASSIGN_OR_RETURN(const bool few, visible.AreFew());
      by_block[s] = !few && LooksByBlock(*segments_[s]) ? 1 : 0;
      if (by_block[s] != 0) return Status::Ok();
      ASSIGN_OR_RETURN(const HiddenRows hidden, visible.Hidden());
      hidden.ForEachVisible([&](uint32_t row) { Add(segment, row, found[s]); });
      return Status::Ok();
    }));
    if (!CutsByKey()) {
      for (std::vector<KeyedRow>& rows : found) {
        items_.insert(items_.end(), std::make_move_iterator(rows.begin()),
                      std::make_move_iterator(rows.end()));
      }
      return Merge();
    }
    FirstKeys first(static_cast<size_t>(request_.limit));
    for (std::vector<KeyedRow>& rows : found) first.Add(std::move(rows));
    std::vector<uint32_t> ordered;
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      if (by_block[s] != 0) ordered.push_back(s);
    }
    RETURN_IF_ERROR(AddInKeyOrder(segments_, ordered, view_, first));
    items_ = std::move(first).Take();
    return Merge();
  }

 private:
  /// Few rows are wanted, in an order whose first value can be read by itself.
  bool CutsByOrder() const {
    return request_.keys == nullptr && request_.limit > 0 && !request_.order.empty() &&
           CutsByValue(*view_.schema, request_.order.front());
  }

  /// The first rows in order, of what the segments have that can be among them. More than are
  /// wanted are asked for when rows share a key.
  Result<Retrieved> FirstInOrderOnly() {
    ASSIGN_OR_RETURN(const std::vector<HiddenRows> hidden, HiddenRowsOfAll(segments_, view_));
    OrderCutRequest request{.value = &request_.order.front(),
                            .direction = request_.directions.front(),
                            .alone = request_.order.size() == 1,
                            .wanted = static_cast<size_t>(request_.limit)};
    for (;;) {
      ASSIGN_OR_RETURN(const OrderCut cut, FirstInOrder(segments_, hidden, request, *view_.cancel));
      items_.clear();
      for (uint32_t s = 0; s < segments_.size(); ++s) {
        for (const uint32_t row : cut.rows[s]) Add(s, row, items_);
      }
      if (cut.whole) return Merge();
      met_old_ = false;
      ASSIGN_OR_RETURN(Retrieved found, Merge(hidden));
      const bool enough = found.rows.size() == static_cast<size_t>(request_.limit);
      // An old row may have kept an equal one out, whose turn it now is.
      if (enough && !(met_old_ && request.alone)) return found;
      request.alone = false;
      if (!enough) request.wanted *= 4;
    }
  }

  /// Whether a segment has a newer row of the key.
  bool IsOld(const KeyedRow& item, std::span<const HiddenRows> hidden) const {
    for (size_t s = 0; s < hidden.size(); ++s) {
      // Equal keys lie together there: seldom is there a second.
      if (s == item.ref.segment && segments_[s]->OrderedByKey() && IsOnlyOfKey(item)) continue;
      for (const uint32_t row : segments_[s]->FindKey(item.key, hidden[s].rows)) {
        if (segments_[s]->TimestampAt(row) > item.timestamp && !hidden[s].Hidden(row)) return true;
      }
    }
    return false;
  }

  /// Whether the rows beside that of an item, in a segment ordered by key, have other keys.
  bool IsOnlyOfKey(const KeyedRow& item) const {
    const segment::Segment& segment = *segments_[item.ref.segment];
    const uint32_t row = item.ref.row;
    const bool first = row == 0 || segment.KeyAt(row - 1) != item.key;
    return first && (row + 1 >= segment.RowsAt(view_.at) || segment.KeyAt(row + 1) != item.key);
  }

  /// The smallest keys suffice: whatever the order is, it is that of keys.
  bool CutsByKey() const { return request_.limit >= 0 && request_.order.empty(); }
  /// Blocks of rows can be filtered by themselves: a sample is of all rows.
  bool FiltersByBlock() const { return view_.filter == nullptr || view_.filter->sample == 0; }

  /// Whether the smallest keys of a segment are found without a look at all of it.
  bool LooksByBlock(const segment::Segment& segment) const {
    return CutsByKey() && FiltersByBlock() && segment.OrderedByKey();
  }

  /// What the segments take that are looked at as a whole.
  double UsToLook() const {
    if (request_.keys != nullptr) return 0;
    std::vector<segment::SegmentPtr> whole;
    for (const segment::SegmentPtr& segment : segments_) {
      if (!LooksByBlock(*segment)) whole.push_back(segment);
    }
    return FilterUs(whole, view_);
  }

  void Add(uint32_t s, uint32_t row, std::vector<KeyedRow>& rows) const {
    rows.push_back({segments_[s]->KeyAt(row), segments_[s]->TimestampAt(row), {s, row}});
  }

  void FindKeys(uint32_t s, std::vector<KeyedRow>& rows) const {
    const segment::Segment& segment = *segments_[s];
    double us = 0;
    const HiddenRows hidden{segment.RowsAt(view_.at),
                            segment.HiddenAt(view_.at, segment.RowsAt(view_.at))};
    ExpiryCheck expiry(segment, hidden.rows, view_);
    {
      const StepTimer timer(view_.trace == nullptr ? nullptr : &us);
      for (size_t i = 0; i < request_.keys->size(); ++i) {
        for (uint32_t row : segment.FindKey(request_.keys->At(i), hidden.rows)) {
          if (!hidden.Hidden(row) && !expiry.IsOver(row)) Add(s, row, rows);
        }
      }
    }
    if (view_.trace == nullptr) return;
    SegmentTrace& trace = view_.trace->Of(segment.id());
    trace.sealed = segment.sealed();
    trace.rows = hidden.rows;
    trace.rows_kept = rows.size();
    trace.search_way = "keys";
    trace.search_us = us;
  }

  /// Puts the items, which are in key order, into the order asked for: the first `limit` of them.
  /// \param hidden  when given, items of which a segment has a newer row are left out
  Status Order(std::span<const HiddenRows> hidden, Retrieved& result) {
    const ValuesRequest wanted{
        .segments = &segments_, .schema = view_.schema, .values = request_.order};
    std::vector<RowRef> refs;
    for (const KeyedRow& item : items_) refs.push_back(item.ref);
    ASSIGN_OR_RETURN(const model::RowBatch values, FetchValues(wanted, refs));
    const model::RowBatch* sources[] = {&values};
    const rank::RowOrder order(request_.directions, 0, sources);
    const auto before = [&](uint32_t a, uint32_t b) {
      const auto compared = order.Compare({0, a}, {0, b});
      return compared == 0 ? a < b : compared < 0;
    };
    std::vector<uint32_t> places(items_.size());
    std::iota(places.begin(), places.end(), 0U);
    const size_t limit = request_.limit < 0 ? places.size() : static_cast<size_t>(request_.limit);
    std::vector<uint32_t> kept;
    for (auto next = places.begin(); next != places.end() && kept.size() < limit;) {
      const auto left = static_cast<size_t>(places.end() - next);
      const auto end = next + static_cast<ptrdiff_t>(std::min(left, limit - kept.size()));
      if (end != places.end()) std::ranges::nth_element(next, end, places.end(), before);
      std::ranges::sort(next, end, before);
      for (; next != end; ++next) {
        if (IsOld(items_[*next], hidden)) {
          met_old_ = true;
        } else {
          kept.push_back(*next);
        }
      }
    }
    std::vector<KeyedRow> ordered;
    for (const uint32_t place : kept) ordered.push_back(std::move(items_[place]));
    items_ = std::move(ordered);
    result.order_values = values.Take(kept);
    return Status::Ok();
  }

  /// \param hidden  as for Order
  Result<Retrieved> Merge(std::span<const HiddenRows> hidden = {}) {
    Retrieved result;
    if (!std::ranges::is_sorted(items_, ByKeyNewestFirst))
      std::ranges::sort(items_, ByKeyNewestFirst);
    auto tail = std::ranges::unique(items_, {}, &KeyedRow::key);
    items_.erase(tail.begin(), tail.end());
    if (!request_.order.empty()) RETURN_IF_ERROR(Order(hidden, result));
    if (request_.limit >= 0 && items_.size() > static_cast<size_t>(request_.limit)) {
      items_.resize(static_cast<size_t>(request_.limit));
    }
    result.keys.is_string = model::IsString(view_.schema->primary()->type);
    for (KeyedRow& item : items_) {
      result.rows.push_back(item.ref);
      result.keys.Append(item.key);
      result.timestamps.push_back(item.timestamp);
    }
    return result;
  }

  const std::vector<segment::SegmentPtr>& segments_;
  const ReadView& view_;
  const RetrieveRequest& request_;
  std::vector<KeyedRow> items_;
  bool met_old_ = false;  // Order left out an item
};

}  // namespace

Result<Retrieved> Retrieve(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                           const RetrieveRequest& request) {
  return Retriever(segments, view, request).Run();
}

Result<int64_t> CountRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view) {
  std::vector<int64_t> counts(segments.size());
  RETURN_IF_ERROR(
      ForEachPiece(view, segments.size(), FilterUs(segments, view), [&](size_t s) -> Status {
        VisibleRows visible(*segments[s], view);
        ASSIGN_OR_RETURN(const auto few, visible.Few());
        if (few) {
          counts[s] = static_cast<int64_t>(few->size());
          return Status::Ok();
        }
        ASSIGN_OR_RETURN(const HiddenRows hidden, visible.Hidden());
        counts[s] = static_cast<int64_t>(hidden.CountVisible());
        return Status::Ok();
      }));
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

namespace {

/// Rows of a block: what is gathered of them stays in the first-level cache.
constexpr size_t kAggregateRows = 4096;

/// Columns of one run; those that the rows are older than have one block of their default in its
/// place.
class RunColumns {
 public:
  RunColumns(const segment::Segment& segment, const segment::Run& run,
             const model::CollectionSchema& schema, std::span<const FieldId> fields)
      : source_(run.source), defaults_(fields.size()) {
    const auto end = run.first + static_cast<uint32_t>(run.source->rows());
    for (size_t f = 0; f < fields.size(); ++f) {
      columns_.push_back(run.source->Column(fields[f]));
      if (columns_.back()) continue;
      const model::FieldSchema& field = *schema.FindField(fields[f]);
      segment::FieldReader reader(segment, end, field);
      const int64_t dim = model::IsVector(field.type) ? field.dim() : 0;
      defaults_[f] = model::MakeColumn(field.id, field.type, dim);
      const size_t rows = std::min(kAggregateRows, run.source->rows());
      for (size_t row = 0; row < rows; ++row) reader.AppendTo(run.first, defaults_[f]);
    }
  }

  /// Views whose row 0 is row `first` of the run.
  std::vector<model::ColumnView> From(size_t first) const {
    std::vector<model::ColumnView> views;
    for (size_t f = 0; f < columns_.size(); ++f)
      views.push_back(columns_[f] ? columns_[f]->From(first) : model::ViewOf(defaults_[f]));
    return views;
  }

 private:
  std::shared_ptr<const segment::RowSource> source_;  // keeps the views alive
  std::vector<std::optional<model::ColumnView>> columns_;
  std::vector<model::Column> defaults_;
};

/// The visible rows of [first, first + count), counted from `first`, which starts a word.
void ListVisible(const HiddenRows& hidden, uint32_t first, uint32_t count,
                 std::vector<uint32_t>& rows) {
  rows.clear();
  for (uint32_t at = 0; at < count; at += 64) {
    uint64_t open =
        hidden.bits == nullptr ? ~uint64_t{0} : ~hidden.bits->words()[(first + at) / 64];
    if (count - at < 64) open &= (uint64_t{1} << (count - at)) - 1;
    if (open == ~uint64_t{0}) {
      for (uint32_t i = 0; i < 64; ++i) rows.push_back(at + i);
      continue;
    }
    for (; open != 0; open &= open - 1)
      rows.push_back(at + static_cast<uint32_t>(std::countr_zero(open)));
  }
}

/// Rows of a run, from its row `first`, which starts a block, on.
struct RunPart {
  size_t segment = 0;
  size_t run = 0;
  size_t first = 0;
  size_t count = 0;
};

class Aggregation {
 public:
  Aggregation(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
              rank::Aggregator& aggregator)
      : segments_(segments), view_(view), aggregator_(aggregator) {}

  Status Run() {
    ASSIGN_OR_RETURN(hidden_, HiddenRowsOfAll(segments_, view_));
    size_t rows = 0;
    for (size_t s = 0; s < segments_.size(); ++s) {
      runs_.push_back(segments_[s]->Runs(hidden_[s].rows));
      rows += hidden_[s].rows;
    }
    const bool shared =
        view_.crew != nullptr && view_.crew->cores() > 1 && rows >= kSampleRows + 2 * kPieceRows;
    const std::vector<std::vector<RunPart>> pieces = Split(shared ? kSampleRows : rows);
    for (size_t i = 0; i < pieces.size(); ++i) {
      // Pieces with nearly as many groups as rows are no less work to put together.
      if (i == 1 && aggregator_.groups() < kSampleRows / kRowsPerGroup) return Share(pieces);
      RETURN_IF_ERROR(Add(pieces[i], aggregator_));
    }
    return Status::Ok();
  }

 private:
  // Pieces do not depend on who is idle: sums of fractions are the same each time.
  static constexpr size_t kSampleRows = 16 * kAggregateRows;
  static constexpr size_t kPieceRows = 64 * kAggregateRows;
  static constexpr size_t kRowsPerGroup = 16;
  static constexpr double kRowsPerUs = 500;  // a rule of thumb

  /// All rows in order, the first piece of `sample` of them or a few more.
  std::vector<std::vector<RunPart>> Split(size_t sample) const {
    std::vector<std::vector<RunPart>> pieces;
    size_t left = 0;
    for (size_t s = 0; s < segments_.size(); ++s) {
      for (size_t r = 0; r < runs_[s].size(); ++r) {
        const size_t rows = runs_[s][r].source->rows();
        for (size_t first = 0; first < rows;) {
          if (left == 0) {
            left = pieces.empty() ? sample : kPieceRows;
            pieces.emplace_back();
          }
          const size_t blocks = (left + kAggregateRows - 1) / kAggregateRows;
          const size_t count = std::min(blocks * kAggregateRows, rows - first);
          pieces.back().push_back({s, r, first, count});
          first += count;
          left -= std::min(left, count);
        }
      }
    }
    return pieces;
  }

  Status Add(const std::vector<RunPart>& piece, rank::Aggregator& aggregator) const {
    const std::vector<FieldId> fields = aggregator.Fields();
    std::vector<uint32_t> rows;
    rows.reserve(kAggregateRows);
    for (const RunPart& part : piece) {
      const segment::Run& run = runs_[part.segment][part.run];
      const RunColumns columns(*segments_[part.segment], run, *view_.schema, fields);
      const size_t end = part.first + part.count;
      for (size_t first = part.first; first < end; first += kAggregateRows) {
        RETURN_IF_ERROR(view_.cancel->Check());
        ListVisible(hidden_[part.segment], run.first + static_cast<uint32_t>(first),
                    static_cast<uint32_t>(std::min(kAggregateRows, end - first)), rows);
        if (!rows.empty()) aggregator.Add(columns.From(first), rows);
      }
    }
    return Status::Ok();
  }

  /// All pieces but the first, each by itself, then put together in order.
  Status Share(const std::vector<std::vector<RunPart>>& pieces) {
    std::vector<model::RowBatch> partial(pieces.size() - 1);
    const double us = static_cast<double>(partial.size()) * kPieceRows / kRowsPerUs;
    RETURN_IF_ERROR(ForEachPiece(view_, partial.size(), us, [&](size_t i) -> Status {
      rank::Aggregator own(aggregator_.spec(), *view_.schema);
      RETURN_IF_ERROR(Add(pieces[i + 1], own));
      partial[i] = own.Partial();
      return Status::Ok();
    }));
    for (const model::RowBatch& one : partial) RETURN_IF_ERROR(aggregator_.Merge(one));
    return Status::Ok();
  }

  const std::vector<segment::SegmentPtr>& segments_;
  const ReadView& view_;
  rank::Aggregator& aggregator_;
  std::vector<HiddenRows> hidden_;
  std::vector<std::vector<segment::Run>> runs_;  // of each segment
};

}  // namespace

Status AggregateRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                     rank::Aggregator& aggregator) {
  return Aggregation(segments, view, aggregator).Run();
}

}  // namespace elanus::query
