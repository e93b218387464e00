#include "query/retrieve.h"

#include <algorithm>

#include "query/filter.h"

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
      } else if (request_.limit >= 0 && segments_[s]->OrderedByKey()) {
        RETURN_IF_ERROR(ScanOrdered(s));
      } else {
        RETURN_IF_ERROR(ScanAll(s));
      }
    }
    return Merge();
  }

 private:
  void Take(uint32_t s, uint32_t row) {
    items_.push_back({segments_[s]->KeyAt(row), segments_[s]->TimestampAt(row), {s, row}});
  }

  void FindKeys(uint32_t s) {
    const segment::Segment& segment = *segments_[s];
    const HiddenRows hidden{segment.RowsAt(view_.at),
                            segment.HiddenAt(view_.at, segment.RowsAt(view_.at))};
    for (size_t i = 0; i < request_.keys->size(); ++i) {
      for (uint32_t row : segment.FindKey(request_.keys->At(i), hidden.rows)) {
        if (!hidden.Hidden(row) && !view_.Expired(segment, row)) Take(s, row);
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
    if (request_.limit < 0 || items_.size() - first <= static_cast<size_t>(request_.limit)) return;
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
        if (view_.Expired(segment, first + i)) continue;
        model::PrimaryKey key = segment.KeyAt(first + i);
        const bool same = items_.size() != last_item && items_.back().key == key;
        if (!same && keys == request_.limit) return Status::Ok();
        if (!same) ++keys;
        items_.push_back({std::move(key), segment.TimestampAt(first + i), {s, first + i}});
      }
    }
    return Status::Ok();
  }

  Retrieved Merge() {
    std::ranges::sort(items_, ByKeyNewestFirst);
    auto tail = std::ranges::unique(items_, {}, &Item::key);
    items_.erase(tail.begin(), tail.end());
    if (request_.limit >= 0 && items_.size() > static_cast<size_t>(request_.limit)) {
      items_.resize(static_cast<size_t>(request_.limit));
    }
    Retrieved result;
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

}  // namespace elanus::query
