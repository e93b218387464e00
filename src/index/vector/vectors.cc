#include "index/vector/vectors.h"

#include <algorithm>
#include <cstring>

namespace elanus::index {
namespace {

simd::Measure MeasureOf(Metric metric) {
  switch (metric) {
    case Metric::kL2: return simd::Measure::kL2;
    case Metric::kIp:
    case Metric::kCosine: return simd::Measure::kIp;
    case Metric::kJaccard: return simd::Measure::kJaccard;
    default: return simd::Measure::kHamming;
  }
}

}  // namespace

simd::Element ElementOf(model::DataType type) {
  switch (type) {
    case model::DataType::kFloat16Vector: return simd::Element::kFloat16;
    case model::DataType::kBFloat16Vector: return simd::Element::kBfloat16;
    case model::DataType::kInt8Vector: return simd::Element::kInt8;
    case model::DataType::kBinaryVector: return simd::Element::kBit;
    default: return simd::Element::kFloat32;
  }
}

void ToFloats(const simd::Kernels& kernels, simd::Element element, const void* row, size_t count,
              float* out) {
  switch (element) {
    case simd::Element::kFloat32: std::memcpy(out, row, count * sizeof(float)); return;
    case simd::Element::kFloat16:
      return kernels.float16_to_float(static_cast<const uint16_t*>(row), count, out);
    case simd::Element::kBfloat16:
      return kernels.bfloat16_to_float(static_cast<const uint16_t*>(row), count, out);
    case simd::Element::kInt8:
      return kernels.int8_to_float(static_cast<const int8_t*>(row), count, out);
    case simd::Element::kBit: return;
  }
}

ExactDistance::ExactDistance(Metric metric, VectorView vectors, const float* inverse_norms,
                             const void* query)
    : metric_(metric),
      vectors_(vectors),
      row_bytes_(vectors.row_bytes()),
      measure_(&simd::Active().For(vectors.element, MeasureOf(metric))),
      similarity_(metric == Metric::kIp || metric == Metric::kCosine),
      norms_(inverse_norms),
      query_(query) {
  const auto* numbers = static_cast<const float*>(query);
  if (metric == Metric::kCosine)
    query_inverse_norm_ = InverseNorm(simd::Active(), numbers, vectors.dim);
  if (vectors.element != simd::Element::kInt8) return;
  bytes_.resize(vectors.dim);
  for (size_t i = 0; i < vectors.dim; ++i)
    bytes_[i] = static_cast<int8_t>(std::clamp(std::nearbyint(numbers[i]), -128.0f, 127.0f));
  query_ = bytes_.data();
}

float ExactDistance::RowInverseNorm(size_t row) const {
  return InverseNorm(simd::Active(), FloatRows(vectors_)(row), vectors_.dim);
}

std::vector<float> PackRows(const float* rows, size_t count, size_t dim) {
  std::vector<float> packed(PackedBlocks(count) * kPackedRows * dim);
  simd::Active().pack16(rows, dim, count, dim, packed.data());
  return packed;
}

}  // namespace elanus::index
