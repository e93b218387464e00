// The 4-bit product codec: a row is cut into parts of `part_dim` dimensions, each kept as the
// number of the nearest of 16 words. A query becomes one table a part, so that a row costs a
// look-up a part, 32 rows at a time (simd/kernels.h, "4-bit codes"). Holds: tables are bytes, small
// when a word is near; the sum of a row's entries, times `scale`, plus `base`, is -(query . row) up
// to rounding. Threads: immutable after training. Source: Jegou, Douze and Schmid 2011; Andre,
// Kermarrec and Le Scouarnec 2015; the loss that weighs errors along the row: Guo et al. 2020.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/vector/vectors.h"

namespace elanus::index {

/// What a query needs to scan; keeps its memory between queries.
struct Pq4Tables {
  std::vector<uint8_t> bytes;  // [lines * 4 parts][16]
  std::vector<float> products;
  std::vector<float> query;
  float scale = 0;
  float base = 0;
};

class Pq4 {
 public:
  static constexpr size_t kWords = 16;
  static constexpr size_t kBlockRows = 32;

  Pq4() = default;
  /// \param codebooks  float[parts][part_dim][16]; dimensions past dim in the last part are zero
  Pq4(size_t dim, size_t part_dim, std::vector<float> codebooks);

  /// \param rows  float[n][dim], what is to be coded; n >= 1
  static Pq4 Train(std::span<const float> rows, size_t dim, size_t part_dim, uint64_t seed);

  static size_t PartsOf(size_t dim, size_t part_dim) { return (dim + part_dim - 1) / part_dim; }
  static size_t BlockBytesOf(size_t dim, size_t part_dim) {
    return (PartsOf(dim, part_dim) + 3) / 4 * 64;
  }

  size_t part_dim() const { return part_dim_; }
  size_t parts() const { return parts_; }
  size_t lines() const { return (parts_ + 3) / 4; }
  size_t block_bytes() const { return lines() * 64; }
  const std::vector<float>& codebooks() const { return codebooks_; }

  /// Chooses words for one row: out[parts].
  /// \param along   float[dim], unit length, or null
  /// \param weight  how much more an error along `along` counts than one across, >= 1
  void Encode(const float* row, const float* along, float weight, uint8_t* out) const;

  /// Puts a row's words at place `place` of blocks that begin at `blocks`.
  void Store(const uint8_t* words, size_t place, uint8_t* blocks) const;

  void MakeTables(const float* query, Pq4Tables& tables) const;

 private:
  size_t dim_ = 0;
  size_t part_dim_ = 0;
  size_t parts_ = 0;
  std::vector<float> codebooks_;
};

}  // namespace elanus::index
