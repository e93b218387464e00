// Which rows of a sealed segment have a value: distinct values in order (keys), and the rows of
// each, as an ascending list where they are few and as bits where they are many. One structure
// serves Milvus' STL_SORT, INVERTED, BITMAP, TRIE, NGRAM and RTREE; they differ in what keys are.
// Holds: keys ascend strictly (boxes excepted: they form a tree); a real key is never NaN nor -0;
// rows of a key lie in one list or one bitset. Immutable after Open: any thread. Called by query/
// (filter_index) and segment/ (keeps it). Bytes: docs/format/scalar_index.md. Why:
// docs/design/0010-scalar-index.md
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "index/scalar/box_tree.h"
#include "index/scalar/scalar_file.h"

namespace elanus::index {

class ScalarIndex {
 public:
  /// \param owner  keeps `file` alive, which is read where it lies
  /// Errors: kDataIntegrity when the bytes are not a whole index. Cost: one pass over the bytes.
  static Result<std::shared_ptr<const ScalarIndex>> Open(std::shared_ptr<const void> owner,
                                                         std::span<const std::byte> file);

  const ScalarHeader& header() const { return header_; }
  uint32_t rows() const { return header_.rows; }
  uint32_t keys() const { return header_.keys; }
  uint64_t file_bytes() const { return file_bytes_; }

  int64_t IntAt(uint32_t key) const { return ints_[key]; }   ///< kInt, kBool
  double RealAt(uint32_t key) const { return reals_[key]; }  ///< kReal
  std::string_view TextAt(uint32_t key) const {              ///< kText
    return {texts_ + text_ends_[key], text_ends_[key + 1] - text_ends_[key]};
  }

  /// kBoxes: which keys' boxes lie how to a window.
  BoxTree Boxes() const { return {boxes_, header_.keys}; }
  /// kBoxes: around all boxes but Box::Everywhere(); x_min > x_max when there is none.
  const Box& bounds() const { return bounds_; }

  /// The number of keys for which before(key number) holds; it must hold for a first part of them.
  template <class Before>
  uint32_t PartitionPoint(Before before) const {
    uint32_t first = 0;
    for (uint32_t count = header_.keys; count != 0;) {
      const uint32_t half = count / 2;
      if (before(first + half)) {
        first += half + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    return first;
  }

  /// The sum of the keys' numbers of rows. Cost: O(log keys).
  uint64_t Entries(KeyRange range) const;
  /// Sets, or clears, the bits of the keys' rows; `bits` has rows() bits. Cost: about 1 ns a listed
  /// row, rows() / 64 words a key that has bits.
  void SetRows(KeyRange range, uint64_t* bits) const;
  void ClearRows(KeyRange range, uint64_t* bits) const;
  /// Adds the keys' rows, ascending within a key.
  void AppendRows(KeyRange range, std::vector<uint32_t>& rows) const;

  /// Rows that have a value; empty: all of them.
  std::span<const uint64_t> known() const { return known_; }
  uint64_t known_count() const { return known_count_; }

 private:
  ScalarIndex(std::shared_ptr<const void> owner, const ScalarHeader& header)
      : owner_(std::move(owner)), header_(header) {}
  Status Adopt(const ScalarSpans& sections);
  Status CheckKeys() const;
  Status CheckBoxes();
  Status CheckLists() const;
  Status CheckDense();
  std::span<const uint32_t> DenseIn(KeyRange range) const;
  size_t words() const { return (size_t{header_.rows} + 63) / 64; }

  std::shared_ptr<const void> owner_;
  ScalarHeader header_;
  uint64_t file_bytes_ = 0;
  std::span<const int64_t> ints_;
  std::span<const double> reals_;
  std::span<const uint64_t> text_ends_;
  const char* texts_ = nullptr;
  std::span<const Box> boxes_;
  Box bounds_;
  std::span<const uint32_t> list_starts_;
  std::span<const uint32_t> list_rows_;
  std::span<const uint32_t> dense_keys_;
  std::vector<uint64_t> dense_before_;  ///< rows of the dense keys before each, and of all
  std::span<const uint64_t> dense_bits_;
  std::span<const uint64_t> known_;
  uint64_t known_count_ = 0;
};

}  // namespace elanus::index
