// Which nodes a graph search has seen. One bit a node, in lines of 64 bytes that are cleared when
// first met in a new search: starting one costs nothing, whatever the size of the graph. Owned by
// one thread.
#pragma once

#include <cstdint>
#include <vector>

namespace elanus::index {

class VisitedSet {
 public:
  /// Forgets everything; room for nodes below `nodes`.
  void Start(size_t nodes) {
    const size_t lines = (nodes + kBitsPerLine - 1) / kBitsPerLine;
    if (stamps_.size() < lines) {
      stamps_.resize(lines, 0);
      words_.resize(lines * kWordsPerLine);
    }
    if (++epoch_ == 0) {
      stamps_.assign(stamps_.size(), 0);
      epoch_ = 1;
    }
  }

  /// Marks `node`; true when it was not marked before.
  bool Insert(uint32_t node) {
    const size_t line = node / kBitsPerLine;
    uint64_t* words = words_.data() + line * kWordsPerLine;
    if (stamps_[line] != epoch_) [[unlikely]] {
      for (size_t i = 0; i < kWordsPerLine; ++i) words[i] = 0;
      stamps_[line] = epoch_;
    }
    uint64_t& word = words[(node / 64) % kWordsPerLine];
    const uint64_t bit = uint64_t{1} << (node % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }

 private:
  static constexpr size_t kWordsPerLine = 8;
  static constexpr size_t kBitsPerLine = 512;

  std::vector<uint64_t> words_;
  std::vector<uint32_t> stamps_;
  uint32_t epoch_ = 0;
};

}  // namespace elanus::index
