// Range comparisons (range.h): 32 bytes at a time.
#include <immintrin.h>

#include "simd/range.h"

namespace elanus::simd {
namespace {

// Each type: how many values a step takes (at most 32), and the bits of those in the range.

struct I8 {
  using T = int8_t;
  static constexpr size_t kStep = 32;
  static uint64_t Bits(const T* v, T low, T high) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v));
    const __m256i out = _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(low), x),
                                        _mm256_cmpgt_epi8(x, _mm256_set1_epi8(high)));
    return static_cast<uint32_t>(~_mm256_movemask_epi8(out));
  }
};

struct I16 {
  using T = int16_t;
  static constexpr size_t kStep = 16;
  static uint64_t Bits(const T* v, T low, T high) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v));
    const __m256i out = _mm256_or_si256(_mm256_cmpgt_epi16(_mm256_set1_epi16(low), x),
                                        _mm256_cmpgt_epi16(x, _mm256_set1_epi16(high)));
    // Every second bit of the bytes' mask.
    return _pext_u32(~static_cast<uint32_t>(_mm256_movemask_epi8(out)), 0x55555555U);
  }
};

struct I32 {
  using T = int32_t;
  static constexpr size_t kStep = 8;
  static uint64_t Bits(const T* v, T low, T high) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v));
    const __m256i out = _mm256_or_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(low), x),
                                        _mm256_cmpgt_epi32(x, _mm256_set1_epi32(high)));
    return static_cast<uint32_t>(~_mm256_movemask_ps(_mm256_castsi256_ps(out))) & 0xFF;
  }
};

struct I64 {
  using T = int64_t;
  static constexpr size_t kStep = 4;
  static uint64_t Bits(const T* v, T low, T high) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(v));
    const __m256i out = _mm256_or_si256(_mm256_cmpgt_epi64(_mm256_set1_epi64x(low), x),
                                        _mm256_cmpgt_epi64(x, _mm256_set1_epi64x(high)));
    return static_cast<uint32_t>(~_mm256_movemask_pd(_mm256_castsi256_pd(out))) & 0xF;
  }
};

struct F32 {
  using T = float;
  static constexpr size_t kStep = 8;
  static uint64_t Bits(const T* v, T low, T high) {
    const __m256 x = _mm256_loadu_ps(v);
    const __m256 in = _mm256_and_ps(_mm256_cmp_ps(x, _mm256_set1_ps(low), _CMP_GE_OQ),
                                    _mm256_cmp_ps(x, _mm256_set1_ps(high), _CMP_LE_OQ));
    return static_cast<uint32_t>(_mm256_movemask_ps(in));
  }
};

struct F64 {
  using T = double;
  static constexpr size_t kStep = 4;
  static uint64_t Bits(const T* v, T low, T high) {
    const __m256d x = _mm256_loadu_pd(v);
    const __m256d in = _mm256_and_pd(_mm256_cmp_pd(x, _mm256_set1_pd(low), _CMP_GE_OQ),
                                     _mm256_cmp_pd(x, _mm256_set1_pd(high), _CMP_LE_OQ));
    return static_cast<uint32_t>(_mm256_movemask_pd(in));
  }
};

template <class Type>
void InRange(const typename Type::T* values, size_t count, typename Type::T low,
             typename Type::T high, uint64_t* out) {
  size_t first = 0;
  for (; first + 64 <= count; first += 64) {
    uint64_t word = 0;
    for (size_t i = 0; i < 64; i += Type::kStep)
      word |= Type::Bits(values + first + i, low, high) << i;
    out[first / 64] = word;
  }
  if (first == count) return;
  uint64_t word = 0;
  for (size_t i = 0; first + i < count; ++i) {
    const auto v = values[first + i];
    word |= static_cast<uint64_t>((v >= low) & (v <= high)) << i;
  }
  out[first / 64] = word;
}

}  // namespace

RangeKernels RangesAvx2() {
  return {InRange<I8>, InRange<I16>, InRange<I32>, InRange<I64>, InRange<F32>, InRange<F64>};
}

}  // namespace elanus::simd
