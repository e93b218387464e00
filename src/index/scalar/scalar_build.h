// Makes the bytes of a scalar index out of (key, row) pairs. Holds: equal pairs give equal bytes,
// in whatever order they came. Memory: a pair takes 16 bytes (numbers), 24 (texts, which are
// borrowed) or 48 (boxes); grams 4 and their text once. Threads: one a builder. Called by
// query/scalar_keys, which knows what the keys of a row are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bitset.h"
#include "index/scalar/box_tree.h"
#include "index/scalar/scalar_file.h"

namespace elanus::index {

/// Takes keys in ascending order, each with its rows in ascending order.
class ScalarWriter {
 public:
  explicit ScalarWriter(const ScalarHeader& header) : header_(header) {}

  void Add(int64_t key, std::span<const uint32_t> rows);
  void Add(double key, std::span<const uint32_t> rows);
  void Add(std::string_view key, std::span<const uint32_t> rows);
  /// In the order of BoxBuilder.
  void Add(const Box& key, std::span<const uint32_t> rows);
  /// \param known  by row; of header.rows bits
  std::vector<Buffer> Finish(const Bitset& known);

 private:
  void AddRows(std::span<const uint32_t> rows);

  ScalarHeader header_;
  std::vector<int64_t> ints_;
  std::vector<double> reals_;
  std::vector<uint64_t> text_ends_{0};
  std::string texts_;
  std::vector<Box> boxes_;
  std::vector<uint32_t> list_starts_{0};
  std::vector<uint32_t> list_rows_;
  std::vector<uint32_t> dense_keys_;
  std::vector<uint32_t> dense_counts_;
  std::vector<uint64_t> dense_bits_;
};

/// Collects pairs and writes them in order.
/// \tparam Key  int64_t, double (no NaN) or a string_view that outlives the builder
template <class Key>
class PairBuilder {
 public:
  void Add(Key key, uint32_t row) { pairs_.emplace_back(key, row); }
  size_t size() const { return pairs_.size(); }
  void WriteTo(ScalarWriter& writer);

 private:
  std::vector<std::pair<Key, uint32_t>> pairs_;
};

/// The grams of texts: many rows a gram, so that each gram is kept once.
class GramBuilder {
 public:
  GramBuilder(uint16_t gram_min, uint16_t gram_max) : min_(gram_min), max_(gram_max) {}
  /// \pre rows ascend
  void Add(std::string_view text, uint32_t row);
  void WriteTo(ScalarWriter& writer) const;

 private:
  uint16_t min_;
  uint16_t max_;
  std::unordered_map<std::string, std::vector<uint32_t>> rows_;
};

/// The boxes of shapes: neighbours along a Hilbert curve, so that sixteen after one another have a
/// small box together.
class BoxBuilder {
 public:
  /// \param box  Box::Everywhere() for a shape that has none
  void Add(const Box& box, uint32_t row) { boxes_.emplace_back(box, row); }
  void WriteTo(ScalarWriter& writer) const;

 private:
  std::vector<std::pair<Box, uint32_t>> boxes_;
};

/// Calls visit(gram) for each run of `length` bytes of the text, from left to right.
template <class Visit>
void ForEachGram(std::string_view text, size_t length, Visit visit) {
  for (size_t at = 0; at + length <= text.size(); ++at) visit(text.substr(at, length));
}

}  // namespace elanus::index
