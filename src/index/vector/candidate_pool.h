// The beam of a graph search: the nodes met so far that may be among the `width` nearest, each
// expanded or not yet. Owned by one thread; keeps its memory between searches.
// A sorted array spends most of a wide search on moving entries. Here a node goes into one of 1,024
// buckets by its distance, in a handful of instructions; the bound is the edge of the bucket that
// holds the width-th nearest, so the beam is wider than asked by what shares that bucket. The
// buckets span from the nearest to the bound and are laid out anew as these move. Where many nodes
// are about equally far the exact width-th distance is found instead.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace elanus::index {

class CandidatePool {
 public:
  struct Entry {
    int32_t distance;
    uint32_t node;
    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  void Start(size_t width) {
    width_ = width;
    if (items_.size() < 2 * width + kSlack) items_.resize(2 * width + kSlack);
    count_ = 0;
    bound_ = kept_to_ = nearest_ = kMax;
    fill_layout_at_ = kFirstLayout;
    Clear(0, 31);
  }

  /// A distance above this cannot enter.
  int64_t bound() const { return bound_; }
  bool full() const { return inside_ >= width_; }

  /// Adds a node met for the first time; false when it is too far.
  bool Insert(int32_t distance, uint32_t node) {
    if (distance > bound_) return false;
    if (count_ == items_.size()) items_.resize(2 * count_);
    items_[count_] = {distance, node, 0};
    nearest_ = std::min(nearest_, distance);
    Put(static_cast<uint32_t>(count_++));
    if (inside_ >= width_) {
      Tighten();
    } else if (count_ == fill_layout_at_) {
      fill_layout_at_ *= 8;
      LayOut();
    }
    return true;
  }

  /// Takes one of the nearest nodes not expanded yet; false when there is none.
  bool Pop(uint32_t* node) {
    while (first_word_ < kWords && waiting_[first_word_] == 0) ++first_word_;
    if (first_word_ == kWords) return false;
    const size_t bucket =
        first_word_ * 64 + static_cast<size_t>(std::countr_zero(waiting_[first_word_]));
    if (bucket > last_) return false;
    Item& item = items_[heads_[bucket]];
    *node = item.node;
    if (item.next == kNone) waiting_[first_word_] &= waiting_[first_word_] - 1;
    heads_[bucket] = item.next;
    item.next = kExpanded;
    return true;
  }

  /// How many of the nodes in the beam are `visible`.
  template <class Visible>
  size_t Count(const Visible& visible) const {
    size_t seen = 0;
    for (size_t i = 0; i < count_; ++i)
      seen += static_cast<size_t>(items_[i].distance <= kept_to_ && visible(items_[i].node));
    return std::min(seen, width_);
  }

  /// The nearest `limit` of them by (distance, node); ends the search. Valid until the next Start.
  template <class Visible>
  std::span<const Entry> Nearest(size_t limit, const Visible& visible) {
    limit = std::min(limit, width_);
    Collect(EdgeOfFirst(limit), visible);
    if (found_.size() < limit) Collect(kept_to_, visible);
    SortFound();
    if (found_.size() > limit) found_.resize(limit);
    return found_;
  }
  std::span<const Entry> Nearest(size_t limit) {
    return Nearest(limit, [](uint32_t) { return true; });
  }

 private:
  struct Item {
    int32_t distance;
    uint32_t node;
    uint32_t next;  // in its bucket, or:
  };
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  static constexpr uint32_t kExpanded = 0xFFFFFFFE;
  static constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  static constexpr size_t kBuckets = 1024;
  static constexpr size_t kWords = kBuckets / 64;
  static constexpr size_t kSlack = 64;
  static constexpr size_t kFirstLayout = 8;  // nodes that show the first scale

  void Clear(int64_t low, int shift) {
    low_ = low;
    shift_ = shift;
    last_ = kBuckets - 1;
    inside_ = 0;
    waiting_.fill(0);
    counts_.fill(0);
    first_word_ = 0;
  }

  size_t Bucket(int32_t distance) const {
    const int64_t at = std::max<int64_t>(int64_t{distance} - low_, 0) >> shift_;
    return static_cast<size_t>(std::min<int64_t>(at, kBuckets - 1));
  }
  int32_t Edge(size_t bucket) const {
    if (bucket == kBuckets - 1) return kMax;
    const int64_t edge = low_ + (static_cast<int64_t>(bucket + 1) << shift_) - 1;
    return static_cast<int32_t>(
        std::clamp<int64_t>(edge, std::numeric_limits<int32_t>::min(), kMax));
  }

  void Put(uint32_t at) {
    Item& item = items_[at];
    const size_t bucket = Bucket(item.distance);
    ++counts_[bucket];
    ++inside_;
    if (item.next == kExpanded) return;
    uint64_t& word = waiting_[bucket / 64];
    const uint64_t bit = uint64_t{1} << (bucket % 64);
    item.next = (word & bit) != 0 ? heads_[bucket] : kNone;
    heads_[bucket] = at;
    word |= bit;
    first_word_ = std::min(first_word_, bucket / 64);
  }

  /// Moves the bound down as far as `width_` nodes stay inside.
  void Tighten() {
    if (bound_ == kMax) LayOut();
    const size_t before = last_;
    Narrow();
    if (inside_ >= 2 * width_ + kSlack / 2) return Cut();
    if (last_ != before && last_ < kBuckets / 4 && shift_ > 0) {
      LayOut();
      Narrow();
    }
  }

  void Narrow() {
    while (inside_ - counts_[last_] >= width_) inside_ -= counts_[last_--];
    if (inside_ < width_) return;
    bound_ = std::min<int64_t>(bound_, Edge(last_));
    kept_to_ = std::min(kept_to_, Edge(last_));
  }

  /// Buckets anew over what is inside the bound, with room below for nearer nodes and, while the
  /// beam fills, above for farther ones.
  void LayOut() {
    size_t kept = 0;
    int32_t farthest = nearest_;
    for (size_t i = 0; i < count_; ++i) {
      if (items_[i].distance > kept_to_) continue;
      farthest = std::max(farthest, items_[i].distance);
      items_[kept++] = items_[i];
    }
    count_ = kept;
    int64_t span = int64_t{farthest} - nearest_ + 1;
    const int64_t low = nearest_ - span / 8;
    span += span / 8 + (kept < width_ ? span : 0);
    Clear(low, std::bit_width(static_cast<uint64_t>(span) / (kBuckets - 1)));
    for (size_t i = 0; i < count_; ++i) Put(static_cast<uint32_t>(i));
  }

  /// Keeps exactly the `width_` nearest: the buckets are too coarse where these lie.
  void Cut() {
    found_.clear();
    for (size_t i = 0; i < count_; ++i) {
      if (items_[i].distance <= kept_to_) found_.push_back({items_[i].distance, items_[i].node});
    }
    const auto last = found_.begin() + static_cast<ptrdiff_t>(width_ - 1);
    std::nth_element(found_.begin(), last, found_.end());
    const Entry farthest = *last;
    size_t kept = 0;
    for (size_t i = 0; i < count_; ++i) {
      if (Entry{items_[i].distance, items_[i].node} <= farthest) items_[kept++] = items_[i];
    }
    count_ = kept;
    kept_to_ = farthest.distance;
    bound_ = int64_t{kept_to_} - 1;  // another one as far as the last is no better
    LayOut();
  }

  template <class Visible>
  void Collect(int32_t edge, const Visible& visible) {
    found_.clear();
    for (size_t i = 0; i < count_; ++i) {
      const Item& item = items_[i];
      if (item.distance <= edge && visible(item.node)) found_.push_back({item.distance, item.node});
    }
  }
  /// By bucket first, which leaves little to compare: a build sorts 200 nodes a row.
  void SortFound() {
    constexpr size_t kFew = 32;
    if (found_.size() < kFew) return std::sort(found_.begin(), found_.end());
    ends_.fill(0);
    for (const Entry& entry : found_) ++ends_[Bucket(entry.distance)];
    std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
    sorted_.resize(found_.size());
    for (const Entry& entry : found_) sorted_[--ends_[Bucket(entry.distance)]] = entry;
    for (size_t from = 0, to = 1; from < sorted_.size(); from = to++) {
      const size_t bucket = Bucket(sorted_[from].distance);
      while (to < sorted_.size() && Bucket(sorted_[to].distance) == bucket) ++to;
      if (to - from > 1)
        std::sort(sorted_.begin() + static_cast<ptrdiff_t>(from),
                  sorted_.begin() + static_cast<ptrdiff_t>(to));
    }
    std::swap(found_, sorted_);
  }
  /// At least `limit` nodes are not farther, when there are so many.
  int32_t EdgeOfFirst(size_t limit) const {
    size_t below = 0;
    for (size_t bucket = 0; bucket <= last_; ++bucket) {
      if ((below += counts_[bucket]) >= limit) return Edge(bucket);
    }
    return kMax;
  }

  std::vector<Item> items_;
  size_t count_ = 0;
  size_t width_ = 0;
  size_t inside_ = 0;  // in the buckets up to last_
  size_t last_ = kBuckets - 1;
  int64_t bound_ = kMax;    // one less than the least distance is possible
  int32_t kept_to_ = kMax;  // what is farther has dropped out
  int32_t nearest_ = kMax;
  size_t fill_layout_at_ = kFirstLayout;
  int64_t low_ = 0;
  int shift_ = 31;
  size_t first_word_ = 0;                    // no word before it has a bit
  std::array<uint64_t, kWords> waiting_{};   // buckets with nodes not expanded yet
  std::array<uint32_t, kBuckets> heads_{};   // of the list of a bucket; valid where a bit is set
  std::array<uint32_t, kBuckets> counts_{};  // expanded ones too
  std::vector<Entry> found_, sorted_;
  std::array<uint32_t, kBuckets> ends_;  // of a bucket's nodes in sorted_
};

}  // namespace elanus::index
