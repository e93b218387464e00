// Range comparisons (range.h): plain loops.
#include "simd/range.h"

namespace elanus::simd {
namespace {

template <class T>
void InRange(const T* values, size_t count, T low, T high, uint64_t* out) {
  for (size_t first = 0; first < count; first += 64) {
    const size_t end = count - first < 64 ? count - first : 64;
    uint64_t word = 0;
    for (size_t i = 0; i < end; ++i) {
      const T v = values[first + i];
      word |= static_cast<uint64_t>((v >= low) & (v <= high)) << i;
    }
    out[first / 64] = word;
  }
}

}  // namespace

RangeKernels RangesScalar() {
  return {InRange<int8_t>,  InRange<int16_t>, InRange<int32_t>,
          InRange<int64_t>, InRange<float>,   InRange<double>};
}

}  // namespace elanus::simd
