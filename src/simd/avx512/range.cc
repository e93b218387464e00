// Range comparisons (range.h): 64 bytes at a time, into mask registers.
#include <immintrin.h>

#include "simd/range.h"

namespace elanus::simd {
namespace {

// Each type: how many values a register holds, and the mask of those of `wanted` in the range.

struct I8 {
  using T = int8_t;
  static constexpr size_t kStep = 64;
  static uint64_t Bits(uint64_t wanted, const T* v, T low, T high) {
    const __m512i x = _mm512_maskz_loadu_epi8(wanted, v);
    const __mmask64 above = _mm512_mask_cmpge_epi8_mask(wanted, x, _mm512_set1_epi8(low));
    return _mm512_mask_cmple_epi8_mask(above, x, _mm512_set1_epi8(high));
  }
};

struct I16 {
  using T = int16_t;
  static constexpr size_t kStep = 32;
  static uint64_t Bits(uint64_t wanted, const T* v, T low, T high) {
    const auto mask = static_cast<__mmask32>(wanted);
    const __m512i x = _mm512_maskz_loadu_epi16(mask, v);
    const __mmask32 above = _mm512_mask_cmpge_epi16_mask(mask, x, _mm512_set1_epi16(low));
    return _mm512_mask_cmple_epi16_mask(above, x, _mm512_set1_epi16(high));
  }
};

struct I32 {
  using T = int32_t;
  static constexpr size_t kStep = 16;
  static uint64_t Bits(uint64_t wanted, const T* v, T low, T high) {
    const auto mask = static_cast<__mmask16>(wanted);
    const __m512i x = _mm512_maskz_loadu_epi32(mask, v);
    const __mmask16 above = _mm512_mask_cmpge_epi32_mask(mask, x, _mm512_set1_epi32(low));
    return _mm512_mask_cmple_epi32_mask(above, x, _mm512_set1_epi32(high));
  }
};

struct I64 {
  using T = int64_t;
  static constexpr size_t kStep = 8;
  static uint64_t Bits(uint64_t wanted, const T* v, T low, T high) {
    const auto mask = static_cast<__mmask8>(wanted);
    const __m512i x = _mm512_maskz_loadu_epi64(mask, v);
    const __mmask8 above = _mm512_mask_cmpge_epi64_mask(mask, x, _mm512_set1_epi64(low));
    return _mm512_mask_cmple_epi64_mask(above, x, _mm512_set1_epi64(high));
  }
};

struct F32 {
  using T = float;
  static constexpr size_t kStep = 16;
  static uint64_t Bits(uint64_t wanted, const T* v, T low, T high) {
    const auto mask = static_cast<__mmask16>(wanted);
    const __m512 x = _mm512_maskz_loadu_ps(mask, v);
    const __mmask16 above = _mm512_mask_cmp_ps_mask(mask, x, _mm512_set1_ps(low), _CMP_GE_OQ);
    return _mm512_mask_cmp_ps_mask(above, x, _mm512_set1_ps(high), _CMP_LE_OQ);
  }
};

struct F64 {
  using T = double;
  static constexpr size_t kStep = 8;
  static uint64_t Bits(uint64_t wanted, const T* v, T low, T high) {
    const auto mask = static_cast<__mmask8>(wanted);
    const __m512d x = _mm512_maskz_loadu_pd(mask, v);
    const __mmask8 above = _mm512_mask_cmp_pd_mask(mask, x, _mm512_set1_pd(low), _CMP_GE_OQ);
    return _mm512_mask_cmp_pd_mask(above, x, _mm512_set1_pd(high), _CMP_LE_OQ);
  }
};

template <class Type>
void InRange(const typename Type::T* values, size_t count, typename Type::T low,
             typename Type::T high, uint64_t* out) {
  constexpr uint64_t kAll = ~uint64_t{0} >> (64 - Type::kStep);
  size_t first = 0;
  for (; first + 64 <= count; first += 64) {
    uint64_t word = 0;
    for (size_t i = 0; i < 64; i += Type::kStep)
      word |= Type::Bits(kAll, values + first + i, low, high) << i;
    out[first / 64] = word;
  }
  if (first == count) return;
  uint64_t word = 0;
  for (size_t i = 0; first + i < count; i += Type::kStep) {
    const size_t left = count - first - i;
    const uint64_t wanted = left >= Type::kStep ? kAll : (uint64_t{1} << left) - 1;
    word |= Type::Bits(wanted, values + first + i, low, high) << i;
  }
  out[first / 64] = word;
}

}  // namespace

RangeKernels RangesAvx512() {
  return {InRange<I8>, InRange<I16>, InRange<I32>, InRange<I64>, InRange<F32>, InRange<F64>};
}

}  // namespace elanus::simd
