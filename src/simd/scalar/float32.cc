// float32 kernels in plain C++: the reference of the tests and what a CPU without AVX2 runs.
#include "simd/kernels.h"

namespace elanus::simd {
namespace {

constexpr size_t kPacked = 16;       // rows of a packed block
constexpr size_t kPartialSum = 128;  // dimensions added up before a sum joins the others

// Eight sums let the compiler use the two-wide and four-wide registers every x86-64 has.
template <class Term>
float Sum(const float* a, const float* b, size_t dim, Term term) {
  float sum[8] = {};
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    for (size_t j = 0; j < 8; ++j) sum[j] += term(a[i + j], b[i + j]);
  }
  for (; i < dim; ++i) sum[0] += term(a[i], b[i]);
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

float L2(const float* a, const float* b, size_t dim) {
  return Sum(a, b, dim, [](float x, float y) { return (x - y) * (x - y); });
}
float Ip(const float* a, const float* b, size_t dim) {
  return Sum(a, b, dim, [](float x, float y) { return x * y; });
}

using One = float (*)(const float*, const float*, size_t);

template <One kOne>
void Rows(const float* query, const float* base, size_t stride, const uint32_t* ids, size_t count,
          size_t dim, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kOne(query, base + ids[i] * stride, dim);
}

template <One kOne>
void Block(const float* query, const float* rows, size_t stride, size_t count, size_t dim,
           float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = kOne(query, rows + i * stride, dim);
}

void Pack16(const float* rows, size_t stride, size_t count, size_t dim, float* out) {
  for (size_t first = 0; first < count; first += kPacked) {
    for (size_t d = 0; d < dim; ++d) {
      for (size_t lane = 0; lane < kPacked; ++lane)
        *out++ = first + lane < count ? rows[(first + lane) * stride + d] : 0.0f;
    }
  }
}

float AddL2(float sum, float x, float y) { return sum + (x - y) * (x - y); }
float AddIp(float sum, float x, float y) { return sum + x * y; }
using Add = float (*)(float, float, float);

template <Add kAdd>
void Tile(const float* queries, size_t q_stride, size_t nq, const float* packed, size_t blocks,
          size_t dim, float* out, size_t out_stride) {
  for (size_t block = 0; block < blocks; ++block, packed += kPacked * dim) {
    for (size_t q = 0; q < nq; ++q) {
      float* to = out + q * out_stride + block * kPacked;
      for (size_t lane = 0; lane < kPacked; ++lane) to[lane] = 0;
      for (size_t from = 0; from < dim; from += kPartialSum) {
        const size_t end = dim - from < kPartialSum ? dim : from + kPartialSum;
        float sums[kPacked] = {};
        for (size_t d = from; d < end; ++d) {
          const float x = queries[q * q_stride + d];
          for (size_t lane = 0; lane < kPacked; ++lane)
            sums[lane] = kAdd(sums[lane], x, packed[d * kPacked + lane]);
        }
        for (size_t lane = 0; lane < kPacked; ++lane) to[lane] += sums[lane];
      }
    }
  }
}

template <One kOne>
void AnyRows(const void* query, const void* base, size_t stride, const uint32_t* ids, size_t count,
             size_t dim, float* out) {
  Rows<kOne>(static_cast<const float*>(query), static_cast<const float*>(base),
             stride / sizeof(float), ids, count, dim, out);
}
template <One kOne>
void AnyBlock(const void* query, const void* rows, size_t stride, size_t count, size_t dim,
              float* out) {
  Block<kOne>(static_cast<const float*>(query), static_cast<const float*>(rows),
              stride / sizeof(float), count, dim, out);
}

size_t SelectLe(const float* values, size_t count, float bound, uint32_t* out) {
  size_t n = 0;
  for (size_t i = 0; i < count; ++i) {
    out[n] = static_cast<uint32_t>(i);
    n += values[i] <= bound ? 1 : 0;
  }
  return n;
}

size_t PlaceOfLargest(const float* values, size_t count) {
  size_t place = 0;
  for (size_t i = 1; i < count; ++i) {
    if (values[i] > values[place]) place = i;
  }
  return place;
}

}  // namespace

void FillFloat32Scalar(Kernels* k) {
  k->l2 = L2;
  k->ip = Ip;
  k->l2_rows = Rows<L2>;
  k->ip_rows = Rows<Ip>;
  k->l2_block = Block<L2>;
  k->ip_block = Block<Ip>;
  k->pack16 = Pack16;
  k->l2_tile = Tile<AddL2>;
  k->ip_tile = Tile<AddIp>;
  k->place_of_largest = PlaceOfLargest;
  k->select_le = SelectLe;
  constexpr auto kElement = static_cast<size_t>(Element::kFloat32);
  k->any[kElement][static_cast<size_t>(Measure::kL2)] = {AnyRows<L2>, AnyBlock<L2>};
  k->any[kElement][static_cast<size_t>(Measure::kIp)] = {AnyRows<Ip>, AnyBlock<Ip>};
}

}  // namespace elanus::simd
