// RaBitQ: a vector is rotated at random and kept as the nearest point of a grid of `bits` bits a
// dimension, with the length that makes inner products right on average. Bit one of every
// dimension (its sign) lies apart from the others: four dimensions are one 4-bit code of the
// look-up kernels, so that 32 rows cost a look-up a part; the other bits are packed a row and
// looked at when the sign says that a row may be near.
//   product with a query:  factor * sum over d of q_d (u_d - (2^bits - 1) / 2)
// Threads: immutable; a query belongs to one thread. Source: Gao and Long 2024; Gao et al. 2025 for
// more bits.
#pragma once

#include <span>
#include <vector>

#include "index/vector/packed_codec.h"
#include "index/vector/pq4.h"
#include "index/vector/rotation.h"

namespace elanus::index {

class Rabitq {
 public:
  struct Query {
    Pq4Tables signs;
    CodecQuery rest;
    std::vector<float> rotated;
    float slack = 0;  ///< how far a row's product by signs alone may be off, times its sign factor
  };

  Rabitq() = default;
  /// \param bits  1 to 9
  Rabitq(size_t dim, int bits, uint64_t seed);

  int rest_bits() const { return bits_ - 1; }
  const Pq4& signs() const { return signs_; }
  /// Bytes of the other bits of a row and their factor; 0 when there are none.
  size_t rest_bytes() const { return RestBytesOf(dim_, bits_); }
  static size_t RestBytesOf(size_t dim, int bits) {
    return bits == 1 ? 0 : PackedBytes(dim, bits - 1) + sizeof(float);
  }
  static size_t SignBlockBytesOf(size_t dim) { return Rotation::PaddedOf(dim) * 4; }

  /// Codes one row: words[signs().parts()] for Pq4::Store, rest[rest_bytes()]. Returns the factor
  /// of the signs.
  float Encode(const float* x, uint8_t* words, uint8_t* rest) const;

  void Prepare(const float* query, Query& q) const;

  /// Products of the query with the rows places[0 .. count) of `rests`.
  /// \param sums  of all rows' signs, by place
  void FineProducts(const Query& q, const uint8_t* rests, const uint16_t* sums,
                    std::span<const uint32_t> places, float* out) const;

 private:
  size_t dim_ = 0;
  int bits_ = 1;
  Rotation rotation_;
  Pq4 signs_;
};

}  // namespace elanus::index
