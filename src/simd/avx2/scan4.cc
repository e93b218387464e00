// 4-bit codes for AVX2: as avx512/scan4.cc, half a line at a time.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

void PartProducts(const float* query, const float* codebooks, size_t parts, size_t part_dim,
                  float* out) {
  for (size_t part = 0; part < parts; ++part) {
    __m256 low = _mm256_setzero_ps(), high = low;
    for (size_t d = 0; d < part_dim; ++d) {
      const __m256 q = _mm256_set1_ps(query[part * part_dim + d]);
      const float* words = codebooks + (part * part_dim + d) * 16;
      low = _mm256_fmadd_ps(q, _mm256_loadu_ps(words), low);
      high = _mm256_fmadd_ps(q, _mm256_loadu_ps(words + 8), high);
    }
    _mm256_storeu_ps(out + part * 16, low);
    _mm256_storeu_ps(out + part * 16 + 8, high);
  }
}

float Most(const float* p) {
  const __m256 v = _mm256_max_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
float Least(const float* p) {
  const __m256 v = _mm256_min_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
  __m128 m = _mm_min_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_min_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_min_ss(m, _mm_movehdup_ps(m)));
}

void QuantizeTables(const float* products, size_t parts, uint8_t* bytes, float* scale,
                    float* base) {
  float range = 0, sum = 0;
  for (size_t part = 0; part < parts; ++part) {
    const float high = Most(products + part * 16), low = Least(products + part * 16);
    range = high - low > range ? high - low : range;
    sum += high;
  }
  // The sum of all parts has to fit 16 bits.
  const size_t steps = parts > 257 ? 65535 / parts : 255;
  const auto most = static_cast<float>(steps);
  const __m256 factor = _mm256_set1_ps(range > 0 ? most / range : 0.0f);
  const __m256i limit = _mm256_set1_epi32(static_cast<int>(most));
  *scale = range / most;
  *base = -sum;
  for (size_t part = 0; part < (parts + 3) / 4 * 4; ++part) {
    for (size_t half = 0; half < 2; ++half) {
      __m256i v = _mm256_setzero_si256();
      if (part < parts) {
        const __m256 high = _mm256_set1_ps(Most(products + part * 16));
        const __m256 p = _mm256_loadu_ps(products + part * 16 + half * 8);
        v = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_sub_ps(high, p), factor));
        v = _mm256_min_epi32(v, limit);
      }
      const __m128i words =
          _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(bytes + part * 16 + half * 8),
                       _mm_packus_epi16(words, words));
    }
  }
}

__m256i Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

__m128i AddLanes(__m256i v) {
  return _mm_add_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

// The sums of 32 rows, in order.
void Sums(const uint8_t* block, size_t lines, const uint8_t* tables, uint16_t* sums) {
  const __m256i low = _mm256_set1_epi8(15);
  __m256i a = _mm256_setzero_si256(), a_odd = a, b = a, b_odd = a;
  for (size_t half = 0; half < 2 * lines; ++half) {
    const __m256i codes = Load(block + half * 32), table = Load(tables + half * 32);
    const __m256i x = _mm256_shuffle_epi8(table, _mm256_and_si256(codes, low));
    const __m256i y =
        _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(codes, 4), low));
    a = _mm256_add_epi16(a, x);
    a_odd = _mm256_add_epi16(a_odd, _mm256_srli_epi16(x, 8));
    b = _mm256_add_epi16(b, y);
    b_odd = _mm256_add_epi16(b_odd, _mm256_srli_epi16(y, 8));
  }
  const __m128i a1 = AddLanes(a_odd), b1 = AddLanes(b_odd);
  const __m128i a0 = _mm_sub_epi16(AddLanes(a), _mm_slli_epi16(a1, 8));
  const __m128i b0 = _mm_sub_epi16(AddLanes(b), _mm_slli_epi16(b1, 8));
  auto* out = reinterpret_cast<__m128i*>(sums);
  _mm_storeu_si128(out, _mm_unpacklo_epi16(a0, a1));
  _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(a0, a1));
  _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(b0, b1));
  _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(b0, b1));
}

// Bit i: values[i] <= bound, for 16 values.
uint32_t AtMost(const uint16_t* values, __m256i bound) {
  const __m256i v = Load(values);
  const __m256i in = _mm256_cmpeq_epi16(_mm256_min_epu16(v, bound), v);
  return _pext_u32(static_cast<uint32_t>(_mm256_movemask_epi8(in)), 0x55555555u);
}

size_t Scan4(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables, uint16_t bound,
             uint32_t* places, uint16_t* values) {
  const __m256i limit = _mm256_set1_epi16(static_cast<int16_t>(bound));
  size_t n = 0;
  uint16_t sums[32];
  for (size_t first = 0; first < rows; first += 32, codes += lines * 64) {
    Sums(codes, lines, tables, sums);
    uint32_t mask = AtMost(sums, limit) | AtMost(sums + 16, limit) << 16;
    if (rows - first < 32) mask &= (1u << (rows - first)) - 1;
    for (; mask != 0; mask &= mask - 1) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(mask));
      places[n] = static_cast<uint32_t>(first) + i;
      values[n++] = sums[i];
    }
  }
  return n;
}

void Sums4(const uint8_t* codes, size_t rows, size_t lines, const uint8_t* tables, uint16_t* out) {
  for (size_t first = 0; first < rows; first += 32, codes += lines * 64)
    Sums(codes, lines, tables, out + first);
}

}  // namespace

void FillScan4Avx2(Kernels* k) {
  k->part_products = PartProducts;
  k->quantize_tables = QuantizeTables;
  k->scan4 = Scan4;
  k->sums4 = Sums4;
}

}  // namespace elanus::simd
