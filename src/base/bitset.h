// A bitset of rows. Used with one polarity everywhere: in a hidden bitset, bit r = 1 means row r is
// no candidate. Holds: bits past size() in the last word are zero.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

class Bitset {
 public:
  Bitset() = default;
  explicit Bitset(size_t size) : size_(size), words_((size + 63) / 64) {}

  size_t size() const { return size_; }
  const uint64_t* words() const { return words_.data(); }
  uint64_t* words() { return words_.data(); }
  size_t word_count() const { return words_.size(); }

  bool Test(size_t i) const { return (words_[i >> 6] >> (i & 63) & 1) != 0; }
  void Set(size_t i) { words_[i >> 6] |= uint64_t{1} << (i & 63); }
  void Clear(size_t i) { words_[i >> 6] &= ~(uint64_t{1} << (i & 63)); }
  /// Sets bits [first, last).
  void SetRange(size_t first, size_t last) {
    for (; first < last && (first & 63) != 0; ++first) Set(first);
    for (; first + 64 <= last; first += 64) words_[first >> 6] = ~uint64_t{0};
    for (; first < last; ++first) Set(first);
  }
  /// Keeps what is there; new bits are zero.
  void Resize(size_t size) {
    words_.resize((size + 63) / 64);
    size_ = size;
    TrimTail();
  }
  size_t Count() const {
    size_t count = 0;
    for (uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
    return count;
  }
  void TrimTail() {
    if ((size_ & 63) != 0) words_.back() &= (uint64_t{1} << (size_ & 63)) - 1;
  }

 private:
  size_t size_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace elanus
