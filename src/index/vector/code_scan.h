// Exact search by code: measures the codes of all visible rows and keeps the nearest, for the exact
// look that follows. Where a filter lets little through this is cheaper than a walk through a
// graph, and it reads a tenth of what raw rows are. Owned by one thread; keeps its memory between
// searches.
//   Distance:  void operator()(const uint32_t* rows, size_t count, int32_t* out) const
//              CodePlaces places() const
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
  /// Leaves the `count` nearest of the visible among `rows` rows in nearest(), in no order.
  /// Errors: those of `cancel`.
  template <class Distance>
  Status Run(const Distance& distance, size_t rows, const HiddenBits& hidden, size_t count,
             const Cancel& cancel) {
    count_ = std::max<size_t>(count, 1);
    bound_ = std::numeric_limits<int32_t>::max();
    found_.clear();
    size_t work = 0;
    for (size_t first = 0; first < rows; first += kWindow) {
      if ((work += kWindow) >= kCancelEvery) {
        RETURN_IF_ERROR(cancel.Check());
        work = 0;
      }
      Measure(distance, VisibleRows(hidden, first, rows));
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
  static constexpr size_t kWindow = 1024;  // rows between two looks at the bound
  static constexpr size_t kBatch = 16;     // rows measured while the next ones travel
  static constexpr size_t kCancelEvery = 65536;
  static constexpr size_t kWords = kWindow / 64;

  size_t VisibleRows(const HiddenBits& hidden, size_t first, size_t rows) {
    std::array<uint64_t, kWords> words;
    const size_t count = std::min(kWindow, rows - first), whole = (count + 63) / 64;
    for (size_t i = 0; i < whole; ++i) words[i] = hidden.Word(first + 64 * i);
    if (count % 64 != 0) words[whole - 1] |= ~uint64_t{0} << (count % 64);
    return simd::Active().zero_bits(words.data(), whole, static_cast<uint32_t>(first),
                                    rows_.data());
  }

  template <class Distance>
  void Measure(const Distance& distance, size_t visible) {
    ThreadSearchCost().codes += visible;
    const CodePlaces places = distance.places();
    Prefetch(places, 0, std::min(kBatch, visible));
    for (size_t i = 0; i < visible; i += kBatch) {
      Prefetch(places, std::min(i + kBatch, visible), std::min(i + 2 * kBatch, visible));
      distance(rows_.data() + i, std::min(kBatch, visible - i), distances_.data() + i);
    }
    const size_t kept =
        simd::Active().select_le_s32(distances_.data(), visible, bound_, kept_.data());
    for (size_t i = 0; i < kept; ++i) {
      found_.push_back({distances_[kept_[i]], rows_[kept_[i]]});
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

}  // namespace elanus::index
