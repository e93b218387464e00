// Bitset kernels for AVX2: the plain loops; the compiler uses 32-byte registers and POPCNT.
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

}  // namespace

void FillBitsAvx2(Kernels* k) {
  k->popcount = Popcount;
  k->bits_and = And;
  k->bits_or = Or;
  k->bits_andnot = AndNot;
}

}  // namespace elanus::simd
