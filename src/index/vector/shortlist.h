// The nearest of many rows by distances that are estimates, for the exact look that follows: there
// may be a few more of them than asked for, and they come in no order. Beside TopK it costs a
// fraction: a push does not branch, and a cut counts what is below a bound instead of sorting.
// Owned by one thread; keeps its memory between searches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "index/vector/bound_for.h"
#include "simd/dispatch.h"

namespace elanus::index {

class Shortlist {
 public:
  /// As new, with the memory it has. \param wanted  rows, at least 1
  void Start(size_t wanted) {
    wanted_ = wanted;
    room_ = 2 * wanted + kSpare;
    size_ = 0;
    bound_ = std::numeric_limits<float>::infinity();
    complete_ = true;
    if (distances_.size() < room_) {
      distances_.resize(room_);
      rows_.resize(room_);
      kept_.resize(room_);
    }
  }

  /// A distance above this does not enter.
  float bound() const { return bound_; }
  /// Rows held, at least min(wanted, pushed ones).
  size_t size() const { return size_; }
  /// No row was turned away for others that are nearer.
  bool complete() const { return complete_; }

  /// NaN never enters.
  void Push(float distance, uint32_t row) {
    if (size_ == room_) Cut();
    distances_[size_] = distance;
    rows_[size_] = row;
    size_ += static_cast<size_t>(distance <= bound_);
  }

  /// All rows pushed, or the `wanted` nearest and at most a sixteenth more.
  std::span<const uint32_t> Rows() {
    if (size_ > Most()) Cut();
    return {rows_.data(), size_};
  }

 private:
  static constexpr size_t kSpare = 64;

  size_t Most() const { return wanted_ + wanted_ / 16; }

  void Cut() {
    complete_ = false;
    const auto bound = BoundFor(std::span<const float>(distances_.data(), size_), wanted_, Most());
    if (!bound) return CutEqual();
    bound_ = *bound;
    Gather(simd::Active().select_le(distances_.data(), size_, bound_, kept_.data()));
  }

  // Many are equally far: of these the first by row stay.
  void CutEqual() {
    std::iota(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(size_), 0u);
    const auto end = kept_.begin() + static_cast<ptrdiff_t>(wanted_);
    std::nth_element(kept_.begin(), end - 1, kept_.begin() + static_cast<ptrdiff_t>(size_),
                     [this](uint32_t a, uint32_t b) {
                       return distances_[a] < distances_[b] ||
                              (distances_[a] == distances_[b] && rows_[a] < rows_[b]);
                     });
    bound_ = distances_[*(end - 1)];
    std::sort(kept_.begin(), end);
    Gather(wanted_);
  }

  // Moves the rows at the first `count` places of `kept_`, which ascend, to the front.
  void Gather(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      distances_[i] = distances_[kept_[i]];
      rows_[i] = rows_[kept_[i]];
    }
    size_ = count;
  }

  size_t wanted_ = 1, room_ = 0, size_ = 0;
  float bound_ = std::numeric_limits<float>::infinity();
  bool complete_ = true;
  std::vector<float> distances_;
  std::vector<uint32_t> rows_, kept_;
};

}  // namespace elanus::index
