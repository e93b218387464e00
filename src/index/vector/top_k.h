// The k nearest hits seen so far, over any number of chunks, indexes or batches. Order: by
// distance, then by row, so that equal distances never depend on who came first. One object a
// query; not shared between threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace elanus::index {

struct Hit {
  uint32_t row;
  float distance;  ///< smaller is nearer (metric.h)

  friend bool operator==(const Hit&, const Hit&) = default;
};

/// Nearest first; equal distances by row.
inline bool Nearer(const Hit& a, const Hit& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
}

/// The part of the distance axis that counts: (lower, after_row) < (distance, row) and distance <
/// upper.
struct Window {
  float lower = -std::numeric_limits<float>::infinity();
  int64_t after_row = -1;  ///< at distance == lower only rows beyond this one count; -1: all
  float upper = std::numeric_limits<float>::infinity();

  /// What comes after the last hit of an iterator's page.
  static Window After(const Hit& hit) { return {.lower = hit.distance, .after_row = hit.row}; }
  bool all() const { return std::isinf(lower) && std::isinf(upper); }
};

class TopK {
 public:
  explicit TopK(size_t k, Window window = {}) { Start(k, window); }

  /// As new, with the memory it has.
  void Start(size_t k, Window window = {}) {
    k_ = k;
    window_ = window;
    hits_.clear();
    bound_ = std::isinf(window.upper)
                 ? std::numeric_limits<float>::infinity()
                 : std::nextafter(window.upper, -std::numeric_limits<float>::infinity());
    if (k_ == 0) bound_ = -std::numeric_limits<float>::infinity();
    hits_.reserve(std::min<size_t>(Capacity(), 4096));
  }

  size_t k() const { return k_; }
  /// A distance above this cannot enter.
  float bound() const { return bound_; }

  /// Hits held, at least min(k, pushed ones inside the window).
  size_t size() const { return hits_.size(); }

  void Push(float distance, uint32_t row) {
    if (!(distance <= bound_)) return;  // NaN never enters
    if (distance < window_.lower || (distance == window_.lower && row <= window_.after_row)) return;
    if (k_ == 0) return;
    hits_.push_back({row, distance});
    if (hits_.size() == Capacity()) Shrink();
  }

  /// The hits in any order; they stay.
  const std::vector<Hit>& TakeUnordered() {
    if (hits_.size() > k_) Shrink();
    return hits_;
  }

  /// The hits, nearest first, and an empty accumulator.
  std::vector<Hit> Take() {
    if (hits_.size() > k_) Shrink();
    std::sort(hits_.begin(), hits_.end(), Nearer);
    return std::move(hits_);
  }

 private:
  // Room beyond k makes a push O(1) on average for every k: one selection per refill.
  size_t Capacity() const { return k_ + std::max<size_t>(k_, 32); }
  void Shrink() {
    std::nth_element(hits_.begin(), hits_.begin() + static_cast<ptrdiff_t>(k_ - 1), hits_.end(),
                     Nearer);
    hits_.resize(k_);
    bound_ = hits_.back().distance;
  }

  size_t k_;
  Window window_;
  float bound_;
  std::vector<Hit> hits_;
};

}  // namespace elanus::index
