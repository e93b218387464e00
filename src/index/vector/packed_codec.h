// Whole numbers of a few bits a dimension, scaled for each row by itself: x is about low + step *
// code. A query becomes int8, so that a product is one pass of VPDPBUSD over unpacked codes
// (simd/kernels.h, "PackedRows").
// A code: the packed blocks, then the row's step and low as float32. Source: the scaling of each
// vector by itself: Aguerrebere et al. 2023 (LVQ).
#pragma once

#include "index/vector/codec.h"

namespace elanus::index {

/// Bytes of `dim` packed codes.
inline size_t PackedBytes(size_t dim, int bits) {
  return (dim + 63) / 64 * 8 * static_cast<size_t>(bits);
}
/// Packs codes[64 * blocks] (each below 2^bits).
void PackCodes(const uint8_t* codes, size_t blocks, int bits, uint8_t* out);
void UnpackCodes(const uint8_t* packed, size_t blocks, int bits, uint8_t* out);

/// query as int8 in whole blocks of 64, zeros beyond: q.bytes, times q.scale about the query; q.sum
/// the sum of the query itself.
void QuantizeQuery(const float* query, size_t dim, CodecQuery& q);

class PackedCodec final : public Codec {
 public:
  PackedCodec(const CodecParams& params, size_t dim) : Codec(params, dim) {}

  size_t code_bytes() const override { return factors_at() + 2 * sizeof(float); }
  void Encode(const float* x, uint8_t* code) const override;
  void Decode(const uint8_t* code, float* x) const override;
  void Prepare(const float* query, CodecQuery& q) const override { QuantizeQuery(query, dim_, q); }
  void Products(const CodecQuery& q, const uint8_t* codes, const uint32_t* ids, size_t count,
                float* out) const override;

 private:
  size_t factors_at() const { return PackedBytes(dim_, params_.bits); }
};

}  // namespace elanus::index
