// int8 kernels for AVX2: widened to 16 bits and multiplied by VPMADDWD, which cannot saturate here
// (|sum of two products| <= 2 * 255 * 127), unlike VPMADDUBSW.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kStep = 16;

__m256i QueryAt(const int8_t* q) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(q)));
}
__m256i RowAt(const uint8_t* r) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(r)));
}

int32_t Reduce(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

int32_t Dot(const int8_t* query, const uint8_t* row, size_t dim) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  size_t i = 0;
  for (; i + 2 * kStep <= dim; i += 2 * kStep) {
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(QueryAt(query + i), RowAt(row + i)));
    s1 =
        _mm256_add_epi32(s1, _mm256_madd_epi16(QueryAt(query + i + kStep), RowAt(row + i + kStep)));
  }
  int32_t sum = 0;
  for (; i < dim; ++i) sum += static_cast<int32_t>(query[i]) * static_cast<int32_t>(row[i]);
  return sum + Reduce(_mm256_add_epi32(s0, s1));
}

void Four(const int8_t* q, const uint8_t* const r[4], size_t dim, int32_t* out) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + kStep <= dim; i += kStep) {
    const __m256i v = QueryAt(q + i);
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(v, RowAt(r[0] + i)));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(v, RowAt(r[1] + i)));
    s2 = _mm256_add_epi32(s2, _mm256_madd_epi16(v, RowAt(r[2] + i)));
    s3 = _mm256_add_epi32(s3, _mm256_madd_epi16(v, RowAt(r[3] + i)));
  }
  out[0] = Reduce(s0);
  out[1] = Reduce(s1);
  out[2] = Reduce(s2);
  out[3] = Reduce(s3);
  for (; i < dim; ++i) {
    for (size_t j = 0; j < 4; ++j)
      out[j] += static_cast<int32_t>(q[i]) * static_cast<int32_t>(r[j][i]);
  }
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

// Sixteen centres' sums for one row. Four centres of a group are 16 numbers of 16 bits.
void SixteenSums(const uint8_t* row, const int8_t* codes, size_t groups, const int32_t* start,
                 int32_t* out) {
  __m256i sums[4] = {};
  for (size_t g = 0; g < groups; ++g, codes += 256) {
    int32_t four;
    __builtin_memcpy(&four, row + 4 * g, sizeof(four));
    const __m256i wide = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
    for (int j = 0; j < 4; ++j)
      sums[j] = _mm256_add_epi32(sums[j], _mm256_madd_epi16(QueryAt(codes + 16 * j), wide));
  }
  for (int j = 0; j < 4; ++j) {
    const __m128i pairs =
        _mm_hadd_epi32(_mm256_castsi256_si128(sums[j]), _mm256_extracti128_si256(sums[j], 1));
    const __m128i from = _mm_loadu_si128(reinterpret_cast<const __m128i*>(start + 4 * j));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * j), _mm_add_epi32(pairs, from));
  }
}

void Nearest(const uint8_t* rows, size_t stride, size_t count, const CentreBlocks& centres,
             uint32_t* nearest) {
  int32_t sums[16];
  for (size_t i = 0; i < count; ++i) {
    int32_t best = 0;
    for (size_t c = 0; c < 64 * centres.blocks; c += 16) {
      const int8_t* codes = centres.codes + 256 * (c / 64) * centres.groups + 4 * (c % 64);
      SixteenSums(rows + i * stride, codes, centres.groups, centres.starts + c, sums);
      for (size_t j = 0; j < 16; ++j) {
        if (c + j != 0 && sums[j] <= best) continue;
        best = sums[j];
        nearest[i] = static_cast<uint32_t>(c + j);
      }
    }
  }
}

int32_t Unbias(const uint8_t* row, size_t dim, int8_t* out) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(0x80));
  __m256i sums = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 32 <= dim; i += 32) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + i));
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(v, _mm256_setzero_si256()));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_xor_si256(v, flip));
  }
  int32_t sum =
      Reduce(sums) - 128 * static_cast<int32_t>(i);  // upper halves of the 64-bit sums are 0
  for (; i < dim; ++i) {
    out[i] = static_cast<int8_t>(row[i] ^ 0x80);
    sum += out[i];
  }
  return sum;
}

size_t SelectLe(const int32_t* values, size_t count, int32_t bound, uint32_t* out) {
  size_t n = 0, i = 0;
  const __m256i limit = _mm256_set1_epi32(bound);
  for (; i + 8 <= count; i += 8) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + i));
    auto mask = ~static_cast<uint32_t>(
                    _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(v, limit)))) &
                0xFFu;
    for (; mask != 0; mask &= mask - 1)
      out[n++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(__builtin_ctz(mask));
  }
  for (; i < count; ++i) {
    if (values[i] <= bound) out[n++] = static_cast<uint32_t>(i);
  }
  return n;
}

void Encode(const float* x, float factor, const float* shift, size_t dim, int8_t* out) {
  const __m256 low = _mm256_set1_ps(-127.0f), high = _mm256_set1_ps(127.0f),
               f = _mm256_set1_ps(factor);
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    // Product and difference rounded each, as the scalar form does: the codes must not depend on
    // the CPU.
    const __m256 v =
        _mm256_sub_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), f), _mm256_loadu_ps(shift + i));
    const __m256i n = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(v, low), high));
    const __m128i w = _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + i), _mm_packs_epi16(w, w));
  }
  for (; i < dim; ++i) {
    const __m128 p = _mm_mul_ss(_mm_set_ss(x[i]), _mm_set_ss(factor));
    const __m128 v = _mm_min_ss(
        _mm_max_ss(_mm_sub_ss(p, _mm_set_ss(shift[i])), _mm_set_ss(-127.0f)), _mm_set_ss(127.0f));
    out[i] = static_cast<int8_t>(_mm_cvtss_si32(v));
  }
}

}  // namespace

void FillInt8Avx2(Kernels* k) {
  k->dot_s8u8 = Dot;
  k->dot_s8u8_rows = Rows;
  k->dot_s8u8_block = Block;
  k->nearest_s8u8 = Nearest;
  k->unbias = Unbias;
  k->select_le_s32 = SelectLe;
  k->encode_s8 = Encode;
}

}  // namespace elanus::simd
