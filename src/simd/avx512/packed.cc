// Packed codes and rotations for AVX-512: a block becomes 64 bytes by shifts and masks alone, then
// VPDPBUSD as for whole bytes. Byte tables are looked up whole; tables of floats stay with the
// plain kernel: a gather is no faster.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kDims = 64;  // of one block

template <int kBits>
__m512i Unpack(const uint8_t* block) {
  if (kBits == 8) return _mm512_loadu_si512(block);
  __m512i v = _mm512_setzero_si512();
  if ((kBits & 4) != 0) {
    const __m512i x =
        _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block)));
    const __m512i shifts = _mm512_set_epi64(4, 4, 4, 4, 0, 0, 0, 0);
    v = _mm512_and_si512(_mm512_srlv_epi64(x, shifts), _mm512_set1_epi8(15));
    block += 32;
  }
  if ((kBits & 2) != 0) {
    const __m512i x =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block)));
    const __m512i shifts = _mm512_set_epi64(6, 6, 4, 4, 2, 2, 0, 0);
    const __m512i two = _mm512_and_si512(_mm512_srlv_epi64(x, shifts), _mm512_set1_epi8(3));
    v = _mm512_or_si512(_mm512_slli_epi16(v, 2), two);
    block += 16;
  }
  if ((kBits & 1) != 0) {
    uint64_t bits;
    __builtin_memcpy(&bits, block, sizeof(bits));
    v = _mm512_add_epi8(v, v);
    v = _mm512_mask_add_epi8(v, bits, v, _mm512_set1_epi8(1));
  }
  return v;
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

template <int kBits>
void Dots(const int8_t* query, const PackedRows& rows, const uint32_t* ids, size_t count,
          int32_t* out) {
  constexpr size_t kStep = 8 * kBits;
  const auto row_at = [&](size_t i) {
    return rows.base + (ids != nullptr ? ids[i] : i) * rows.stride;
  };
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const uint8_t *a = row_at(i), *b = row_at(i + 1), *c = row_at(i + 2), *d = row_at(i + 3);
    __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
    for (size_t block = 0; block < rows.blocks; ++block) {
      const __m512i q = _mm512_loadu_si512(query + block * kDims);
      const size_t at = block * kStep;
      s0 = _mm512_dpbusd_epi32(s0, Unpack<kBits>(a + at), q);
      s1 = _mm512_dpbusd_epi32(s1, Unpack<kBits>(b + at), q);
      s2 = _mm512_dpbusd_epi32(s2, Unpack<kBits>(c + at), q);
      s3 = _mm512_dpbusd_epi32(s3, Unpack<kBits>(d + at), q);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), Reduce4(s0, s1, s2, s3));
  }
  for (; i < count; ++i) {
    const uint8_t* row = row_at(i);
    __m512i sum = _mm512_setzero_si512();
    for (size_t block = 0; block < rows.blocks; ++block) {
      sum = _mm512_dpbusd_epi32(sum, Unpack<kBits>(row + block * kStep),
                                _mm512_loadu_si512(query + block * kDims));
    }
    out[i] = _mm512_reduce_add_epi32(sum);
  }
}

void DotPacked(const int8_t* query, const PackedRows& rows, const uint32_t* ids, size_t count,
               int32_t* out) {
  switch (rows.bits) {
    case 1: return Dots<1>(query, rows, ids, count, out);
    case 2: return Dots<2>(query, rows, ids, count, out);
    case 3: return Dots<3>(query, rows, ids, count, out);
    case 4: return Dots<4>(query, rows, ids, count, out);
    case 5: return Dots<5>(query, rows, ids, count, out);
    case 6: return Dots<6>(query, rows, ids, count, out);
    case 7: return Dots<7>(query, rows, ids, count, out);
    default: return Dots<8>(query, rows, ids, count, out);
  }
}

// Both halves of a line of each of four rows, times the query.
void AddLines(const uint8_t* const rows[4], size_t at, const int8_t* query, __m512i sums[4]) {
  const __m512i half = _mm512_set1_epi8(15);
  const __m512i low = _mm512_loadu_si512(query), high = _mm512_loadu_si512(query + 64);
  for (int r = 0; r < 4; ++r) {
    const __m512i v = _mm512_loadu_si512(rows[r] + at);
    sums[r] = _mm512_dpbusd_epi32(sums[r], _mm512_and_si512(v, half), low);
    sums[r] = _mm512_dpbusd_epi32(sums[r], _mm512_and_si512(_mm512_srli_epi16(v, 4), half), high);
  }
}

void HalfByteKeys(const int8_t* query, const uint8_t* base, size_t lines, const uint32_t* ids,
                  size_t count, const HalfByteScale& scale, int32_t* out) {
  const __m128i bias = _mm_set1_epi32(scale.bias);
  const __m128 factor = _mm_set1_ps(scale.factor), term = _mm_set1_ps(scale.term),
               most = _mm_set1_ps(scale.most), least = _mm_set1_ps(-scale.most);
  const size_t stride = lines * 64;
  for (size_t i = 0; i < count; i += 4) {
    const uint8_t* rows[4];
    for (size_t r = 0; r < 4; ++r) rows[r] = base + ids[i + r < count ? i + r : i] * stride;
    __m512i sums[4] = {};
    for (size_t line = 0; line < lines; ++line) AddLines(rows, line * 64, query + line * 128, sums);
    const __m128i dots = Reduce4(sums[0], sums[1], sums[2], sums[3]);
    // The rows' floats, transposed.
    const auto head = [&](int r) {
      return _mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows[r])));
    };
    const __m128 a = _mm_unpacklo_ps(head(0), head(1)), b = _mm_unpacklo_ps(head(2), head(3));
    const __m128 factors = _mm_movelh_ps(a, b), terms = _mm_movehl_ps(b, a);
    const __m128 centred = _mm_cvtepi32_ps(_mm_sub_epi32(_mm_add_epi32(dots, dots), bias));
    const __m128 value =
        _mm_add_ps(_mm_mul_ps(centred, _mm_mul_ps(factors, factor)), _mm_mul_ps(terms, term));
    const __m128i keys = _mm_cvtps_epi32(_mm_max_ps(_mm_min_ps(value, most), least));
    const auto in = static_cast<__mmask8>(count - i >= 4 ? 15 : (1u << (count - i)) - 1);
    _mm_mask_storeu_epi32(out + i, in, keys);
  }
}

size_t ScaledLe(const uint16_t* sums, const float* factors, const float* terms, size_t count,
                const ScaledSums& s, uint32_t* places, float* values) {
  const __m512 scale = _mm512_set1_ps(s.scale), offset = _mm512_set1_ps(s.offset),
               base = _mm512_set1_ps(s.base), bound = _mm512_set1_ps(s.bound);
  size_t n = 0;
  alignas(64) float all[16];
  for (size_t i = 0; i < count; i += 16) {
    const auto in = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    const __m512 x =
        _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(in, sums + i)));
    const __m512 product = _mm512_add_ps(offset, _mm512_mul_ps(scale, x));
    const __m512 factor =
        factors != nullptr ? _mm512_maskz_loadu_ps(in, factors + i) : _mm512_set1_ps(1.0f);
    __m512 v = _mm512_add_ps(base, _mm512_mul_ps(factor, product));
    if (terms != nullptr) v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(in, terms + i));
    auto mask = static_cast<uint32_t>(_mm512_mask_cmp_ps_mask(in, v, bound, _CMP_LE_OQ));
    if (mask == 0) continue;
    _mm512_store_ps(all, v);
    for (; mask != 0; mask &= mask - 1) {
      const auto j = static_cast<uint32_t>(__builtin_ctz(mask));
      places[n] = static_cast<uint32_t>(i) + j;
      values[n++] = all[j];
    }
  }
  return n;
}

// The sums of kBlocks blocks of 64 rows. VPERMI2B looks 64 bytes up in 128 entries at once; the
// codes' top bits choose between the halves of a table. Even and odd bytes are summed apart, as
// in scan4.cc.
template <int kBlocks>
void SumsOf(const uint8_t* codes, size_t parts, const uint8_t* tables, uint16_t* out) {
  __m512i all[kBlocks], odd[kBlocks];
  for (int b = 0; b < kBlocks; ++b) all[b] = odd[b] = _mm512_setzero_si512();
  for (size_t part = 0; part < parts; ++part, tables += 256) {
    const __m512i t0 = _mm512_loadu_si512(tables), t1 = _mm512_loadu_si512(tables + 64),
                  t2 = _mm512_loadu_si512(tables + 128), t3 = _mm512_loadu_si512(tables + 192);
    for (int b = 0; b < kBlocks; ++b) {
      const __m512i c = _mm512_loadu_si512(codes + (static_cast<size_t>(b) * parts + part) * 64);
      const __m512i x =
          _mm512_mask_blend_epi8(_mm512_movepi8_mask(c), _mm512_permutex2var_epi8(t0, c, t1),
                                 _mm512_permutex2var_epi8(t2, c, t3));
      all[b] = _mm512_add_epi16(all[b], x);
      odd[b] = _mm512_add_epi16(odd[b], _mm512_srli_epi16(x, 8));
    }
  }
  const __m512i first = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40,
                                         8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
  for (int b = 0; b < kBlocks; ++b) {
    const __m512i even = _mm512_sub_epi16(all[b], _mm512_slli_epi16(odd[b], 8));
    _mm512_storeu_si512(out + 64 * b, _mm512_permutex2var_epi16(even, first, odd[b]));
    _mm512_storeu_si512(out + 64 * b + 32, _mm512_permutex2var_epi16(even, second, odd[b]));
  }
}

void Sums8(const uint8_t* codes, size_t rows, size_t parts, const uint8_t* tables, uint16_t* out) {
  size_t blocks = (rows + 63) / 64;
  for (; blocks >= 2; blocks -= 2, codes += parts * 128, out += 128)
    SumsOf<2>(codes, parts, tables, out);
  if (blocks != 0) SumsOf<1>(codes, parts, tables, out);
}

void Hadamard(float* x, size_t n) {
  for (size_t half = 1; half < n; half *= 2) {
    for (size_t i = 0; i < n; i += 2 * half) {
      size_t j = i;
      for (; half >= 16 && j < i + half; j += 16) {
        const __m512 a = _mm512_loadu_ps(x + j), b = _mm512_loadu_ps(x + j + half);
        _mm512_storeu_ps(x + j, _mm512_add_ps(a, b));
        _mm512_storeu_ps(x + j + half, _mm512_sub_ps(a, b));
      }
      for (; j < i + half; ++j) {
        const float a = x[j], b = x[j + half];
        x[j] = a + b;
        x[j + half] = a - b;
      }
    }
  }
}

}  // namespace

void FillPackedAvx512(Kernels* k) {
  k->dot_packed = DotPacked;
  k->half_byte_keys = HalfByteKeys;
  k->scaled_le = ScaledLe;
  k->hadamard = Hadamard;
  k->sums8 = Sums8;
}

}  // namespace elanus::simd
