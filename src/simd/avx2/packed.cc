// Packed codes and rotations for AVX2. Codes are widened to 16 bits for VPMADDWD, which cannot
// saturate here; tables stay with the plain kernel.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kDims = 64;  // of one block

__m256i Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
__m128i LoadHalf(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

// The codes of dimensions 0 .. 31 and 32 .. 63 of one block.
template <int kBits>
void Unpack(const uint8_t* block, __m256i* first, __m256i* second) {
  __m256i a = _mm256_setzero_si256(), b = a;
  if (kBits == 8) {
    *first = Load(block);
    *second = Load(block + 32);
    return;
  }
  if ((kBits & 4) != 0) {
    const __m256i v = Load(block), low = _mm256_set1_epi8(15);
    a = _mm256_and_si256(v, low);
    b = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
    block += 32;
  }
  if ((kBits & 2) != 0) {
    const __m256i v = _mm256_broadcastsi128_si256(LoadHalf(block)), low = _mm256_set1_epi8(3);
    const __m256i x = _mm256_srlv_epi64(v, _mm256_set_epi64x(2, 2, 0, 0));
    const __m256i y = _mm256_srlv_epi64(v, _mm256_set_epi64x(6, 6, 4, 4));
    a = _mm256_or_si256(_mm256_slli_epi16(a, 2), _mm256_and_si256(x, low));
    b = _mm256_or_si256(_mm256_slli_epi16(b, 2), _mm256_and_si256(y, low));
    block += 16;
  }
  if ((kBits & 1) != 0) {
    // Each byte looks at its own bit of the word.
    const __m256i which = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202,
                                            0x0101010101010101, 0x0000000000000000);
    const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201ull));
    int64_t bits;
    __builtin_memcpy(&bits, block, sizeof(bits));
    const __m256i word = _mm256_set1_epi64x(bits);
    const __m256i x = _mm256_and_si256(_mm256_shuffle_epi8(word, which), bit);
    const __m256i y = _mm256_and_si256(
        _mm256_shuffle_epi8(word, _mm256_add_epi8(which, _mm256_set1_epi8(4))), bit);
    // A bit that is set compares as -1: doubled codes minus that.
    a = _mm256_sub_epi8(_mm256_add_epi8(a, a), _mm256_cmpeq_epi8(x, bit));
    b = _mm256_sub_epi8(_mm256_add_epi8(b, b), _mm256_cmpeq_epi8(y, bit));
  }
  *first = a;
  *second = b;
}

__m256i Products(__m256i codes, const int8_t* q) {
  const __m256i low = _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(codes)),
                                        _mm256_cvtepi8_epi16(LoadHalf(q)));
  const __m256i high = _mm256_madd_epi16(_mm256_cvtepu8_epi16(_mm256_extracti128_si256(codes, 1)),
                                         _mm256_cvtepi8_epi16(LoadHalf(q + 16)));
  return _mm256_add_epi32(low, high);
}

int32_t Reduce(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

template <int kBits>
void Dots(const int8_t* query, const PackedRows& rows, const uint32_t* ids, size_t count,
          int32_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = rows.base + (ids != nullptr ? ids[i] : i) * rows.stride;
    __m256i sum = _mm256_setzero_si256();
    for (size_t b = 0; b < rows.blocks; ++b) {
      __m256i first, second;
      Unpack<kBits>(row + b * 8 * kBits, &first, &second);
      sum = _mm256_add_epi32(sum, Products(first, query + b * kDims));
      sum = _mm256_add_epi32(sum, Products(second, query + b * kDims + 32));
    }
    out[i] = Reduce(sum);
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

// 32 bytes of a row, both halves, times the query: 15 * 127 * 2 fits 16 bits.
__m256i HalfByteProducts(__m256i v, const int8_t* low, const int8_t* high) {
  const __m256i half = _mm256_set1_epi8(15);
  const __m256i a = _mm256_maddubs_epi16(_mm256_and_si256(v, half), Load(low));
  const __m256i b =
      _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(v, 4), half), Load(high));
  return _mm256_madd_epi16(_mm256_add_epi16(a, b), _mm256_set1_epi16(1));
}

int32_t HalfByteDot(const int8_t* query, const uint8_t* row, size_t lines) {
  __m256i sum = _mm256_setzero_si256();
  for (size_t line = 0; line < lines; ++line, row += 64, query += 128) {
    sum = _mm256_add_epi32(sum, HalfByteProducts(Load(row), query, query + 64));
    sum = _mm256_add_epi32(sum, HalfByteProducts(Load(row + 32), query + 32, query + 96));
  }
  return Reduce(sum);
}

void HalfByteKeys(const int8_t* query, const uint8_t* base, size_t lines, const uint32_t* ids,
                  size_t count, const HalfByteScale& scale, int32_t* out) {
  const __m128 most = _mm_set_ss(scale.most), least = _mm_set_ss(-scale.most);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = base + ids[i] * lines * 64;
    const int32_t dot = HalfByteDot(query, row, lines);
    float head[2];
    __builtin_memcpy(head, row, sizeof(head));
    const float product = static_cast<float>(2 * dot - scale.bias) * (head[0] * scale.factor);
    const __m128 value = _mm_set_ss(product + head[1] * scale.term);
    out[i] = _mm_cvtss_si32(_mm_max_ss(_mm_min_ss(value, most), least));
  }
}

size_t ScaledLe(const uint16_t* sums, const float* factors, const float* terms, size_t count,
                const ScaledSums& s, uint32_t* places, float* values) {
  const __m256 scale = _mm256_set1_ps(s.scale), offset = _mm256_set1_ps(s.offset),
               base = _mm256_set1_ps(s.base), bound = _mm256_set1_ps(s.bound);
  size_t n = 0, i = 0;
  alignas(32) float all[8];
  for (; i + 8 <= count; i += 8) {
    const __m256 x = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(LoadHalf(sums + i)));
    const __m256 product = _mm256_add_ps(offset, _mm256_mul_ps(scale, x));
    const __m256 factor = factors != nullptr ? _mm256_loadu_ps(factors + i) : _mm256_set1_ps(1);
    __m256 v = _mm256_add_ps(base, _mm256_mul_ps(factor, product));
    if (terms != nullptr) v = _mm256_add_ps(v, _mm256_loadu_ps(terms + i));
    auto mask = static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(v, bound, _CMP_LE_OQ)));
    if (mask == 0) continue;
    _mm256_store_ps(all, v);
    for (; mask != 0; mask &= mask - 1) {
      const auto j = static_cast<uint32_t>(__builtin_ctz(mask));
      places[n] = static_cast<uint32_t>(i) + j;
      values[n++] = all[j];
    }
  }
  for (; i < count; ++i) {
    const float product = s.offset + s.scale * static_cast<float>(sums[i]);
    const float factor = factors != nullptr ? factors[i] : 1.0f;
    const float value = s.base + factor * product + (terms != nullptr ? terms[i] : 0.0f);
    if (!(value <= s.bound)) continue;
    places[n] = static_cast<uint32_t>(i);
    values[n++] = value;
  }
  return n;
}

void Hadamard(float* x, size_t n) {
  for (size_t half = 1; half < n; half *= 2) {
    for (size_t i = 0; i < n; i += 2 * half) {
      size_t j = i;
      for (; half >= 8 && j < i + half; j += 8) {
        const __m256 a = _mm256_loadu_ps(x + j), b = _mm256_loadu_ps(x + j + half);
        _mm256_storeu_ps(x + j, _mm256_add_ps(a, b));
        _mm256_storeu_ps(x + j + half, _mm256_sub_ps(a, b));
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

void FillPackedAvx2(Kernels* k) {
  k->dot_packed = DotPacked;
  k->half_byte_keys = HalfByteKeys;
  k->scaled_le = ScaledLe;
  k->hadamard = Hadamard;
}

}  // namespace elanus::simd
