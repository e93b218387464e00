// Which values of a column lie in a closed range, as bits: what every comparison of a number with a
// literal comes down to. A table of its own beside kernels.h, so that vector code does not depend
// on it. Holds: the same bits at every level. Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/kernels.h"

namespace elanus::simd {

/// Bit i % 64 of out[i / 64] = low <= values[i] <= high, for `count` values; the last word's bits
/// beyond them are 0. A NaN is in no range.
template <class T>
using RangeKernel = void (*)(const T* values, size_t count, T low, T high, uint64_t* out);

struct RangeKernels {
  RangeKernel<int8_t> i8;
  RangeKernel<int16_t> i16;
  RangeKernel<int32_t> i32;
  RangeKernel<int64_t> i64;
  RangeKernel<float> f32;
  RangeKernel<double> f64;

  RangeKernel<int8_t> For(int8_t) const { return i8; }
  RangeKernel<int16_t> For(int16_t) const { return i16; }
  RangeKernel<int32_t> For(int32_t) const { return i32; }
  RangeKernel<int64_t> For(int64_t) const { return i64; }
  RangeKernel<float> For(float) const { return f32; }
  RangeKernel<double> For(double) const { return f64; }
};

/// Those of a level; that of Active() is what the machine can do.
const RangeKernels& RangesAt(Level level);

RangeKernels RangesScalar();
RangeKernels RangesAvx2();
RangeKernels RangesAvx512();

}  // namespace elanus::simd
