// A set of integers that a scan asks once a row. Inside this room only. Threads: immutable.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "query/filter_operator.h"

namespace elanus::query {

// Membership of any number of values of one integer type: a bitmap over their span when that is
// small, else a hash table with linear probing, at most half full, behind a filter of 16 bits a
// value: most rows are in no list, and one bit tells without a surprise for the branch predictor.
class IntSet {
 public:
  // `values` ascends and is not empty.
  explicit IntSet(const std::vector<int64_t>& values) : low_(values.front()) {
    span_ = static_cast<uint64_t>(values.back()) - static_cast<uint64_t>(low_);
    if (span_ < kBitmapBitsMax || span_ / 64 < values.size()) {
      bits_.assign(span_ / 64 + 1, 0);
      for (int64_t v : values) SetBit(bits_.data(), Offset(v));
      return;
    }
    const int log = std::bit_width(values.size() * 2 - 1);
    slot_shift_ = 64 - log;
    slots_.assign(size_t{1} << log, low_);  // the smallest value marks empty slots
    bits_.assign((size_t{1} << (log + 3)) / 64, 0);
    for (int64_t v : values) {
      const uint64_t hash = Hash(v);
      SetBit(bits_.data(), hash >> (slot_shift_ - 3));
      slots_[SlotOf(v, hash)] = v;
    }
  }

  bool Contains(int64_t v) const {
    if (slots_.empty()) return Offset(v) <= span_ && TestBit(Offset(v));
    const uint64_t hash = Hash(v);
    if (!TestBit(hash >> (slot_shift_ - 3))) return false;
    return v == low_ || slots_[SlotOf(v, hash)] == v;
  }

 private:
  static constexpr uint64_t kBitmapBitsMax = 1 << 16;

  // Two rounds: one multiplication alone puts evenly spaced values into long runs.
  static uint64_t Hash(int64_t v) {
    const uint64_t hash = static_cast<uint64_t>(v) * 0x9E3779B97F4A7C15ULL;
    return (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93ULL;
  }
  bool TestBit(uint64_t bit) const { return ((bits_[bit / 64] >> (bit % 64)) & 1) != 0; }
  uint64_t Offset(int64_t v) const {
    return static_cast<uint64_t>(v) - static_cast<uint64_t>(low_);
  }
  // The slot that holds v, or the empty one where it would go.
  size_t SlotOf(int64_t v, uint64_t hash) const {
    size_t slot = hash >> slot_shift_;
    while (slots_[slot] != v && slots_[slot] != low_) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  int64_t low_;
  uint64_t span_ = 0;
  std::vector<uint64_t> bits_;  // of the span, or of the hashes' first bits
  std::vector<int64_t> slots_;  // empty when the bits say it all
  int slot_shift_ = 0;
};

}  // namespace elanus::query
