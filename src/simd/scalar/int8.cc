// int8 kernels in plain C++.
#include "simd/kernels.h"

namespace elanus::simd {
namespace {

int32_t Dot(const int8_t* query, const uint8_t* row, size_t dim) {
  int32_t sum = 0;
  for (size_t i = 0; i < dim; ++i)
    sum += static_cast<int32_t>(query[i]) * static_cast<int32_t>(row[i]);
  return sum;
}

void Rows(const int8_t* query, const uint8_t* base, size_t stride, const uint32_t* ids,
          size_t count, size_t dim, int32_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = Dot(query, base + ids[i] * stride, dim);
}

void Block(const int8_t* query, const uint8_t* rows, size_t stride, size_t count, size_t dim,
           int32_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = Dot(query, rows + i * stride, dim);
}

int32_t Product(const uint8_t* row, const CentreBlocks& centres, size_t block, size_t at) {
  int32_t sum = 0;
  for (size_t g = 0; g < centres.groups; ++g) {
    const int8_t* centre = centres.codes + ((block * centres.groups + g) * 64 + at) * 4;
    for (size_t i = 0; i < 4; ++i)
      sum += static_cast<int32_t>(centre[i]) * static_cast<int32_t>(row[4 * g + i]);
  }
  return sum;
}

void Nearest(const uint8_t* rows, size_t stride, size_t count, const CentreBlocks& centres,
             uint32_t* nearest) {
  for (size_t i = 0; i < count; ++i) {
    int32_t best = 0;
    for (size_t c = 0; c < 64 * centres.blocks; ++c) {
      const int32_t value = centres.starts[c] + Product(rows + i * stride, centres, c / 64, c % 64);
      if (c != 0 && value <= best) continue;
      best = value;
      nearest[i] = static_cast<uint32_t>(c);
    }
  }
}

int32_t Unbias(const uint8_t* row, size_t dim, int8_t* out) {
  int32_t sum = 0;
  for (size_t i = 0; i < dim; ++i) {
    out[i] = static_cast<int8_t>(row[i] ^ 0x80);
    sum += out[i];
  }
  return sum;
}

size_t SelectLe(const int32_t* values, size_t count, int32_t bound, uint32_t* out) {
  size_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    out[n] = static_cast<uint32_t>(i);
    n += values[i] <= bound ? 1 : 0;
  }
  return n;
}

void Encode(const float* x, float factor, const float* shift, size_t dim, int8_t* out) {
  for (size_t i = 0; i < dim; ++i) {
    float v = x[i] * factor - shift[i];
    v = v >= -127.0f ? (v <= 127.0f ? v : 127.0f) : -127.0f;  // NaN becomes -127 at every level
    out[i] = static_cast<int8_t>(__builtin_rintf(v));
  }
}

}  // namespace

void FillInt8Scalar(Kernels* k) {
  k->dot_s8u8 = Dot;
  k->dot_s8u8_rows = Rows;
  k->dot_s8u8_block = Block;
  k->nearest_s8u8 = Nearest;
  k->unbias = Unbias;
  k->select_le_s32 = SelectLe;
  k->encode_s8 = Encode;
}

}  // namespace elanus::simd
