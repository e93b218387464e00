// A pass over codes: measures those of the rows that a source names and keeps the nearest, for the
// exact look that follows. Where a filter lets little through this is cheaper than a walk through a
// graph, and it reads a tenth of what raw rows are. Owned by one thread; keeps its memory between
// searches.
//   Distance:  void operator()(const uint32_t* rows, size_t count, int32_t* out) const
//              CodePlaces places() const
//   Source:    bool Next(uint32_t* out, size_t* count)   the next rows, at most kWindow, maybe
//   none;
//              out has room for 16 more; false: that was all
//              void Met(int32_t distance)                of each row that may be among the nearest
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/cancel.h"
#include "index/vector/hidden_bits.h"
#include "index/vector/search_cost.h"
#include "index/vector/vectors.h"
#include "simd/dispatch.h"

namespace elanus::index {

class CodeScan {
 public:
  static constexpr size_t kWindow = 1024;  // rows between two looks at the bound

  /// Leaves the `count` nearest of the rows of `source` in nearest(), in no order.
  /// Errors: those of `cancel`.
  template <class Distance, class Source>
  Status Run(const Distance& distance, Source& source, size_t count, const Cancel& cancel) {
    count_ = std::max<size_t>(count, 1);
    bound_ = std::numeric_limits<int32_t>::max();
    found_.clear();
    size_t rows;
    for (size_t turn = 0; source.Next(rows_.data(), &rows); ++turn) {
      if (turn % kTurnsBetweenCancel == kTurnsBetweenCancel - 1) RETURN_IF_ERROR(cancel.Check());
      Measure(distance, rows, source);
    }
    if (found_.size() > count_) Shrink();
    return Status::Ok();
  }

  struct Found {
    int32_t distance;
    uint32_t row;
    friend auto operator<=>(const Found&, const Found&) = default;
  };
  const std::vector<Found>& nearest() const { return found_; }

 private:
  static constexpr size_t kBatch = 16;  // rows measured while the next ones travel
  static constexpr size_t kTurnsBetweenCancel = 64;

  template <class Distance, class Source>
  void Measure(const Distance& distance, size_t count, Source& source) {
    ThreadSearchCost().codes += count;
    const CodePlaces places = distance.places();
    Prefetch(places, 0, std::min(kBatch, count));
    for (size_t i = 0; i < count; i += kBatch) {
      Prefetch(places, std::min(i + kBatch, count), std::min(i + 2 * kBatch, count));
      distance(rows_.data() + i, std::min(kBatch, count - i), distances_.data() + i);
    }
    const size_t kept =
        simd::Active().select_le_s32(distances_.data(), count, bound_, kept_.data());
    for (size_t i = 0; i < kept; ++i) {
      const int32_t found = distances_[kept_[i]];
      source.Met(found);
      found_.push_back({found, rows_[kept_[i]]});
      if (found_.size() == 2 * count_ + kWindow) Shrink();
    }
    if (found_.size() >= 2 * count_) Shrink();
  }

  void Prefetch(const CodePlaces& places, size_t from, size_t to) const {
    const uint32_t* rows = rows_.data();
    for (size_t i = from; i < to; ++i) {
      const uint8_t* code = places.base + rows[i] * places.stride;
      for (size_t line = 0; line < places.lines; ++line) __builtin_prefetch(code + 64 * line);
    }
  }

  void Shrink() {
    const auto last = found_.begin() + static_cast<ptrdiff_t>(count_ - 1);
    std::nth_element(found_.begin(), last, found_.end());
    found_.resize(count_);
    bound_ = found_.back().distance;
  }

  size_t count_ = 1;
  int32_t bound_ = 0;
  std::vector<Found> found_;
  std::array<uint32_t, kWindow + 16> rows_;
  std::array<uint32_t, kWindow> kept_;
  std::array<int32_t, kWindow> distances_;
};

/// All visible rows, in order.
class AllVisible {
 public:
  AllVisible(size_t rows, const HiddenBits& hidden) : rows_(rows), hidden_(hidden) {}

  bool Next(uint32_t* out, size_t* count) {
    if (first_ >= rows_) return false;
    std::array<uint64_t, kWords> words;
    const size_t window = std::min(CodeScan::kWindow, rows_ - first_), whole = (window + 63) / 64;
    for (size_t i = 0; i < whole; ++i) words[i] = hidden_.Word(first_ + 64 * i);
    if (window % 64 != 0) words[whole - 1] |= ~uint64_t{0} << (window % 64);
    *count = simd::Active().zero_bits(words.data(), whole, static_cast<uint32_t>(first_), out);
    first_ += window;
    return true;
  }
  void Met(int32_t) {}

 private:
  static constexpr size_t kWords = CodeScan::kWindow / 64;

  size_t rows_;
  const HiddenBits& hidden_;
  size_t first_ = 0;
};

}  // namespace elanus::index
