// Rows of 16-bit floats, int8 and bits for AVX-512. Tails go through masked loads, so no byte is
// read outside a row. 16-bit floats are widened and multiplied in float32: a scan waits for memory,
// and VDPBF16PS, which drops denormals, would not make it faster.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

// A Measure here: made from the query once a call; Acc, Add(acc, row, i, mask) for the elements
// from i on, Done(acc). kStep elements a step; the mask has one bit an element.

struct Float16 {
  static __m512 At(const void* row, size_t i, __mmask16 m) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, static_cast<const uint16_t*>(row) + i));
  }
};
struct Bfloat16 {
  static __m512 At(const void* row, size_t i, __mmask16 m) {
    const __m256i x = _mm256_maskz_loadu_epi16(m, static_cast<const uint16_t*>(row) + i);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
  }
};

template <class E, bool kL2>
struct Halves {
  static constexpr size_t kStep = 16, kRowBytes = 2;
  using Acc = __m512;
  Halves(const void* query, size_t) : query(static_cast<const float*>(query)) {}
  static size_t Length(size_t dim) { return dim; }
  static Acc Zero() { return _mm512_setzero_ps(); }
  Acc Add(Acc acc, const void* row, size_t i, uint64_t mask) const {
    const auto m = static_cast<__mmask16>(mask);
    const __m512 q = _mm512_maskz_loadu_ps(m, query + i), r = E::At(row, i, m);
    if (!kL2) return _mm512_fmadd_ps(q, r, acc);
    const __m512 d = _mm512_sub_ps(q, r);
    return _mm512_fmadd_ps(d, d, acc);
  }
  float Done(Acc acc) const { return _mm512_reduce_add_ps(acc); }
  const float* query;
};

struct ByteL2 {
  static constexpr size_t kStep = 32, kRowBytes = 1;
  using Acc = __m512i;
  ByteL2(const void* query, size_t) : query(static_cast<const int8_t*>(query)) {}
  static size_t Length(size_t dim) { return dim; }
  static Acc Zero() { return _mm512_setzero_si512(); }
  Acc Add(Acc acc, const void* row, size_t i, uint64_t mask) const {
    const auto m = static_cast<__mmask32>(mask);
    const __m512i d = _mm512_sub_epi16(At(query, i, m), At(row, i, m));
    return _mm512_dpwssd_epi32(acc, d, d);
  }
  static __m512i At(const void* p, size_t i, __mmask32 m) {
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(m, static_cast<const int8_t*>(p) + i));
  }
  float Done(Acc acc) const { return static_cast<float>(_mm512_reduce_add_epi32(acc)); }
  const int8_t* query;
};

// VPDPBUSD wants one unsigned side: rows are read as x + 128, and 128 * sum(query) taken off.
struct ByteIp {
  static constexpr size_t kStep = 64, kRowBytes = 1;
  using Acc = __m512i;
  ByteIp(const void* q, size_t dim) : query(static_cast<const int8_t*>(q)) {
    __m512i sums = _mm512_setzero_si512();
    const __m512i ones = _mm512_set1_epi8(1);
    for (size_t i = 0; i < dim; i += kStep) {
      const __mmask64 m = dim - i >= kStep ? ~0ull : (1ull << (dim - i)) - 1;
      sums = _mm512_dpbusd_epi32(sums, ones, _mm512_maskz_loadu_epi8(m, query + i));
    }
    bias = 128 * _mm512_reduce_add_epi32(sums);
  }
  static size_t Length(size_t dim) { return dim; }
  static Acc Zero() { return _mm512_setzero_si512(); }
  Acc Add(Acc acc, const void* row, size_t i, uint64_t m) const {
    const __m512i r = _mm512_maskz_loadu_epi8(m, static_cast<const int8_t*>(row) + i);
    return _mm512_dpbusd_epi32(acc, _mm512_xor_si512(r, _mm512_set1_epi8(static_cast<char>(0x80))),
                               _mm512_maskz_loadu_epi8(m, query + i));
  }
  float Done(Acc acc) const { return static_cast<float>(_mm512_reduce_add_epi32(acc) - bias); }
  const int8_t* query;
  int32_t bias;
};

struct Hamming {
  static constexpr size_t kStep = 64, kRowBytes = 1;
  using Acc = __m512i;
  Hamming(const void* query, size_t) : query(static_cast<const uint8_t*>(query)) {}
  static size_t Length(size_t dim) { return (dim + 7) / 8; }
  static Acc Zero() { return _mm512_setzero_si512(); }
  Acc Add(Acc acc, const void* row, size_t i, uint64_t m) const {
    const __m512i x =
        _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, query + i),
                         _mm512_maskz_loadu_epi8(m, static_cast<const uint8_t*>(row) + i));
    return _mm512_add_epi64(acc, _mm512_popcnt_epi64(x));
  }
  float Done(Acc acc) const { return static_cast<float>(_mm512_reduce_add_epi64(acc)); }
  const uint8_t* query;
};

struct Jaccard {
  static constexpr size_t kStep = 64, kRowBytes = 1;
  struct Acc {
    __m512i differ, either;
  };
  Jaccard(const void* query, size_t) : query(static_cast<const uint8_t*>(query)) {}
  static size_t Length(size_t dim) { return (dim + 7) / 8; }
  static Acc Zero() { return {_mm512_setzero_si512(), _mm512_setzero_si512()}; }
  Acc Add(Acc acc, const void* row, size_t i, uint64_t m) const {
    const __m512i a = _mm512_maskz_loadu_epi8(m, query + i),
                  b = _mm512_maskz_loadu_epi8(m, static_cast<const uint8_t*>(row) + i);
    return {_mm512_add_epi64(acc.differ, _mm512_popcnt_epi64(_mm512_xor_si512(a, b))),
            _mm512_add_epi64(acc.either, _mm512_popcnt_epi64(_mm512_or_si512(a, b)))};
  }
  float Done(Acc acc) const {
    const int64_t either = _mm512_reduce_add_epi64(acc.either);
    if (either == 0) return 1.0f;
    return static_cast<float>(_mm512_reduce_add_epi64(acc.differ)) / static_cast<float>(either);
  }
  const uint8_t* query;
};

template <class M>
uint64_t Whole() {
  return M::kStep == 64 ? ~0ull : (1ull << (M::kStep % 64)) - 1;
}

template <class M, size_t kRows>
void Together(const M& measure, const uint8_t* const* r, size_t length, float* out) {
  typename M::Acc acc[kRows];
  for (auto& a : acc) a = M::Zero();
  size_t i = 0;
  for (; i + M::kStep <= length; i += M::kStep) {
    for (size_t j = 0; j < kRows; ++j) acc[j] = measure.Add(acc[j], r[j], i, Whole<M>());
  }
  if (i < length) {
    const uint64_t tail = (1ull << (length - i)) - 1;
    for (size_t j = 0; j < kRows; ++j) acc[j] = measure.Add(acc[j], r[j], i, tail);
  }
  for (size_t j = 0; j < kRows; ++j) out[j] = measure.Done(acc[j]);
}

void PrefetchRow(const uint8_t* row, size_t bytes) {
  if (bytes > 1024) bytes = 1024;  // the hardware prefetcher follows from there
  for (size_t b = 0; b < bytes; b += 64)
    _mm_prefetch(reinterpret_cast<const char*>(row + b), _MM_HINT_T0);
}

template <class M>
void Rows(const void* query, const void* base, size_t stride, const uint32_t* ids, size_t count,
          size_t dim, float* out) {
  constexpr size_t kAhead = 8;
  const M measure(query, dim);
  const size_t length = M::Length(dim), bytes = length * M::kRowBytes;
  const auto* rows = static_cast<const uint8_t*>(base);
  for (size_t i = 0; i < count && i < kAhead; ++i) PrefetchRow(rows + ids[i] * stride, bytes);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t j = i + kAhead; j < i + kAhead + 4 && j < count; ++j)
      PrefetchRow(rows + ids[j] * stride, bytes);
    const uint8_t* r[4] = {rows + ids[i] * stride, rows + ids[i + 1] * stride,
                           rows + ids[i + 2] * stride, rows + ids[i + 3] * stride};
    Together<M, 4>(measure, r, length, out + i);
  }
  for (; i < count; ++i) {
    const uint8_t* r[1] = {rows + ids[i] * stride};
    Together<M, 1>(measure, r, length, out + i);
  }
}

template <class M>
void Block(const void* query, const void* base, size_t stride, size_t count, size_t dim,
           float* out) {
  const M measure(query, dim);
  const size_t length = M::Length(dim);
  const auto* p = static_cast<const uint8_t*>(base);
  size_t i = 0;
  for (; i + 4 <= count; i += 4, p += 4 * stride) {
    const uint8_t* r[4] = {p, p + stride, p + 2 * stride, p + 3 * stride};
    Together<M, 4>(measure, r, length, out + i);
  }
  for (; i < count; ++i, p += stride) Together<M, 1>(measure, &p, length, out + i);
}

template <class M>
void Fill(Kernels* k, Element element, Measure measure) {
  k->any[static_cast<size_t>(element)][static_cast<size_t>(measure)] = {Rows<M>, Block<M>};
}

__mmask16 Mask(size_t rest) {
  return static_cast<__mmask16>(rest >= 16 ? 0xFFFF : (1u << rest) - 1);
}

template <class E>
void Widen(const uint16_t* x, size_t count, float* out) {
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 m = Mask(count - i);
    _mm512_mask_storeu_ps(out + i, m, E::At(x, i, m));
  }
}

void WidenBytes(const int8_t* x, size_t count, float* out) {
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 m = Mask(count - i);
    const __m512i wide = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(m, x + i));
    _mm512_mask_storeu_ps(out + i, m, _mm512_cvtepi32_ps(wide));
  }
}

void ToFloat16(const float* x, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 m = Mask(count - i);
    _mm256_mask_storeu_epi16(out + i, m,
                             _mm512_cvtps_ph(_mm512_maskz_loadu_ps(m, x + i),
                                             _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
}

void ToBfloat16(const float* x, size_t count, uint16_t* out) {
  const __m512i one = _mm512_set1_epi32(1), half = _mm512_set1_epi32(0x7FFF);
  for (size_t i = 0; i < count; i += 16) {
    const __mmask16 m = Mask(count - i);
    const __m512 v = _mm512_maskz_loadu_ps(m, x + i);
    const __m512i bits = _mm512_castps_si512(v), high = _mm512_srli_epi32(bits, 16);
    const __m512i rounded = _mm512_srli_epi32(
        _mm512_add_epi32(bits, _mm512_add_epi32(half, _mm512_and_si512(high, one))), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    _mm256_mask_storeu_epi16(out + i, m,
                             _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, quiet)));
  }
}

}  // namespace

void FillElementsAvx512(Kernels* k) {
  Fill<Halves<Float16, true>>(k, Element::kFloat16, Measure::kL2);
  Fill<Halves<Float16, false>>(k, Element::kFloat16, Measure::kIp);
  Fill<Halves<Bfloat16, true>>(k, Element::kBfloat16, Measure::kL2);
  Fill<Halves<Bfloat16, false>>(k, Element::kBfloat16, Measure::kIp);
  Fill<ByteL2>(k, Element::kInt8, Measure::kL2);
  Fill<ByteIp>(k, Element::kInt8, Measure::kIp);
  Fill<Hamming>(k, Element::kBit, Measure::kHamming);
  Fill<Jaccard>(k, Element::kBit, Measure::kJaccard);
  k->float16_to_float = Widen<Float16>;
  k->bfloat16_to_float = Widen<Bfloat16>;
  k->int8_to_float = WidenBytes;
  k->float_to_float16 = ToFloat16;
  k->float_to_bfloat16 = ToBfloat16;
}

}  // namespace elanus::simd
