// Rows of a growing segment by primary key: open addressing over row numbers, keys stay in their
// column. Holds: the same key may be in several rows; all are found. About 8 bytes a row. Threads:
// the segment's writer only; readers scan the key column instead.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace elanus::segment {

class KeyMap {
 public:
  void Insert(uint64_t hash, uint32_t row);
  /// Calls `visit(row)` for rows whose hash may equal; the caller compares the keys.
  template <class F>
  void ForEach(uint64_t hash, F&& visit) const {
    if (slots_.empty()) return;
    for (size_t i = hash & mask_; slots_[i].row != kFree; i = (i + 1) & mask_) {
      if (slots_[i].tag == Tag(hash)) visit(slots_[i].row);
    }
  }

 private:
  static constexpr uint32_t kFree = ~uint32_t{0};
  struct Slot {
    uint32_t row = kFree;
    uint32_t tag = 0;
  };
  static uint32_t Tag(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  void Grow();

  std::vector<Slot> slots_;
  std::vector<uint64_t> hashes_;  // of each row, for Grow
  size_t mask_ = 0;
};

}  // namespace elanus::segment
