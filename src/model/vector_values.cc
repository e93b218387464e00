#include "model/vector_values.h"

#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace elanus::model {
namespace {

constexpr uint32_t kHalfInfinity = 0x7c00;

// Both exponents are moved to the float's place; the multiplication corrects their biases, of
// subnormal numbers too.
float FromHalf(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffU;
  const uint32_t shifted = magnitude << 13;
  const uint32_t finite = std::bit_cast<uint32_t>(std::bit_cast<float>(shifted) * 0x1p112F);
  const uint32_t bits = magnitude >= kHalfInfinity ? shifted | 0x7f800000U : finite;
  return std::bit_cast<float>(bits | (half & 0x8000U) << 16);
}

uint16_t ToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000U;
  const uint32_t magnitude = bits & 0x7fffffffU;
  uint32_t half;
  if (magnitude > 0x7f800000U) {
    half = kHalfInfinity | 0x200U;  // NaN
  } else if (magnitude >= 0x477ff000U) {
    half = kHalfInfinity;  // 65520 and more round to infinity
  } else if (magnitude < 0x38800000U) {
    // Subnormal in a half: adding 0.5 puts its last bit where the float's last bit is, and rounds.
    half = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
  } else {
    half = (magnitude - 0x38000000U + 0xfffU + (magnitude >> 13 & 1)) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

float FromBrain(uint16_t brain) { return std::bit_cast<float>(uint32_t{brain} << 16); }

uint16_t ToBrain(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40U);
  return static_cast<uint16_t>((bits + 0x7fffU + (bits >> 16 & 1)) >> 16);
}

template <class From, class Convert>
void Widen(const char* elements, size_t count, float* out, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    From element;
    std::memcpy(&element, elements + i * sizeof(From), sizeof(From));
    out[i] = convert(element);
  }
}

template <class Convert>
void Narrow(const float* values, size_t count, char* out, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    const uint16_t element = convert(values[i]);
    std::memcpy(out + i * sizeof(element), &element, sizeof(element));
  }
}

}  // namespace

void DenseToFloats(DataType type, const char* elements, size_t count, float* out) {
  if (count == 0) return;  // of no elements there may be no address, which memcpy does not allow
  switch (type) {
    case DataType::kFloatVector: std::memcpy(out, elements, count * sizeof(float)); return;
    case DataType::kFloat16Vector: return Widen<uint16_t>(elements, count, out, FromHalf);
    case DataType::kBFloat16Vector: return Widen<uint16_t>(elements, count, out, FromBrain);
    case DataType::kInt8Vector:
      return Widen<int8_t>(elements, count, out, [](int8_t v) { return static_cast<float>(v); });
    default: ELANUS_CHECK(false);
  }
}

void FloatsToDense(DataType type, const float* values, size_t count, char* out) {
  if (count == 0) return;
  switch (type) {
    case DataType::kFloatVector: std::memcpy(out, values, count * sizeof(float)); return;
    case DataType::kFloat16Vector: return Narrow(values, count, out, ToHalf);
    case DataType::kBFloat16Vector: return Narrow(values, count, out, ToBrain);
    default: ELANUS_CHECK(false);
  }
}

SparseElement SparseAt(std::string_view row, size_t i) {
  SparseElement element;
  std::memcpy(&element, row.data() + i * sizeof(element), sizeof(element));
  return element;
}

int64_t SparseDim(std::string_view row) {
  const size_t size = SparseSize(row);
  return size == 0 ? 0 : int64_t{SparseAt(row, size - 1).index} + 1;
}

Status CheckSparse(std::string_view row) {
  if (row.size() % sizeof(SparseElement) != 0) {
    return InvalidParameter(
        fmt::format("invalid data length in sparse float vector: {}", row.size()));
  }
  int64_t last = -1;
  for (size_t i = 0; i < SparseSize(row); ++i) {
    const SparseElement element = SparseAt(row, i);
    if (element.index == std::numeric_limits<uint32_t>::max()) {
      return InvalidParameter("invalid index in sparse float vector: must be less than 2^32-1");
    }
    if (int64_t{element.index} <= last) {
      return InvalidParameter("unsorted or same indices in sparse float vector");
    }
    if (!std::isfinite(element.value)) {
      const char* name = std::isnan(element.value) ? "NaN" : element.value > 0 ? "+Inf" : "-Inf";
      return InvalidParameter(fmt::format("value '{}' is not a number or infinity", name));
    }
    if (element.value < 0) return InvalidParameter("negative value in sparse float vector");
    last = element.index;
  }
  return Status::Ok();
}

}  // namespace elanus::model
