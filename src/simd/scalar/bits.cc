// Bitset kernels in plain C++.
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
  size_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    for (uint64_t zeros = ~words[i]; zeros != 0; zeros &= zeros - 1)
      out[n++] =
          first + static_cast<uint32_t>(64 * i) + static_cast<uint32_t>(__builtin_ctzll(zeros));
  }
  return n;
}

size_t Unseen(const uint32_t* list, size_t count, uint64_t* seen, uint32_t* out) {
  size_t n = 0;
  for (size_t i = 0; i < count && list[i] < 0x80000000u; ++i) {
    const uint32_t id = list[i];
    uint64_t& word = seen[id / 64];
    out[n] = id;
    n += ~word >> (id % 64) & 1;
    word |= uint64_t{1} << (id % 64);
  }
  return n;
}

size_t Unmarked(const uint32_t* ids, size_t count, const uint64_t* marked, uint32_t* out) {
  size_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    out[n] = ids[i];
    n += ~marked[ids[i] / 64] >> (ids[i] % 64) & 1;
  }
  return n;
}

size_t Unpack24(const uint8_t* list, size_t count, uint32_t* out) {
  for (size_t i = 0; i < count; ++i, list += 3) {
    out[i] = list[0] | uint32_t{list[1]} << 8 | uint32_t{list[2]} << 16;
    if (out[i] == 0xFFFFFF) return i;
  }
  return count;
}

size_t Unseen24(const uint8_t* list, size_t count, uint64_t* seen, uint32_t* out) {
  return Unseen(out, Unpack24(list, count, out), seen, out);
}

}  // namespace

void FillBitsScalar(Kernels* k) {
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
