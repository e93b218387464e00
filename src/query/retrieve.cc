#include "query/retrieve.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <numeric>
#include <optional>

#include "query/filter.h"
#include "query/order_cut.h"
#include "query/pieces.h"
#include "query/row_value.h"
#include "segment/field_reader.h"

namespace elanus::query {
namespace {

struct Item {
  model::PrimaryKey key;
  model::Timestamp timestamp = 0;
  RowRef ref;
};

bool ByKeyNewestFirst(const Item& a, const Item& b) {
  if (a.key != b.key) return a.key < b.key;
  return a.timestamp > b.timestamp;
}

constexpr uint32_t kOrderedBlockRows =
    8192;  // rows of a key-ordered segment looked at before asking "enough?"

class Retriever {
 public:
  Retriever(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
            const RetrieveRequest& request)
      : segments_(segments), view_(view), request_(request) {}

  Result<Retrieved> Run() {
    if (CutsByOrder()) return FirstInOrderOnly();
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      RETURN_IF_ERROR(view_.cancel->Check());
      if (request_.keys != nullptr) {
        FindKeys(s);
        continue;
      }
      VisibleRows visible(*segments_[s], view_);
      ASSIGN_OR_RETURN(const auto listed, visible.Few());
      if (listed) {
        TakeAll(s, *listed);
        continue;
      }
      // All of few rows are found sooner by an index than the first of them by looking.
      ASSIGN_OR_RETURN(const bool few, visible.AreFew());
      if (!few && CutsByKey() && FiltersByBlock() && segments_[s]->OrderedByKey()) {
        RETURN_IF_ERROR(ScanOrdered(s));
      } else {
        RETURN_IF_ERROR(ScanAll(s, visible));
      }
    }
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
        for (const uint32_t row : cut.rows[s]) Take(s, row);
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
  bool IsOld(const Item& item, std::span<const HiddenRows> hidden) const {
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
  bool IsOnlyOfKey(const Item& item) const {
    const segment::Segment& segment = *segments_[item.ref.segment];
    const uint32_t row = item.ref.row;
    const bool first = row == 0 || segment.KeyAt(row - 1) != item.key;
    return first && (row + 1 >= segment.RowsAt(view_.at) || segment.KeyAt(row + 1) != item.key);
  }

  /// The smallest keys suffice: whatever the order is, it is that of keys.
  bool CutsByKey() const { return request_.limit >= 0 && request_.order.empty(); }
  /// Blocks of rows can be filtered by themselves: a sample is of all rows.
  bool FiltersByBlock() const { return view_.filter == nullptr || view_.filter->sample == 0; }

  void Take(uint32_t s, uint32_t row) {
    items_.push_back({segments_[s]->KeyAt(row), segments_[s]->TimestampAt(row), {s, row}});
  }

  void TakeAll(uint32_t s, const std::vector<uint32_t>& rows) {
    const size_t first = items_.size();
    for (const uint32_t row : rows) Take(s, row);
    CutToLimit(first);
  }

  void FindKeys(uint32_t s) {
    const segment::Segment& segment = *segments_[s];
    const size_t before = items_.size();
    double us = 0;
    const HiddenRows hidden{segment.RowsAt(view_.at),
                            segment.HiddenAt(view_.at, segment.RowsAt(view_.at))};
    ExpiryCheck expiry(segment, hidden.rows, view_);
    {
      const StepTimer timer(view_.trace == nullptr ? nullptr : &us);
      for (size_t i = 0; i < request_.keys->size(); ++i) {
        for (uint32_t row : segment.FindKey(request_.keys->At(i), hidden.rows)) {
          if (!hidden.Hidden(row) && !expiry.IsOver(row)) Take(s, row);
        }
      }
    }
    if (view_.trace == nullptr) return;
    SegmentTrace& trace = view_.trace->Of(segment.id());
    trace.sealed = segment.sealed();
    trace.rows = hidden.rows;
    trace.rows_kept = items_.size() - before;
    trace.search_way = "keys";
    trace.search_us = us;
  }

  Status ScanAll(uint32_t s, VisibleRows& visible) {
    ASSIGN_OR_RETURN(const HiddenRows hidden, visible.Hidden());
    const size_t first = items_.size();
    hidden.ForEachVisible([&](uint32_t row) { Take(s, row); });
    CutToLimit(first);
    return Status::Ok();
  }

  /// Keeps the smallest `limit` keys of what was added from `first` on (with all rows of the last
  /// key).
  void CutToLimit(size_t first) {
    if (!CutsByKey() || items_.size() - first <= static_cast<size_t>(request_.limit)) return;
    std::sort(items_.begin() + static_cast<ptrdiff_t>(first), items_.end(), ByKeyNewestFirst);
    int64_t keys = 0;
    size_t end = first;
    for (; end < items_.size(); ++end) {
      if (end == first || items_[end].key != items_[end - 1].key) {
        if (keys == request_.limit) break;
        ++keys;
      }
    }
    items_.resize(end);
  }

  /// Rows ascend by key: looks at a block at a time and stops when it has enough keys.
  Status ScanOrdered(uint32_t s) {
    const size_t before = items_.size();
    const StepTimer timer(view_.trace == nullptr ? nullptr
                                                 : &view_.trace->Of(segments_[s]->id()).filter_us);
    RETURN_IF_ERROR(ScanBlocks(s));
    if (view_.trace != nullptr)
      view_.trace->Of(segments_[s]->id()).rows_kept = items_.size() - before;
    return Status::Ok();
  }
  Status ScanBlocks(uint32_t s) {
    const segment::Segment& segment = *segments_[s];
    const uint32_t rows = segment.RowsAt(view_.at);
    const auto deleted = segment.HiddenAt(view_.at, rows);
    const auto runs = segment.Runs(rows);
    uint32_t first = 0;
    if (view_.filter != nullptr) {
      if (auto bound = expr::LowerBoundOf(*view_.filter, *view_.schema)) {
        first = segment.LowerBound(bound->key, bound->strict);
      }
    }
    ExpiryCheck expiry(segment, rows, view_);
    int64_t keys = 0;
    size_t last_item = items_.size();
    uint32_t count = 0;
    for (; first < rows && !runs.empty(); first += count) {
      RETURN_IF_ERROR(view_.cancel->Check());
      // Up to where blocks begin: from there on their statistics serve.
      count = std::min(kOrderedBlockRows - first % kOrderedBlockRows, rows - first);
      const SlicedSource block(*runs[0].source, first, count);
      Truth truth;
      const bool filtered = view_.filter != nullptr && view_.filter->root != nullptr;
      if (filtered) {
        ASSIGN_OR_RETURN(truth, Evaluate(*view_.filter, block, *view_.schema,
                                         {.cancel = view_.cancel, .trace = Trace(segment, count)}));
      }
      for (uint32_t i = 0; i < block.rows(); ++i) {
        if (filtered && (truth.is_true[i / 64] >> (i % 64) & 1) == 0) continue;
        if (deleted != nullptr && deleted->Test(first + i)) continue;
        if (expiry.IsOver(first + i)) continue;
        model::PrimaryKey key = segment.KeyAt(first + i);
        const bool same = items_.size() != last_item && items_.back().key == key;
        if (!same && keys == request_.limit) return Status::Ok();
        if (!same) ++keys;
        items_.push_back({std::move(key), segment.TimestampAt(first + i), {s, first + i}});
      }
    }
    return Status::Ok();
  }

  /// Writes down that so many more rows of a segment were looked at.
  SegmentTrace* Trace(const segment::Segment& segment, uint32_t rows) const {
    if (view_.trace == nullptr) return nullptr;
    SegmentTrace& trace = view_.trace->Of(segment.id());
    trace.sealed = segment.sealed();
    trace.filtered = true;
    trace.rows += rows;
    return &trace;
  }

  /// Puts the items, which are in key order, into the order asked for: the first `limit` of them.
  /// \param hidden  when given, items of which a segment has a newer row are left out
  Status Order(std::span<const HiddenRows> hidden, Retrieved& result) {
    const ValuesRequest wanted{
        .segments = &segments_, .schema = view_.schema, .values = request_.order};
    std::vector<RowRef> refs;
    for (const Item& item : items_) refs.push_back(item.ref);
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
    std::vector<Item> ordered;
    for (const uint32_t place : kept) ordered.push_back(std::move(items_[place]));
    items_ = std::move(ordered);
    result.order_values = values.Take(kept);
    return Status::Ok();
  }

  /// \param hidden  as for Order
  Result<Retrieved> Merge(std::span<const HiddenRows> hidden = {}) {
    Retrieved result;
    std::ranges::sort(items_, ByKeyNewestFirst);
    auto tail = std::ranges::unique(items_, {}, &Item::key);
    items_.erase(tail.begin(), tail.end());
    if (!request_.order.empty()) RETURN_IF_ERROR(Order(hidden, result));
    if (request_.limit >= 0 && items_.size() > static_cast<size_t>(request_.limit)) {
      items_.resize(static_cast<size_t>(request_.limit));
    }
    result.keys.is_string = model::IsString(view_.schema->primary()->type);
    for (Item& item : items_) {
      result.rows.push_back(item.ref);
      result.keys.Append(item.key);
      result.timestamps.push_back(item.timestamp);
    }
    return result;
  }

  const std::vector<segment::SegmentPtr>& segments_;
  const ReadView& view_;
  const RetrieveRequest& request_;
  std::vector<Item> items_;
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
