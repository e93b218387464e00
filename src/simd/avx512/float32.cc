// float32 kernels for AVX-512. Tails go through masked loads, so no element is read outside a row.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kLane = 16;
constexpr size_t kPacked = 16;       // rows of a packed block
constexpr size_t kPartialSum = 128;  // dimensions added up before a sum joins the others

struct L2Term {
  static __m512 Add(__m512 sum, __m512 a, __m512 b) {
    const __m512 d = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(d, d, sum);
  }
};
struct IpTerm {
  static __m512 Add(__m512 sum, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, sum); }
};

__mmask16 Tail(size_t rest) { return static_cast<__mmask16>((1u << rest) - 1); }

// Sums of four registers at once: [sum(a), sum(b), sum(c), sum(d)].
__m128 Reduce4(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512 abcd =
      _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xEE));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

template <class Term>
float One(const float* a, const float* b, size_t dim) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * kLane <= dim; i += 4 * kLane) {
    s0 = Term::Add(s0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
    s1 = Term::Add(s1, _mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
    s2 = Term::Add(s2, _mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32));
    s3 = Term::Add(s3, _mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48));
  }
  for (; i + kLane <= dim; i += kLane)
    s0 = Term::Add(s0, _mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
  if (i < dim) {
    const __mmask16 m = Tail(dim - i);
    s1 = Term::Add(s1, _mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i));
  }
  return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

template <class Term>
void Four(const float* q, const float* const r[4], size_t dim, float* out) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + kLane <= dim; i += kLane) {
    const __m512 v = _mm512_loadu_ps(q + i);
    s0 = Term::Add(s0, v, _mm512_loadu_ps(r[0] + i));
    s1 = Term::Add(s1, v, _mm512_loadu_ps(r[1] + i));
    s2 = Term::Add(s2, v, _mm512_loadu_ps(r[2] + i));
    s3 = Term::Add(s3, v, _mm512_loadu_ps(r[3] + i));
  }
  if (i < dim) {
    const __mmask16 m = Tail(dim - i);
    const __m512 v = _mm512_maskz_loadu_ps(m, q + i);
    s0 = Term::Add(s0, v, _mm512_maskz_loadu_ps(m, r[0] + i));
    s1 = Term::Add(s1, v, _mm512_maskz_loadu_ps(m, r[1] + i));
    s2 = Term::Add(s2, v, _mm512_maskz_loadu_ps(m, r[2] + i));
    s3 = Term::Add(s3, v, _mm512_maskz_loadu_ps(m, r[3] + i));
  }
  _mm_storeu_ps(out, Reduce4(s0, s1, s2, s3));
}

void PrefetchRow(const float* row, size_t dim) {
  const char* p = reinterpret_cast<const char*>(row);
  size_t bytes = dim * sizeof(float);
  if (bytes > 1024) bytes = 1024;  // the hardware prefetcher follows from there
  for (size_t b = 0; b < bytes; b += 64) _mm_prefetch(p + b, _MM_HINT_T0);
}

template <class Term>
void Rows(const float* query, const float* base, size_t stride, const uint32_t* ids, size_t count,
          size_t dim, float* out) {
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < count && i < kAhead; ++i) PrefetchRow(base + ids[i] * stride, dim);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t j = i + kAhead; j < i + kAhead + 4 && j < count; ++j)
      PrefetchRow(base + ids[j] * stride, dim);
    const float* r[4] = {base + ids[i] * stride, base + ids[i + 1] * stride,
                         base + ids[i + 2] * stride, base + ids[i + 3] * stride};
    Four<Term>(query, r, dim, out + i);
  }
  for (; i < count; ++i) out[i] = One<Term>(query, base + ids[i] * stride, dim);
}

template <class Term>
void Block(const float* query, const float* rows, size_t stride, size_t count, size_t dim,
           float* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float* p = rows + i * stride;
    const float* r[4] = {p, p + stride, p + 2 * stride, p + 3 * stride};
    Four<Term>(query, r, dim, out + i);
  }
  for (; i < count; ++i) out[i] = One<Term>(query, rows + i * stride, dim);
}

// Sixteen registers of sixteen floats, turned: lane i of register j becomes lane j of register i.
void Transpose(__m512 (&r)[16]) {
  __m512 t[16];
  for (size_t i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (size_t i = 0; i < 16; i += 4) {  // columns 4 * lane + (0 .. 3) of four rows
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
  for (size_t i = 0; i < 4; ++i) {  // the quarters of each to their own registers
    const __m512 low = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    const __m512 odd = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xDD);
    const __m512 low2 = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    const __m512 odd2 = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xDD);
    t[i] = _mm512_shuffle_f32x4(low, low2, 0x88);
    t[i + 8] = _mm512_shuffle_f32x4(low, low2, 0xDD);
    t[i + 4] = _mm512_shuffle_f32x4(odd, odd2, 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(odd, odd2, 0xDD);
  }
  for (size_t i = 0; i < 16; ++i) r[i] = t[i];
}

void Pack16(const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  for (size_t first = 0; first < count; first += kPacked, out += kPacked * dim) {
    for (size_t d = 0; d < dim; d += kLane) {
      const size_t dims = dim - d < kLane ? dim - d : kLane;
      const __mmask16 m = dims == kLane ? static_cast<__mmask16>(0xFFFF) : Tail(dims);
      // Sixteen streams are too many for the hardware to follow; asking beyond the end is harmless.
      for (size_t i = 0; i < 16; ++i)
        _mm_prefetch(rows + (first + 16 + i) * stride + d, _MM_HINT_T0);
      __m512 r[16];
      for (size_t i = 0; i < 16; ++i) {
        r[i] = first + i < count ? _mm512_maskz_loadu_ps(m, rows + (first + i) * stride + d)
                                 : _mm512_setzero_ps();
      }
      Transpose(r);
      for (size_t i = 0; i < dims; ++i) _mm512_storeu_ps(out + (d + i) * kPacked, r[i]);
    }
  }
}

// Some queries by some registers of packed rows: as many sums as stay in registers. `more` adds to
// what is there.
template <class Term, size_t kQueries, size_t kRegisters>
void TilePart(const float* queries, size_t q_stride, const float* packed, size_t block_stride,
              size_t dims, bool more, float* out, size_t out_stride) {
  __m512 sums[kQueries][kRegisters];
  for (auto& row : sums) {
    for (auto& sum : row) sum = _mm512_setzero_ps();
  }
  for (size_t d = 0; d < dims; ++d) {
    __m512 rows[kRegisters];
    for (size_t j = 0; j < kRegisters; ++j)
      rows[j] = _mm512_loadu_ps(packed + j * block_stride + d * kPacked);
    for (size_t k = 0; k < kQueries; ++k) {
      const __m512 x = _mm512_set1_ps(queries[k * q_stride + d]);
      for (size_t j = 0; j < kRegisters; ++j) sums[k][j] = Term::Add(sums[k][j], x, rows[j]);
    }
  }
  for (size_t k = 0; k < kQueries; ++k) {
    for (size_t j = 0; j < kRegisters; ++j) {
      float* to = out + k * out_stride + j * kLane;
      _mm512_storeu_ps(to, more ? _mm512_add_ps(sums[k][j], _mm512_loadu_ps(to)) : sums[k][j]);
    }
  }
}

template <class Term, size_t kRegisters>
void TileRows(const float* queries, size_t q_stride, size_t nq, const float* packed, size_t dim,
              float* out, size_t out_stride) {
  for (size_t from = 0; from < dim; from += kPartialSum) {
    const size_t dims = dim - from < kPartialSum ? dim - from : kPartialSum;
    const float* rows = packed + from * kPacked;
    size_t q = 0;
    for (; q + 6 <= nq; q += 6) {
      TilePart<Term, 6, kRegisters>(queries + q * q_stride + from, q_stride, rows, dim * kPacked,
                                    dims, from != 0, out + q * out_stride, out_stride);
    }
    for (; q < nq; ++q) {
      TilePart<Term, 1, kRegisters>(queries + q * q_stride + from, q_stride, rows, dim * kPacked,
                                    dims, from != 0, out + q * out_stride, out_stride);
    }
  }
}

template <class Term>
void Tile(const float* queries, size_t q_stride, size_t nq, const float* packed, size_t blocks,
          size_t dim, float* out, size_t out_stride) {
  size_t block = 0;
  for (; block + 4 <= blocks; block += 4) {
    TileRows<Term, 4>(queries, q_stride, nq, packed + block * kPacked * dim, dim,
                      out + block * kPacked, out_stride);
  }
  for (; block < blocks; ++block) {
    TileRows<Term, 1>(queries, q_stride, nq, packed + block * kPacked * dim, dim,
                      out + block * kPacked, out_stride);
  }
}

template <class Term>
void AnyRows(const void* query, const void* base, size_t stride, const uint32_t* ids, size_t count,
             size_t dim, float* out) {
  Rows<Term>(static_cast<const float*>(query), static_cast<const float*>(base),
             stride / sizeof(float), ids, count, dim, out);
}
template <class Term>
void AnyBlock(const void* query, const void* rows, size_t stride, size_t count, size_t dim,
              float* out) {
  Block<Term>(static_cast<const float*>(query), static_cast<const float*>(rows),
              stride / sizeof(float), count, dim, out);
}

size_t SelectLe(const float* values, size_t count, float bound, uint32_t* out) {
  size_t n = 0, i = 0;
  const __m512 limit = _mm512_set1_ps(bound);
  __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; i < count; i += kLane) {
    const __mmask16 in = count - i >= kLane ? static_cast<__mmask16>(0xFFFF) : Tail(count - i);
    const __mmask16 mask =
        _mm512_mask_cmp_ps_mask(in, _mm512_maskz_loadu_ps(in, values + i), limit, _CMP_LE_OQ);
    const auto found = static_cast<uint32_t>(__builtin_popcount(mask));
    // In a register and then stored: stores of chosen lanes take a hundred cycles on some CPUs.
    _mm512_mask_storeu_epi32(out + n, static_cast<__mmask16>((1u << found) - 1),
                             _mm512_maskz_compress_epi32(mask, places));
    n += found;
    places = _mm512_add_epi32(places, _mm512_set1_epi32(kLane));
  }
  return n;
}

size_t PlaceOfLargest(const float* values, size_t count) {
  const __m512 least = _mm512_set1_ps(-__builtin_inff());
  __m512 best = least;
  for (size_t i = 0; i < count; i += kLane) {
    const __mmask16 in = count - i >= kLane ? static_cast<__mmask16>(0xFFFF) : Tail(count - i);
    best = _mm512_max_ps(best, _mm512_mask_loadu_ps(least, in, values + i));
  }
  const __m512 largest = _mm512_set1_ps(_mm512_reduce_max_ps(best));
  for (size_t i = 0; i < count; i += kLane) {
    const __mmask16 in = count - i >= kLane ? static_cast<__mmask16>(0xFFFF) : Tail(count - i);
    const uint32_t mask =
        _mm512_mask_cmp_ps_mask(in, _mm512_maskz_loadu_ps(in, values + i), largest, _CMP_EQ_OQ);
    if (mask != 0) return i + static_cast<size_t>(__builtin_ctz(mask));
  }
  return 0;
}

}  // namespace

void FillFloat32Avx512(Kernels* k) {
  k->l2 = One<L2Term>;
  k->ip = One<IpTerm>;
  k->l2_rows = Rows<L2Term>;
  k->ip_rows = Rows<IpTerm>;
  k->l2_block = Block<L2Term>;
  k->ip_block = Block<IpTerm>;
  k->pack16 = Pack16;
  k->place_of_largest = PlaceOfLargest;
  k->l2_tile = Tile<L2Term>;
  k->ip_tile = Tile<IpTerm>;
  k->select_le = SelectLe;
  constexpr auto kElement = static_cast<size_t>(Element::kFloat32);
  k->any[kElement][static_cast<size_t>(Measure::kL2)] = {AnyRows<L2Term>, AnyBlock<L2Term>};
  k->any[kElement][static_cast<size_t>(Measure::kIp)] = {AnyRows<IpTerm>, AnyBlock<IpTerm>};
}

}  // namespace elanus::simd
