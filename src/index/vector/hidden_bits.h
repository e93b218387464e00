// Which rows are no candidates: deleted, filtered out or too new. Bit r = 1: row r is hidden.
// Holds: an empty HiddenBits hides nothing; otherwise rows at or past rows() are hidden too, so
// that a shorter bitset is a cut-off ("the first n rows are visible at this timestamp"). Borrowed:
// the words outlive the call.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace elanus::index {

class HiddenBits {
 public:
  static constexpr size_t kUnknown = static_cast<size_t>(-1);

  HiddenBits() = default;
  /// \param words         (rows + 63) / 64 words; bits past `rows` in the last one are ignored
  /// \param hidden_count  ones among the first `rows` bits when the caller has counted them, else
  /// kUnknown
  HiddenBits(const uint64_t* words, size_t rows, size_t hidden_count = kUnknown)
      : words_(words), rows_(rows), hidden_count_(hidden_count), set_(true) {}

  bool empty() const { return !set_; }
  size_t rows() const { return rows_; }
  const uint64_t* words() const { return words_; }

  bool Hidden(size_t row) const {
    return set_ && (row >= rows_ || (words_[row >> 6] >> (row & 63) & 1) != 0);
  }

  /// Bit i = 1: row + i is hidden, for 64 rows from `row`, which need not be a multiple of 64.
  uint64_t Word(size_t row) const {
    if (!set_) return 0;
    if (row >= rows_) return ~uint64_t{0};
    const size_t word = row >> 6, shift = row & 63, words = (rows_ + 63) >> 6;
    uint64_t bits = words_[word] >> shift;
    if (shift != 0 && word + 1 < words) bits |= words_[word + 1] << (64 - shift);
    const size_t left = rows_ - row;
    return left >= 64 ? bits : bits | (~uint64_t{0} << left);
  }

  /// Visible rows among the first `rows`. Cost: none when the caller gave the count, else a pass
  /// over the words.
  size_t CountVisible(size_t rows) const {
    if (!set_) return rows;
    if (hidden_count_ != kUnknown && rows >= rows_) return rows_ - hidden_count_;
    size_t visible = 0;
    for (size_t row = 0; row < rows; row += 64) {
      uint64_t seen = ~Word(row);
      if (rows - row < 64) seen &= (uint64_t{1} << (rows - row)) - 1;
      visible += static_cast<size_t>(std::popcount(seen));
    }
    return visible;
  }

 private:
  const uint64_t* words_ = nullptr;
  size_t rows_ = 0;
  size_t hidden_count_ = kUnknown;
  bool set_ = false;
};

}  // namespace elanus::index
