// Bitset kernels for AVX-512: mostly the plain loops; the compiler uses 64-byte registers and
// VPOPCNTQ.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

size_t Popcount(const uint64_t* words, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<size_t>(__builtin_popcountll(words[i]));
  return sum;
}
void And(uint64_t* to, const uint64_t* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] &= from[i];
}
void Or(uint64_t* to, const uint64_t* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] |= from[i];
}
void AndNot(uint64_t* to, const uint64_t* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] &= ~from[i];
}

size_t ZeroBits(const uint64_t* words, size_t count, uint32_t first, uint32_t* out) {
  alignas(64) static constexpr uint8_t kPlaces[64] = {
      0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
      22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
      44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  const __m512i places = _mm512_load_si512(kPlaces);
  size_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t zeros = ~words[i];
    __m512i found = _mm512_maskz_compress_epi8(zeros, places);
    const __m512i base = _mm512_set1_epi32(static_cast<int>(first + 64 * i));
    const auto end = n + static_cast<size_t>(__builtin_popcountll(zeros));
    for (; n < end; n += 16) {  // seldom more than once where little is visible
      const __m512i some = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found));
      _mm512_storeu_si512(out + n, _mm512_add_epi32(base, some));
      found = _mm512_shuffle_i64x2(found, found, 0x39);  // the next sixteen
    }
    n = end;
  }
  return n;
}

// Of sixteen ids those with no bit in `seen`, which gets their bits; out[n] and on. Returns the new
// n.
size_t MarkUnseen(__m512i ids, __mmask16 valid, uint64_t* seen, uint32_t* out, size_t n) {
  const __m512i one = _mm512_set1_epi32(1), bits = _mm512_set1_epi32(31);
  const __m512i words =
      _mm512_mask_i32gather_epi32(_mm512_set1_epi32(-1), valid, _mm512_srli_epi32(ids, 5), seen, 4);
  const __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(ids, bits));
  const __mmask16 fresh = _mm512_testn_epi32_mask(words, bit);
  _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi32(fresh, ids));
  // Marked one by one: two may share a word. An id that comes twice counts once.
  const size_t end = n + static_cast<size_t>(__builtin_popcount(fresh));
  for (size_t i = n; i < end; ++i) {
    const uint32_t id = out[i];
    uint64_t& word = seen[id / 64];
    out[n] = id;
    n += ~word >> (id % 64) & 1;
    word |= uint64_t{1} << (id % 64);
  }
  return n;
}

// The lanes before the first one in `ended`.
__mmask16 Before(uint32_t ended) { return static_cast<__mmask16>((ended & -ended) - 1); }

size_t Unseen(const uint32_t* list, size_t count, uint64_t* seen, uint32_t* out) {
  size_t n = 0;
  for (size_t i = 0; i < count; i += 16) {
    const auto lanes = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    const __m512i ids = _mm512_mask_loadu_epi32(_mm512_set1_epi32(-1), lanes, list + i);
    const auto ended = static_cast<uint32_t>(_mm512_movepi32_mask(ids));
    n = MarkUnseen(ids, Before(ended), seen, out, n);
    if (ended != 0) break;
  }
  return n;
}

size_t Unmarked(const uint32_t* ids, size_t count, const uint64_t* marked, uint32_t* out) {
  const __m512i one = _mm512_set1_epi32(1), bits = _mm512_set1_epi32(31);
  size_t n = 0;
  for (size_t i = 0; i < count; i += 16) {
    const auto lanes = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    const __m512i some = _mm512_maskz_loadu_epi32(lanes, ids + i);
    const __m512i words = _mm512_mask_i32gather_epi32(_mm512_set1_epi32(-1), lanes,
                                                      _mm512_srli_epi32(some, 5), marked, 4);
    const __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(some, bits));
    const __mmask16 free = _mm512_testn_epi32_mask(words, bit);
    _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi32(free, some));
    n += static_cast<size_t>(__builtin_popcount(free));
  }
  return n;
}

// At most sixteen ids of three bytes; missing ones are 0xFFFFFF.
__m512i Load24(const uint8_t* list, size_t count) {
  const __m512i spread = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
  const __m512i widen =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
  const __mmask64 bytes = (uint64_t{1} << (count >= 16 ? 48 : 3 * count)) - 1;
  const __m512i packed = _mm512_mask_loadu_epi8(_mm512_set1_epi8(-1), bytes, list);
  return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(spread, packed), widen);
}
uint32_t Ended24(__m512i ids) { return _mm512_cmpeq_epi32_mask(ids, _mm512_set1_epi32(0xFFFFFF)); }

size_t Unseen24(const uint8_t* list, size_t count, uint64_t* seen, uint32_t* out) {
  size_t n = 0;
  for (size_t i = 0; i < count; i += 16) {
    const __m512i ids = Load24(list + 3 * i, count - i);
    const uint32_t ended = Ended24(ids);
    n = MarkUnseen(ids, Before(ended), seen, out, n);
    if (ended != 0) break;
  }
  return n;
}

size_t Unpack24(const uint8_t* list, size_t count, uint32_t* out) {
  for (size_t i = 0; i < count; i += 16) {
    const __m512i ids = Load24(list + 3 * i, count - i);
    _mm512_storeu_si512(out + i, ids);
    const uint32_t ended = Ended24(ids);
    if (ended != 0) return i + static_cast<size_t>(__builtin_ctz(ended));
  }
  return count;
}

}  // namespace

void FillBitsAvx512(Kernels* k) {
  k->popcount = Popcount;
  k->bits_and = And;
  k->bits_or = Or;
  k->bits_andnot = AndNot;
  k->zero_bits = ZeroBits;
  k->unseen = Unseen;
  k->unmarked = Unmarked;
  k->unseen24 = Unseen24;
  k->unpack24 = Unpack24;
}

}  // namespace elanus::simd
