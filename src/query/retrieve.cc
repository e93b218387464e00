#include "query/retrieve.h"

#include <algorithm>
#include <numeric>

#include "query/filter.h"
#include "query/row_value.h"

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
    for (uint32_t s = 0; s < segments_.size(); ++s) {
      RETURN_IF_ERROR(view_.cancel->Check());
      if (request_.keys != nullptr) {
        FindKeys(s);
      } else if (CutsByKey() && FiltersByBlock() && segments_[s]->OrderedByKey()) {
        RETURN_IF_ERROR(ScanOrdered(s));
      } else {
        RETURN_IF_ERROR(ScanAll(s));
      }
    }
    return Merge();
  }

 private:
  /// The smallest keys suffice: whatever the order is, it is that of keys.
  bool CutsByKey() const { return request_.limit >= 0 && request_.order.empty(); }
  /// Blocks of rows can be filtered by themselves: a sample is of all rows.
  bool FiltersByBlock() const { return view_.filter == nullptr || view_.filter->sample == 0; }

  void Take(uint32_t s, uint32_t row) {
    items_.push_back({segments_[s]->KeyAt(row), segments_[s]->TimestampAt(row), {s, row}});
  }

  void FindKeys(uint32_t s) {
    const segment::Segment& segment = *segments_[s];
    const HiddenRows hidden{segment.RowsAt(view_.at),
                            segment.HiddenAt(view_.at, segment.RowsAt(view_.at))};
    ExpiryCheck expiry(segment, hidden.rows, view_);
    for (size_t i = 0; i < request_.keys->size(); ++i) {
      for (uint32_t row : segment.FindKey(request_.keys->At(i), hidden.rows)) {
        if (!hidden.Hidden(row) && !expiry.IsOver(row)) Take(s, row);
      }
    }
  }

  Status ScanAll(uint32_t s) {
    ASSIGN_OR_RETURN(HiddenRows hidden, HiddenRowsOf(*segments_[s], view_));
    const size_t first = items_.size();
    for (uint32_t row = 0; row < hidden.rows; ++row) {
      if (!hidden.Hidden(row)) Take(s, row);
    }
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
    for (; first < rows && !runs.empty(); first += kOrderedBlockRows) {
      RETURN_IF_ERROR(view_.cancel->Check());
      const SlicedSource block(*runs[0].source, first, std::min(kOrderedBlockRows, rows - first));
      Truth truth;
      const bool filtered = view_.filter != nullptr && view_.filter->root != nullptr;
      if (filtered) {
        ASSIGN_OR_RETURN(truth, Evaluate(*view_.filter, block, *view_.schema));
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

  /// Puts the items, which are in key order, into the order asked for.
  Status Order(Retrieved& result) {
    const ValuesRequest wanted{
        .segments = &segments_, .schema = view_.schema, .values = request_.order};
    std::vector<RowRef> refs;
    for (const Item& item : items_) refs.push_back(item.ref);
    ASSIGN_OR_RETURN(const model::RowBatch values, FetchValues(wanted, refs));
    const model::RowBatch* sources[] = {&values};
    const rank::RowOrder order(request_.directions, 0, sources);
    std::vector<uint32_t> places(items_.size());
    std::iota(places.begin(), places.end(), 0U);
    const size_t kept = request_.limit < 0
                            ? places.size()
                            : std::min(places.size(), static_cast<size_t>(request_.limit));
    std::ranges::partial_sort(places, places.begin() + static_cast<ptrdiff_t>(kept),
                              [&](uint32_t a, uint32_t b) {
                                const auto compared = order.Compare({0, a}, {0, b});
                                return compared == 0 ? a < b : compared < 0;
                              });
    places.resize(kept);
    std::vector<Item> ordered;
    for (uint32_t place : places) ordered.push_back(std::move(items_[place]));
    items_ = std::move(ordered);
    result.order_values = values.Take(places);
    return Status::Ok();
  }

  Result<Retrieved> Merge() {
    Retrieved result;
    std::ranges::sort(items_, ByKeyNewestFirst);
    auto tail = std::ranges::unique(items_, {}, &Item::key);
    items_.erase(tail.begin(), tail.end());
    if (!request_.order.empty()) RETURN_IF_ERROR(Order(result));
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
};

}  // namespace

Result<Retrieved> Retrieve(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                           const RetrieveRequest& request) {
  return Retriever(segments, view, request).Run();
}

Result<int64_t> CountRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view) {
  int64_t count = 0;
  for (const segment::SegmentPtr& segment : segments) {
    ASSIGN_OR_RETURN(HiddenRows hidden, HiddenRowsOf(*segment, view));
    count += hidden.rows;
    if (hidden.bits != nullptr) count -= static_cast<int64_t>(hidden.bits->Count());
  }
  return count;
}

Status AggregateRows(const std::vector<segment::SegmentPtr>& segments, const ReadView& view,
                     rank::Aggregator& aggregator) {
  constexpr size_t kBlockRows = 4096;  // fetched at a time
  const FetchRequest fetch{
      .segments = &segments, .schema = view.schema, .fields = aggregator.Fields()};
  std::vector<RowRef> rows;
  auto flush = [&]() -> Status {
    RETURN_IF_ERROR(view.cancel->Check());
    ASSIGN_OR_RETURN(const model::RowBatch batch, Fetch(fetch, rows));
    aggregator.Add(batch);
    rows.clear();
    return Status::Ok();
  };
  for (uint32_t s = 0; s < segments.size(); ++s) {
    ASSIGN_OR_RETURN(const HiddenRows hidden, HiddenRowsOf(*segments[s], view));
    for (uint32_t row = 0; row < hidden.rows; ++row) {
      if (hidden.Hidden(row)) continue;
      rows.push_back({s, row});
      if (rows.size() == kBlockRows) RETURN_IF_ERROR(flush());
    }
  }
  return flush();
}

}  // namespace elanus::query
