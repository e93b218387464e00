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

size_t Unseen(const uint32_t* list, size_t count, uint64_t* seen, uint32_t* out) {
  const __m512i one = _mm512_set1_epi32(1), bits = _mm512_set1_epi32(31);
  size_t n = 0;
  for (size_t i = 0; i < count; i += 16) {
    const auto lanes = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1u << (count - i)) - 1);
    const __m512i ids = _mm512_mask_loadu_epi32(_mm512_set1_epi32(-1), lanes, list + i);
    // Ids before the first one that is negative as a signed number.
    const auto ended = static_cast<uint32_t>(_mm512_movepi32_mask(ids));
    const auto valid = static_cast<__mmask16>((ended & -ended) - 1);
    const __m512i words = _mm512_mask_i32gather_epi32(_mm512_set1_epi32(-1), valid,
                                                      _mm512_srli_epi32(ids, 5), seen, 4);
    const __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(ids, bits));
    const __mmask16 fresh = _mm512_testn_epi32_mask(words, bit);
    _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi32(fresh, ids));
    // Marked one by one: two may share a word. An id that comes twice counts once.
    const size_t end = n + static_cast<size_t>(__builtin_popcount(fresh));
    for (size_t j = n; j < end; ++j) {
      const uint32_t id = out[j];
      uint64_t& word = seen[id / 64];
      out[n] = id;
      n += ~word >> (id % 64) & 1;
      word |= uint64_t{1} << (id % 64);
    }
    if (ended != 0) break;
  }
  return n;
}

}  // namespace

void FillBitsAvx512(Kernels* k) {
  k->popcount = Popcount;
  k->bits_and = And;
  k->bits_or = Or;
  k->bits_andnot = AndNot;
  k->unseen = Unseen;
}

}  // namespace elanus::simd
