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
  k->unbias = Unbias;
  k->select_le_s32 = SelectLe;
  k->encode_s8 = Encode;
}

}  // namespace elanus::simd
