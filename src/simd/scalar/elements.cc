// Rows of 16-bit floats, int8 and bits in plain C++, and the conversions.
#include <cstring>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

float BitsToFloat(uint32_t bits) {
  float f;
  std::memcpy(&f, &bits, sizeof(f));
  return f;
}
uint32_t FloatToBits(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, sizeof(bits));
  return bits;
}

float FromBfloat16(uint16_t x) { return BitsToFloat(static_cast<uint32_t>(x) << 16); }

float FromFloat16(uint16_t x) {
  const uint32_t sign = (x & 0x8000u) << 16, exponent = x >> 10 & 31, fraction = x & 1023u;
  if (exponent == 31) return BitsToFloat(sign | 0x7F800000u | fraction << 13);
  // Below the normal range a half is fraction * 2^-24.
  const float size = exponent == 0 ? static_cast<float>(fraction) * 0x1p-24f
                                   : BitsToFloat((exponent + 112) << 23 | fraction << 13);
  return sign != 0 ? -size : size;
}

uint16_t ToBfloat16(float f) {
  const uint32_t bits = FloatToBits(f);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

uint16_t ToFloat16(float f) {
  const uint32_t bits = FloatToBits(f), size = bits & 0x7FFFFFFFu;
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  if (size > 0x7F800000u) return static_cast<uint16_t>(sign | 0x7E00u | (size >> 13 & 0x3FFu));
  if (size >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);
  if (size < 0x38800000u) {  // below 2^-14: rounded by an addition whose last bit is worth 2^-24
    const float rounded = BitsToFloat(size) + 0.5f;
    return static_cast<uint16_t>(sign | (FloatToBits(rounded) - 0x3F000000u));
  }
  return static_cast<uint16_t>(sign | ((size - 0x38000000u + 0xFFF + (size >> 13 & 1)) >> 13));
}

template <float (*kFrom)(uint16_t)>
struct Halves {
  using Row = uint16_t;
  using Query = float;
  static float At(Row x) { return kFrom(x); }
};
struct Bytes {
  using Row = int8_t;
  using Query = int8_t;
  static int32_t At(Row x) { return x; }
};

struct L2Term {
  template <class T>
  static T Of(T a, T b) {
    return (a - b) * (a - b);
  }
};
struct IpTerm {
  template <class T>
  static T Of(T a, T b) {
    return a * b;
  }
};

/// Element i of a vector at any address: rows lie at odd ones where a stride is odd.
template <class T>
T ElementAt(const void* vector, size_t i) {
  T element;
  std::memcpy(&element, static_cast<const uint8_t*>(vector) + i * sizeof(T), sizeof(T));
  return element;
}

template <class E, class Term>
struct Numbers {
  using Sum = decltype(E::At({}));
  static Sum TermAt(const void* query, const void* row, size_t i) {
    return Term::Of(static_cast<Sum>(ElementAt<typename E::Query>(query, i)),
                    E::At(ElementAt<typename E::Row>(row, i)));
  }
  static float One(const void* query, const void* row, size_t dim) {
    Sum sum[8] = {};
    size_t i = 0;
    for (; i + 8 <= dim; i += 8) {
      for (size_t j = 0; j < 8; ++j) sum[j] += TermAt(query, row, i + j);
    }
    for (; i < dim; ++i) sum[0] += TermAt(query, row, i);
    return static_cast<float>(((sum[0] + sum[4]) + (sum[1] + sum[5])) +
                              ((sum[2] + sum[6]) + (sum[3] + sum[7])));
  }
};

uint64_t WordAt(const uint8_t* p, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, p, bytes < 8 ? bytes : 8);
  return word;
}

template <bool kJaccard>
struct Bits {
  static float One(const void* query, const void* row, size_t dim) {
    const auto* q = static_cast<const uint8_t*>(query);
    const auto* r = static_cast<const uint8_t*>(row);
    const size_t bytes = (dim + 7) / 8;
    int64_t differ = 0, either = 0;
    for (size_t i = 0; i < bytes; i += 8) {
      const uint64_t a = WordAt(q + i, bytes - i), b = WordAt(r + i, bytes - i);
      differ += __builtin_popcountll(a ^ b);
      if (kJaccard) either += __builtin_popcountll(a | b);
    }
    if (!kJaccard) return static_cast<float>(differ);
    return either == 0 ? 1.0f : static_cast<float>(differ) / static_cast<float>(either);
  }
};

template <class M>
void Rows(const void* query, const void* base, size_t stride, const uint32_t* ids, size_t count,
          size_t dim, float* out) {
  const auto* bytes = static_cast<const uint8_t*>(base);
  for (size_t i = 0; i < count; ++i) out[i] = M::One(query, bytes + ids[i] * stride, dim);
}
template <class M>
void Block(const void* query, const void* rows, size_t stride, size_t count, size_t dim,
           float* out) {
  const auto* bytes = static_cast<const uint8_t*>(rows);
  for (size_t i = 0; i < count; ++i) out[i] = M::One(query, bytes + i * stride, dim);
}

template <class M>
void Fill(Kernels* k, Element element, Measure measure) {
  k->any[static_cast<size_t>(element)][static_cast<size_t>(measure)] = {Rows<M>, Block<M>};
}

template <float (*kFrom)(uint16_t)>
void Widen(const uint16_t* x, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kFrom(x[i]);
}
template <uint16_t (*kTo)(float)>
void Narrow(const float* x, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kTo(x[i]);
}
void WidenBytes(const int8_t* x, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = x[i];
}

}  // namespace

void FillElementsScalar(Kernels* k) {
  Fill<Numbers<Halves<FromFloat16>, L2Term>>(k, Element::kFloat16, Measure::kL2);
  Fill<Numbers<Halves<FromFloat16>, IpTerm>>(k, Element::kFloat16, Measure::kIp);
  Fill<Numbers<Halves<FromBfloat16>, L2Term>>(k, Element::kBfloat16, Measure::kL2);
  Fill<Numbers<Halves<FromBfloat16>, IpTerm>>(k, Element::kBfloat16, Measure::kIp);
  Fill<Numbers<Bytes, L2Term>>(k, Element::kInt8, Measure::kL2);
  Fill<Numbers<Bytes, IpTerm>>(k, Element::kInt8, Measure::kIp);
  Fill<Bits<false>>(k, Element::kBit, Measure::kHamming);
  Fill<Bits<true>>(k, Element::kBit, Measure::kJaccard);
  k->float16_to_float = Widen<FromFloat16>;
  k->bfloat16_to_float = Widen<FromBfloat16>;
  k->int8_to_float = WidenBytes;
  k->float_to_float16 = Narrow<ToFloat16>;
  k->float_to_bfloat16 = Narrow<ToBfloat16>;
}

}  // namespace elanus::simd
