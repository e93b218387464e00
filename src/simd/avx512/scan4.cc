// 4-bit codes for AVX-512: VPSHUFB looks up four parts of sixteen rows at once, one part a lane.
// Sums are kept twice: whole bytes pairs, and their odd bytes alone, so that nothing is widened on
// the way. Source: Andre, Kermarrec and Le Scouarnec 2015.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

void PartProducts(const float* query, const float* codebooks, size_t parts, size_t part_dim,
                  float* out) {
  for (size_t part = 0; part < parts; ++part) {
    __m512 sum = _mm512_setzero_ps();
    for (size_t d = 0; d < part_dim; ++d) {
      sum = _mm512_fmadd_ps(_mm512_set1_ps(query[part * part_dim + d]),
                            _mm512_loadu_ps(codebooks + (part * part_dim + d) * 16), sum);
    }
    _mm512_storeu_ps(out + part * 16, sum);
  }
}

void QuantizeTables(const float* products, size_t parts, uint8_t* bytes, float* scale,
                    float* base) {
  float range = 0, sum = 0;
  for (size_t part = 0; part < parts; ++part) {
    const __m512 p = _mm512_loadu_ps(products + part * 16);
    const float high = _mm512_reduce_max_ps(p), low = _mm512_reduce_min_ps(p);
    range = high - low > range ? high - low : range;
    sum += high;
  }
  // The sum of all parts has to fit 16 bits.
  const size_t steps = parts > 257 ? 65535 / parts : 255;
  const auto most = static_cast<float>(steps);
  const __m512 factor = _mm512_set1_ps(range > 0 ? most / range : 0.0f);
  const __m512i limit = _mm512_set1_epi32(static_cast<int>(most));
  *scale = range / most;
  *base = -sum;
  for (size_t part = 0; part < (parts + 3) / 4 * 4; ++part) {
    auto* out = reinterpret_cast<__m128i*>(bytes + part * 16);
    if (part >= parts) {
      _mm_storeu_si128(out, _mm_setzero_si128());
      continue;
    }
    const __m512 p = _mm512_loadu_ps(products + part * 16);
    const __m512 high = _mm512_set1_ps(_mm512_reduce_max_ps(p));
    const __m512i v = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(high, p), factor));
    _mm_storeu_si128(out, _mm512_cvtepi32_epi8(_mm512_min_epi32(v, limit)));
  }
}

// The sums of 32 rows, in order.
__m512i Sums(const uint8_t* block, size_t lines, const uint8_t* tables) {
  const __m512i low = _mm512_set1_epi8(15);
  __m512i a = _mm512_setzero_si512(), a_odd = a, b = a, b_odd = a;
  for (size_t line = 0; line < lines; ++line) {
    const __m512i codes = _mm512_loadu_si512(block + line * 64);
    const __m512i table = _mm512_loadu_si512(tables + line * 64);
    const __m512i x = _mm512_shuffle_epi8(table, _mm512_and_si512(codes, low));
    const __m512i y =
        _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(codes, 4), low));
    a = _mm512_add_epi16(a, x);
    a_odd = _mm512_add_epi16(a_odd, _mm512_srli_epi16(x, 8));
    b = _mm512_add_epi16(b, y);
    b_odd = _mm512_add_epi16(b_odd, _mm512_srli_epi16(y, 8));
  }
  a = _mm512_sub_epi16(a, _mm512_slli_epi16(a_odd, 8));
  b = _mm512_sub_epi16(b, _mm512_slli_epi16(b_odd, 8));
  // The four lanes of each register, added up: lanes of the result are a, a_odd, b, b_odd.
  const __m512i aa =
      _mm512_add_epi16(_mm512_shuffle_i32x4(a, a_odd, 0x44), _mm512_shuffle_i32x4(a, a_odd, 0xEE));
  const __m512i bb =
      _mm512_add_epi16(_mm512_shuffle_i32x4(b, b_odd, 0x44), _mm512_shuffle_i32x4(b, b_odd, 0xEE));
  const __m512i sums =
      _mm512_add_epi16(_mm512_shuffle_i32x4(aa, bb, 0x88), _mm512_shuffle_i32x4(aa, bb, 0xDD));
  const __m512i order = _mm512_set_epi16(31, 23, 30, 22, 29, 21, 28, 20, 27, 19, 26, 18, 25, 17, 24,
                                         16, 15, 7, 14, 6, 13, 5, 12, 4, 11, 3, 10, 2, 9, 1, 8, 0);
  return _mm512_permutexvar_epi16(order, sums);
}

// The sums of the lowest sixteen bits of `mask`, and their places.
size_t Keep(uint32_t mask, size_t first, __m256i sums, uint32_t* places, uint16_t* values) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto those = static_cast<__mmask16>(mask);
  const auto found = static_cast<uint32_t>(__builtin_popcount(those));
  const auto front = static_cast<__mmask16>((1u << found) - 1);
  const __m512i at = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(first)));
  const __m512i kept = _mm512_maskz_compress_epi32(those, _mm512_cvtepu16_epi32(sums));
  _mm512_mask_storeu_epi32(places, front, _mm512_maskz_compress_epi32(those, at));
  _mm256_mask_storeu_epi16(values, front, _mm512_cvtepi32_epi16(kept));
  return found;
}

size_t Scan4(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables, uint16_t bound,
             uint32_t* places, uint16_t* values) {
  const __m512i limit = _mm512_set1_epi16(static_cast<int16_t>(bound));
  size_t n = 0;
  for (size_t first = 0; first < rows; first += 32, codes += lines * 64) {
    const __m512i sums = Sums(codes, lines, tables);
    uint32_t mask = _mm512_cmple_epu16_mask(sums, limit);
    if (rows - first < 32) mask &= (1u << (rows - first)) - 1;
    if (mask == 0) continue;
    n += Keep(mask, first, _mm512_castsi512_si256(sums), places + n, values + n);
    n += Keep(mask >> 16, first + 16, _mm512_extracti64x4_epi64(sums, 1), places + n, values + n);
  }
  return n;
}

void Sums4(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables, uint16_t* out) {
  for (size_t first = 0; first < rows; first += 32, codes += lines * 64)
    _mm512_storeu_si512(out + first, Sums(codes, lines, tables));
}

}  // namespace

void FillScan4Avx512(Kernels* k) {
  k->part_products = PartProducts;
  k->quantize_tables = QuantizeTables;
  k->scan4 = Scan4;
  k->sums4 = Sums4;
}

}  // namespace elanus::simd
