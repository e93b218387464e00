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

// Sums of a block of 64 centres for kRows rows, all in registers.
template <int kRows>
void BlockSums(const uint8_t* rows, size_t stride, const CentreBlocks& centres, size_t block,
               __m512i (&sums)[kRows][4]) {
  const auto* start = reinterpret_cast<const __m512i*>(centres.starts + 64 * block);
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < 4; ++j) sums[r][j] = _mm512_loadu_si512(start + j);
  }
  const auto* code = reinterpret_cast<const __m512i*>(centres.codes + 256 * block * centres.groups);
  for (size_t g = 0; g < centres.groups; ++g, code += 4) {
    const __m512i c0 = _mm512_loadu_si512(code), c1 = _mm512_loadu_si512(code + 1),
                  c2 = _mm512_loadu_si512(code + 2), c3 = _mm512_loadu_si512(code + 3);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      int32_t four;
      __builtin_memcpy(&four, rows + static_cast<size_t>(r) * stride + 4 * g, sizeof(four));
      const __m512i row = _mm512_set1_epi32(four);
      sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], row, c0);
      sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], row, c1);
      sums[r][2] = _mm512_dpbusd_epi32(sums[r][2], row, c2);
      sums[r][3] = _mm512_dpbusd_epi32(sums[r][3], row, c3);
    }
  }
}

template <int kRows>
void NearestOf(const uint8_t* rows, size_t stride, const CentreBlocks& centres, uint32_t* nearest) {
  __m512i best[kRows], at[kRows], sums[kRows][4];
  for (size_t block = 0; block < centres.blocks; ++block) {
    BlockSums<kRows>(rows, stride, centres, block, sums);
    for (int r = 0; r < kRows; ++r) {
      for (int j = 0; j < 4; ++j) {
        const auto sixteen = _mm512_set1_epi32(static_cast<int>(4 * block) + j);
        if (block == 0 && j == 0) {
          best[r] = sums[r][0];
          at[r] = sixteen;
          continue;
        }
        const __mmask16 more = _mm512_cmpgt_epi32_mask(sums[r][j], best[r]);
        best[r] = _mm512_mask_mov_epi32(best[r], more, sums[r][j]);
        at[r] = _mm512_mask_mov_epi32(at[r], more, sixteen);
      }
    }
  }
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int r = 0; r < kRows; ++r) {
    const __mmask16 top =
        _mm512_cmpeq_epi32_mask(best[r], _mm512_set1_epi32(_mm512_reduce_max_epi32(best[r])));
    const __m512i centre = _mm512_add_epi32(_mm512_slli_epi32(at[r], 4), lanes);
    nearest[r] = static_cast<uint32_t>(_mm512_mask_reduce_min_epi32(top, centre));
  }
}

void Nearest(const uint8_t* rows, size_t stride, size_t count, const CentreBlocks& centres,
             uint32_t* nearest) {
  constexpr size_t kAtOnce = 6;
  size_t i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce)
    NearestOf<kAtOnce>(rows + i * stride, stride, centres, nearest + i);
  for (; i < count; ++i) NearestOf<1>(rows + i * stride, stride, centres, nearest + i);
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
  __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (size_t i = 0; i < count; i += 16) {
    const auto in = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    const __mmask16 mask =
        _mm512_mask_cmple_epi32_mask(in, _mm512_maskz_loadu_epi32(in, values + i), limit);
    const auto found = static_cast<uint32_t>(__builtin_popcount(mask));
    _mm512_mask_storeu_epi32(out + n, static_cast<__mmask16>((1u << found) - 1),
                             _mm512_maskz_compress_epi32(mask, places));
    n += found;
    places = _mm512_add_epi32(places, _mm512_set1_epi32(16));
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
  k->nearest_s8u8 = Nearest;
  k->unbias = Unbias;
  k->select_le_s32 = SelectLe;
  k->encode_s8 = Encode;
}

}  // namespace elanus::simd
