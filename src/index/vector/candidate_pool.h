// The beam of a graph search: the `width` nearest nodes met so far, sorted, each expanded or not
// yet. Owned by one thread; keeps its memory between searches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace elanus::index {

class CandidatePool {
 public:
  /// Nearest first by (distance, node): one 64-bit comparison. Node ids stay below 2^31, the top
  /// bit says "expanded".
  struct Entry {
    int32_t distance;
    uint32_t tagged_node;
    uint32_t node() const { return tagged_node & ~kExpanded; }
  };

  void Start(size_t width) {
    if (entries_.size() < width + 1) entries_.resize(width + 1);
    width_ = width;
    size_ = 0;
    next_ = 0;
  }

  /// A distance at or above this cannot enter.
  int32_t bound() const {
    return size_ < width_ ? std::numeric_limits<int32_t>::max() : entries_[size_ - 1].distance;
  }

  /// Adds a node met for the first time; false when it is too far.
  bool Insert(int32_t distance, uint32_t node) {
    if (size_ == width_) {
      if (distance >= entries_[size_ - 1].distance) return false;
    } else {
      ++size_;
    }
    // The place behind all that are as near, found without a branch on the data: each would be a
    // coin toss.
    size_t low = 0;
    for (size_t left = size_ - 1; left > 0;) {
      const size_t half = (left + 1) / 2;
      // Multiplied, since a conditional is turned into a jump again.
      low += half * static_cast<size_t>(entries_[low + half - 1].distance <= distance);
      left -= half;
    }
    std::memmove(&entries_[low + 1], &entries_[low], (size_ - 1 - low) * sizeof(Entry));
    entries_[low] = {distance, node};
    next_ = std::min(next_, low);
    return true;
  }

  /// Takes the nearest node not expanded yet; false when there is none.
  bool Pop(uint32_t* node) {
    while (next_ < size_ && (entries_[next_].tagged_node & kExpanded) != 0) ++next_;
    if (next_ == size_) return false;
    *node = entries_[next_].tagged_node;
    entries_[next_++].tagged_node |= kExpanded;
    return true;
  }

  /// The node that Pop would take.
  bool Peek(uint32_t* node) {
    while (next_ < size_ && (entries_[next_].tagged_node & kExpanded) != 0) ++next_;
    if (next_ == size_) return false;
    *node = entries_[next_].tagged_node;
    return true;
  }

  std::span<const Entry> entries() const { return {entries_.data(), size_}; }

 private:
  static constexpr uint32_t kExpanded = uint32_t{1} << 31;

  std::vector<Entry> entries_;
  size_t width_ = 0;
  size_t size_ = 0;
  size_t next_ = 0;  // nothing before it is unexpanded
};

}  // namespace elanus::index
