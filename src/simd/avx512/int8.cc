// int8 kernels for AVX-512 VNNI: VPDPBUSD multiplies four bytes a lane and adds without saturation.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kStep = 64;

__mmask64 Tail(size_t rest) { return (1ull << rest) - 1; }

int32_t Dot(const int8_t* query, const uint8_t* row, size_t dim) {
  __m512i s0 = _mm512_setzero_si512(), s1 = s0;
  size_t i = 0;
  for (; i + 2 * kStep <= dim; i += 2 * kStep) {
    s0 = _mm512_dpbusd_epi32(s0, _mm512_loadu_si512(row + i), _mm512_loadu_si512(query + i));
    s1 = _mm512_dpbusd_epi32(s1, _mm512_loadu_si512(row + i + kStep),
                             _mm512_loadu_si512(query + i + kStep));
  }
  for (; i < dim; i += kStep) {
    const __mmask64 m = dim - i >= kStep ? ~0ull : Tail(dim - i);
    s0 = _mm512_dpbusd_epi32(s0, _mm512_maskz_loadu_epi8(m, row + i),
                             _mm512_maskz_loadu_epi8(m, query + i));
  }
  return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

__m128i Reduce4(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i abcd =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

void Four(const int8_t* q, const uint8_t* const r[4], size_t dim, int32_t* out) {
  __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + kStep <= dim; i += kStep) {
    const __m512i v = _mm512_loadu_si512(q + i);
    s0 = _mm512_dpbusd_epi32(s0, _mm512_loadu_si512(r[0] + i), v);
    s1 = _mm512_dpbusd_epi32(s1, _mm512_loadu_si512(r[1] + i), v);
    s2 = _mm512_dpbusd_epi32(s2, _mm512_loadu_si512(r[2] + i), v);
    s3 = _mm512_dpbusd_epi32(s3, _mm512_loadu_si512(r[3] + i), v);
  }
  if (i < dim) {
    const __mmask64 m = Tail(dim - i);
    const __m512i v = _mm512_maskz_loadu_epi8(m, q + i);
    s0 = _mm512_dpbusd_epi32(s0, _mm512_maskz_loadu_epi8(m, r[0] + i), v);
    s1 = _mm512_dpbusd_epi32(s1, _mm512_maskz_loadu_epi8(m, r[1] + i), v);
    s2 = _mm512_dpbusd_epi32(s2, _mm512_maskz_loadu_epi8(m, r[2] + i), v);
    s3 = _mm512_dpbusd_epi32(s3, _mm512_maskz_loadu_epi8(m, r[3] + i), v);
  }
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), Reduce4(s0, s1, s2, s3));
}

void PrefetchRow(const uint8_t* row, size_t dim) {
  if (dim > 768) dim = 768;  // the hardware prefetcher follows from there
  for (size_t b = 0; b < dim; b += 64)
    _mm_prefetch(reinterpret_cast<const char*>(row + b), _MM_HINT_T0);
}

void Rows(const int8_t* query, const uint8_t* base, size_t stride, const uint32_t* ids,
          size_t count, size_t dim, int32_t* out) {
  constexpr size_t kAhead = 32;
  for (size_t i = 0; i < count && i < kAhead; ++i) PrefetchRow(base + ids[i] * stride, dim);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t j = i + kAhead; j < i + kAhead + 4 && j < count; ++j)
      PrefetchRow(base + ids[j] * stride, dim);
    const uint8_t* r[4] = {base + ids[i] * stride, base + ids[i + 1] * stride,
                           base + ids[i + 2] * stride, base + ids[i + 3] * stride};
    Four(query, r, dim, out + i);
  }
  for (; i < count; ++i) out[i] = Dot(query, base + ids[i] * stride, dim);
}

void Block(const int8_t* query, const uint8_t* rows, size_t stride, size_t count, size_t dim,
           int32_t* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint8_t* p = rows + i * stride;
    const uint8_t* r[4] = {p, p + stride, p + 2 * stride, p + 3 * stride};
    Four(query, r, dim, out + i);
  }
  for (; i < count; ++i) out[i] = Dot(query, rows + i * stride, dim);
}

int32_t Unbias(const uint8_t* row, size_t dim, int8_t* out) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80)), ones = _mm512_set1_epi8(1);
  __m512i sums = _mm512_setzero_si512();
  for (size_t i = 0; i < dim; i += kStep) {
    const __mmask64 m = dim - i >= kStep ? ~0ull : Tail(dim - i);
    const __m512i v = _mm512_maskz_loadu_epi8(m, row + i);
    sums = _mm512_dpbusd_epi32(sums, v, ones);
    _mm512_mask_storeu_epi8(out + i, m, _mm512_xor_si512(v, flip));
  }
  return _mm512_reduce_add_epi32(sums) - 128 * static_cast<int32_t>(dim);
}

size_t SelectLe(const int32_t* values, size_t count, int32_t bound, uint32_t* out) {
  size_t n = 0;
  const __m512i limit = _mm512_set1_epi32(bound);
  for (size_t i = 0; i < count; i += 16) {
    const auto in = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    auto mask = static_cast<uint32_t>(
        _mm512_mask_cmple_epi32_mask(in, _mm512_maskz_loadu_epi32(in, values + i), limit));
    for (; mask != 0; mask &= mask - 1)
      out[n++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(__builtin_ctz(mask));
  }
  return n;
}

void Encode(const float* x, float factor, const float* shift, size_t dim, int8_t* out) {
  const __m512 low = _mm512_set1_ps(-127.0f), high = _mm512_set1_ps(127.0f),
               f = _mm512_set1_ps(factor);
  for (size_t i = 0; i < dim; i += 16) {
    const auto m = static_cast<__mmask16>(dim - i >= 16 ? 0xFFFF : (1u << (dim - i)) - 1);
    // Product and difference rounded each, as the scalar form does: the codes must not depend on
    // the CPU.
    const __m512 v = _mm512_sub_ps(_mm512_mul_ps(_mm512_maskz_loadu_ps(m, x + i), f),
                                   _mm512_maskz_loadu_ps(m, shift + i));
    const __m512i n = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(v, low), high));
    _mm512_mask_cvtepi32_storeu_epi8(out + i, m, n);
  }
}

}  // namespace

void FillInt8Avx512(Kernels* k) {
  k->dot_s8u8 = Dot;
  k->dot_s8u8_rows = Rows;
  k->dot_s8u8_block = Block;
  k->unbias = Unbias;
  k->select_le_s32 = SelectLe;
  k->encode_s8 = Encode;
}

}  // namespace elanus::simd
