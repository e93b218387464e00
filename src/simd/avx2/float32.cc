// float32 kernels for AVX2 with FMA. Tails go through a masked load, so no element is read outside
// a row.
#include <immintrin.h>

#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kLane = 8;
constexpr size_t kPacked = 16;       // rows of a packed block
constexpr size_t kPartialSum = 128;  // dimensions added up before a sum joins the others
alignas(32) constexpr int32_t kTailMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                               0,  0,  0,  0,  0,  0,  0,  0};

struct L2Term {
  static __m256 Add(__m256 sum, __m256 a, __m256 b) {
    const __m256 d = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(d, d, sum);
  }
};
struct IpTerm {
  static __m256 Add(__m256 sum, __m256 a, __m256 b) { return _mm256_fmadd_ps(a, b, sum); }
};

__m256i Tail(size_t rest) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kTailMask + kLane - rest));
}

float Reduce(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

template <class Term>
float One(const float* a, const float* b, size_t dim) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * kLane <= dim; i += 4 * kLane) {
    s0 = Term::Add(s0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    s1 = Term::Add(s1, _mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
    s2 = Term::Add(s2, _mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16));
    s3 = Term::Add(s3, _mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24));
  }
  for (; i + kLane <= dim; i += kLane)
    s0 = Term::Add(s0, _mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
  if (i < dim) {
    const __m256i m = Tail(dim - i);
    s1 = Term::Add(s1, _mm256_maskload_ps(a + i, m), _mm256_maskload_ps(b + i, m));
  }
  return Reduce(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
}

template <class Term>
void Four(const float* q, const float* const r[4], size_t dim, float* out) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + kLane <= dim; i += kLane) {
    const __m256 v = _mm256_loadu_ps(q + i);
    s0 = Term::Add(s0, v, _mm256_loadu_ps(r[0] + i));
    s1 = Term::Add(s1, v, _mm256_loadu_ps(r[1] + i));
    s2 = Term::Add(s2, v, _mm256_loadu_ps(r[2] + i));
    s3 = Term::Add(s3, v, _mm256_loadu_ps(r[3] + i));
  }
  if (i < dim) {
    const __m256i m = Tail(dim - i);
    const __m256 v = _mm256_maskload_ps(q + i, m);
    s0 = Term::Add(s0, v, _mm256_maskload_ps(r[0] + i, m));
    s1 = Term::Add(s1, v, _mm256_maskload_ps(r[1] + i, m));
    s2 = Term::Add(s2, v, _mm256_maskload_ps(r[2] + i, m));
    s3 = Term::Add(s3, v, _mm256_maskload_ps(r[3] + i, m));
  }
  out[0] = Reduce(s0);
  out[1] = Reduce(s1);
  out[2] = Reduce(s2);
  out[3] = Reduce(s3);
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

// Some queries by the two registers of packed rows: as many sums as stay in registers. `more` adds
// to what is there.
template <class Term, size_t kQueries>
void TilePart(const float* queries, size_t q_stride, const float* packed, size_t dims, bool more,
              float* out, size_t out_stride) {
  __m256 sums[kQueries][2];
  for (auto& row : sums) {
    for (auto& sum : row) sum = _mm256_setzero_ps();
  }
  for (size_t d = 0; d < dims; ++d) {
    __m256 rows[2];
    for (size_t j = 0; j < 2; ++j) rows[j] = _mm256_loadu_ps(packed + j * kLane + d * kPacked);
    for (size_t k = 0; k < kQueries; ++k) {
      const __m256 x = _mm256_set1_ps(queries[k * q_stride + d]);
      for (size_t j = 0; j < 2; ++j) sums[k][j] = Term::Add(sums[k][j], x, rows[j]);
    }
  }
  for (size_t k = 0; k < kQueries; ++k) {
    for (size_t j = 0; j < 2; ++j) {
      float* to = out + k * out_stride + j * kLane;
      _mm256_storeu_ps(to, more ? _mm256_add_ps(sums[k][j], _mm256_loadu_ps(to)) : sums[k][j]);
    }
  }
}

template <class Term>
void Tile(const float* queries, size_t q_stride, size_t nq, const float* packed, size_t blocks,
          size_t dim, float* out, size_t out_stride) {
  for (size_t block = 0; block < blocks; ++block, packed += kPacked * dim, out += kPacked) {
    for (size_t from = 0; from < dim; from += kPartialSum) {
      const size_t dims = dim - from < kPartialSum ? dim - from : kPartialSum;
      const float* rows = packed + from * kPacked;
      size_t q = 0;
      for (; q + 6 <= nq; q += 6) {
        TilePart<Term, 6>(queries + q * q_stride + from, q_stride, rows, dims, from != 0,
                          out + q * out_stride, out_stride);
      }
      for (; q < nq; ++q) {
        TilePart<Term, 1>(queries + q * q_stride + from, q_stride, rows, dims, from != 0,
                          out + q * out_stride, out_stride);
      }
    }
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
  const __m256 limit = _mm256_set1_ps(bound);
  for (; i + kLane <= count; i += kLane) {
    auto mask = static_cast<uint32_t>(
        _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + i), limit, _CMP_LE_OQ)));
    for (; mask != 0; mask &= mask - 1)
      out[n++] = static_cast<uint32_t>(i) + static_cast<uint32_t>(__builtin_ctz(mask));
  }
  for (; i < count; ++i) {
    if (values[i] <= bound) out[n++] = static_cast<uint32_t>(i);
  }
  return n;
}

}  // namespace

void FillFloat32Avx2(Kernels* k) {
  k->l2 = One<L2Term>;
  k->ip = One<IpTerm>;
  k->l2_rows = Rows<L2Term>;
  k->ip_rows = Rows<IpTerm>;
  k->l2_block = Block<L2Term>;
  k->ip_block = Block<IpTerm>;
  k->l2_tile = Tile<L2Term>;
  k->ip_tile = Tile<IpTerm>;
  k->select_le = SelectLe;
  constexpr auto kElement = static_cast<size_t>(Element::kFloat32);
  k->any[kElement][static_cast<size_t>(Measure::kL2)] = {AnyRows<L2Term>, AnyBlock<L2Term>};
  k->any[kElement][static_cast<size_t>(Measure::kIp)] = {AnyRows<IpTerm>, AnyBlock<IpTerm>};
}

}  // namespace elanus::simd
