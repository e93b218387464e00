// Rows of 16-bit floats, int8 and bits for AVX2 with F16C and POPCNT. The last, incomplete step of
// a row is read through a zeroed copy, so no byte is read outside it.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

// A Measure here: Acc, Add(acc, query, row) for kStep elements, Done(acc).

__m128i Load16(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

struct Float16 {
  static __m256 At(const void* row) { return _mm256_cvtph_ps(Load16(row)); }
};
struct Bfloat16 {
  static __m256 At(const void* row) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(Load16(row)), 16));
  }
};

float Reduce(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

template <class E, bool kL2>
struct Halves {
  static constexpr size_t kStep = 8, kRowBytes = 2, kQueryBytes = 4;
  using Acc = __m256;
  static size_t Length(size_t dim) { return dim; }
  static Acc Zero() { return _mm256_setzero_ps(); }
  static Acc Add(Acc acc, const void* query, const void* row) {
    const __m256 q = _mm256_loadu_ps(static_cast<const float*>(query)), r = E::At(row);
    if (!kL2) return _mm256_fmadd_ps(q, r, acc);
    const __m256 d = _mm256_sub_ps(q, r);
    return _mm256_fmadd_ps(d, d, acc);
  }
  static float Done(Acc acc) { return Reduce(acc); }
};

template <bool kL2>
struct Bytes {
  static constexpr size_t kStep = 16, kRowBytes = 1, kQueryBytes = 1;
  using Acc = __m256i;
  static size_t Length(size_t dim) { return dim; }
  static Acc Zero() { return _mm256_setzero_si256(); }
  static Acc Add(Acc acc, const void* query, const void* row) {
    const __m256i q = _mm256_cvtepi8_epi16(Load16(query)), r = _mm256_cvtepi8_epi16(Load16(row));
    if (!kL2) return _mm256_add_epi32(acc, _mm256_madd_epi16(q, r));
    const __m256i d = _mm256_sub_epi16(q, r);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(d, d));
  }
  static float Done(Acc acc) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(acc), _mm256_extracti128_si256(acc, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    return static_cast<float>(_mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1))));
  }
};

template <bool kJaccard>
struct Bits {
  static constexpr size_t kStep = 8, kRowBytes = 1, kQueryBytes = 1;
  struct Acc {
    long long differ, either;
  };
  static size_t Length(size_t dim) { return (dim + 7) / 8; }
  static Acc Zero() { return {0, 0}; }
  static Acc Add(Acc acc, const void* query, const void* row) {
    unsigned long long a, b;
    __builtin_memcpy(&a, query, 8);
    __builtin_memcpy(&b, row, 8);
    acc.differ += __builtin_popcountll(a ^ b);
    if (kJaccard) acc.either += __builtin_popcountll(a | b);
    return acc;
  }
  static float Done(Acc acc) {
    if (!kJaccard) return static_cast<float>(acc.differ);
    if (acc.either == 0) return 1.0f;
    return static_cast<float>(acc.differ) / static_cast<float>(acc.either);
  }
};

template <class M, size_t kRows>
void Together(const uint8_t* q, const uint8_t* const* r, size_t length, float* out) {
  typename M::Acc acc[kRows];
  for (auto& a : acc) a = M::Zero();
  size_t i = 0;
  for (; i + M::kStep <= length; i += M::kStep) {
    for (size_t j = 0; j < kRows; ++j)
      acc[j] = M::Add(acc[j], q + i * M::kQueryBytes, r[j] + i * M::kRowBytes);
  }
  if (i < length) {
    uint8_t query[M::kStep * M::kQueryBytes] = {};
    __builtin_memcpy(query, q + i * M::kQueryBytes, (length - i) * M::kQueryBytes);
    for (size_t j = 0; j < kRows; ++j) {
      uint8_t row[M::kStep * M::kRowBytes] = {};
      __builtin_memcpy(row, r[j] + i * M::kRowBytes, (length - i) * M::kRowBytes);
      acc[j] = M::Add(acc[j], query, row);
    }
  }
  for (size_t j = 0; j < kRows; ++j) out[j] = M::Done(acc[j]);
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
  const size_t length = M::Length(dim), bytes = length * M::kRowBytes;
  const auto* q = static_cast<const uint8_t*>(query);
  const auto* rows = static_cast<const uint8_t*>(base);
  for (size_t i = 0; i < count && i < kAhead; ++i) PrefetchRow(rows + ids[i] * stride, bytes);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t j = i + kAhead; j < i + kAhead + 4 && j < count; ++j)
      PrefetchRow(rows + ids[j] * stride, bytes);
    const uint8_t* r[4] = {rows + ids[i] * stride, rows + ids[i + 1] * stride,
                           rows + ids[i + 2] * stride, rows + ids[i + 3] * stride};
    Together<M, 4>(q, r, length, out + i);
  }
  for (; i < count; ++i) {
    const uint8_t* r[1] = {rows + ids[i] * stride};
    Together<M, 1>(q, r, length, out + i);
  }
}

template <class M>
void Block(const void* query, const void* base, size_t stride, size_t count, size_t dim,
           float* out) {
  const size_t length = M::Length(dim);
  const auto* q = static_cast<const uint8_t*>(query);
  const auto* p = static_cast<const uint8_t*>(base);
  size_t i = 0;
  for (; i + 4 <= count; i += 4, p += 4 * stride) {
    const uint8_t* r[4] = {p, p + stride, p + 2 * stride, p + 3 * stride};
    Together<M, 4>(q, r, length, out + i);
  }
  for (; i < count; ++i, p += stride) Together<M, 1>(q, &p, length, out + i);
}

template <class M>
void Fill(Kernels* k, Element element, Measure measure) {
  k->any[static_cast<size_t>(element)][static_cast<size_t>(measure)] = {Rows<M>, Block<M>};
}

template <class E>
void Widen(const uint16_t* x, size_t count, float* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, E::At(x + i));
  if (i == count) return;
  uint16_t rest[8] = {};
  float wide[8];
  __builtin_memcpy(rest, x + i, (count - i) * sizeof(*x));
  _mm256_storeu_ps(wide, E::At(rest));
  __builtin_memcpy(out + i, wide, (count - i) * sizeof(*out));
}

void WidenBytes(const int8_t* x, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = x[i];
}

void ToFloat16(const float* x, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; i += 8) {
    const size_t n = count - i < 8 ? count - i : 8;
    float wide[8] = {};
    __builtin_memcpy(wide, x + i, n * sizeof(*x));
    const __m128i half =
        _mm256_cvtps_ph(_mm256_loadu_ps(wide), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __builtin_memcpy(out + i, &half, n * sizeof(*out));
  }
}

void ToBfloat16(const float* x, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    __builtin_memcpy(&bits, x + i, sizeof(bits));
    const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    out[i] =
        static_cast<uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? (bits >> 16 | 0x40) : rounded);
  }
}

}  // namespace

void FillElementsAvx2(Kernels* k) {
  Fill<Halves<Float16, true>>(k, Element::kFloat16, Measure::kL2);
  Fill<Halves<Float16, false>>(k, Element::kFloat16, Measure::kIp);
  Fill<Halves<Bfloat16, true>>(k, Element::kBfloat16, Measure::kL2);
  Fill<Halves<Bfloat16, false>>(k, Element::kBfloat16, Measure::kIp);
  Fill<Bytes<true>>(k, Element::kInt8, Measure::kL2);
  Fill<Bytes<false>>(k, Element::kInt8, Measure::kIp);
  Fill<Bits<false>>(k, Element::kBit, Measure::kHamming);
  Fill<Bits<true>>(k, Element::kBit, Measure::kJaccard);
  k->float16_to_float = Widen<Float16>;
  k->bfloat16_to_float = Widen<Bfloat16>;
  k->int8_to_float = WidenBytes;
  k->float_to_float16 = ToFloat16;
  k->float_to_bfloat16 = ToBfloat16;
}

}  // namespace elanus::simd
