// When a search of a graph may end before its beam is used up: the nearest nodes found have stayed
// the same for long. What a wide beam expands last seldom finds anything near: on word vectors a
// quarter of the distances of recall .99 go there. Owned by one thread; allocates nothing.
// Source: the idea of patience in nearest neighbour search (Teofili and Lin 2025), counted in hops
// here, and more of them the later the last change came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace elanus::index {

class Patience {
 public:
  static constexpr size_t kWatchedMax = 64;

  /// Never ends a search: so does a new one.
  void Off() {
    watched_ = 0;
    farthest_ = std::numeric_limits<int32_t>::min();
    allowed_ = std::numeric_limits<size_t>::max();
  }
  /// \param watched  how many nearest nodes must not have changed, 1 to kWatchedMax
  /// \param hops     for how many hops at least
  void Start(size_t watched, size_t hops) {
    watched_ = watched;
    farthest_ = std::numeric_limits<int32_t>::max();
    hops_least_ = allowed_ = hops;
    hops_ = quiet_ = kept_ = 0;
  }

  /// A node that was met.
  void Offer(int32_t distance) {
    if (distance >= farthest_) return;
    size_t place = kept_ < watched_ ? kept_++ : watched_ - 1;
    for (; place > 0 && nearest_[place - 1] > distance; --place)
      nearest_[place] = nearest_[place - 1];
    nearest_[place] = distance;
    if (kept_ == watched_) farthest_ = nearest_[watched_ - 1];
    quiet_ = 0;
    allowed_ = hops_least_ + hops_ * 3 / 10;
  }
  void EndHop() {
    ++hops_;
    ++quiet_;
  }
  bool Ended() const { return quiet_ > allowed_; }

 private:
  size_t watched_ = 0, kept_ = 0;
  int32_t farthest_ = std::numeric_limits<int32_t>::min();  // as far a node changes nothing
  size_t hops_ = 0, quiet_ = 0;                             // since the start, the last change
  size_t hops_least_ = 0, allowed_ = std::numeric_limits<size_t>::max();
  std::array<int32_t, kWatchedMax> nearest_{};  // the first kept_, ascending
};

}  // namespace elanus::index
