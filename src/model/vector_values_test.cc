#include "model/vector_values.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace elanus::model {
namespace {

std::string Row(const std::vector<SparseElement>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(SparseElement)};
}

/// By the definition of the format: sign, 5 bits of exponent, 10 of fraction.
double HalfByDefinition(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double fraction = half & 1023;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

float WidenOne(DataType type, uint16_t element) {
  float value = 0;
  DenseToFloats(type, reinterpret_cast<const char*>(&element), 1, &value);
  return value;
}

uint16_t NarrowOne(DataType type, float value) {
  uint16_t element = 0;
  FloatsToDense(type, &value, 1, reinterpret_cast<char*>(&element));
  return element;
}

TEST(VectorValues, NoElementsHaveNoAddress) {
  for (DataType type : {DataType::kFloatVector, DataType::kFloat16Vector, DataType::kInt8Vector}) {
    DenseToFloats(type, nullptr, 0, nullptr);
    FloatsToDense(type, nullptr, 0, nullptr);
  }
}

TEST(VectorValues, WidensEveryHalfFloatExactly) {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const float value = WidenOne(DataType::kFloat16Vector, static_cast<uint16_t>(half));
    if ((half & 0x7c00) == 0x7c00) {
      EXPECT_EQ(std::isnan(value), (half & 0x3ff) != 0);
      EXPECT_EQ(std::isinf(value), (half & 0x3ff) == 0);
    } else {
      ASSERT_EQ(static_cast<double>(value), HalfByDefinition(static_cast<uint16_t>(half))) << half;
    }
  }
}

TEST(VectorValues, NarrowsToTheNearestHalfFloatTiesToEven) {
  for (uint32_t half = 0; half < 0x7bff; ++half) {
    const float low = WidenOne(DataType::kFloat16Vector, static_cast<uint16_t>(half));
    const float high = WidenOne(DataType::kFloat16Vector, static_cast<uint16_t>(half + 1));
    const float middle = low + (high - low) / 2;
    ASSERT_EQ(NarrowOne(DataType::kFloat16Vector, low), half);
    ASSERT_EQ(NarrowOne(DataType::kFloat16Vector, middle), half % 2 == 0 ? half : half + 1);
    ASSERT_EQ(NarrowOne(DataType::kFloat16Vector, std::nextafter(middle, 0.0F)), half);
    ASSERT_EQ(NarrowOne(DataType::kFloat16Vector, -std::nextafter(middle, high)),
              0x8000U | (half + 1));
  }
  EXPECT_EQ(NarrowOne(DataType::kFloat16Vector, 65519.0F), 0x7bff);
  EXPECT_EQ(NarrowOne(DataType::kFloat16Vector, 65520.0F), 0x7c00);
  EXPECT_EQ(NarrowOne(DataType::kFloat16Vector, 1e-30F), 0);
}

TEST(VectorValues, KeepsBrainFloatsAndRoundsToThem) {
  for (uint32_t brain = 0; brain < 0x7f7f; ++brain) {
    const float low = WidenOne(DataType::kBFloat16Vector, static_cast<uint16_t>(brain));
    ASSERT_EQ(std::bit_cast<uint32_t>(low), brain << 16);
    const auto middle = std::bit_cast<float>((brain << 16) + 0x8000U);
    ASSERT_EQ(NarrowOne(DataType::kBFloat16Vector, middle), brain % 2 == 0 ? brain : brain + 1);
    ASSERT_EQ(NarrowOne(DataType::kBFloat16Vector, low), brain);
  }
  EXPECT_TRUE(std::isnan(
      WidenOne(DataType::kBFloat16Vector,
               NarrowOne(DataType::kBFloat16Vector, std::numeric_limits<float>::quiet_NaN()))));
}

TEST(VectorValues, WidensBytesWithTheirSign) {
  const char bytes[] = {-128, -1, 0, 127};
  float values[4];
  DenseToFloats(DataType::kInt8Vector, bytes, 4, values);
  EXPECT_EQ(values[0], -128.0F);
  EXPECT_EQ(values[1], -1.0F);
  EXPECT_EQ(values[3], 127.0F);
}

TEST(VectorValues, ChecksSparseRowsWithMilvusTexts) {
  const std::string good = Row({{0, 1.0F}, {7, 0.0F}, {0xfffffffe, 2.5F}});
  EXPECT_TRUE(CheckSparse(good).ok());
  EXPECT_TRUE(CheckSparse("").ok());
  EXPECT_EQ(SparseDim(good), 0xffffffffL);
  EXPECT_EQ(SparseDim(""), 0);
  const std::pair<std::string, std::string> cases[] = {
      {Row({{0xffffffff, 1.0F}}), "must be less than 2^32-1"},
      {Row({{5, 1.0F}, {5, 1.0F}}), "unsorted or same indices in sparse float vector"},
      {Row({{5, 1.0F}, {4, 1.0F}}), "unsorted or same indices in sparse float vector"},
      {Row({{5, -1.0F}}), "negative value in sparse float vector"},
      {Row({{5, std::numeric_limits<float>::quiet_NaN()}}), "value 'NaN' is not a number"},
      {Row({{5, std::numeric_limits<float>::infinity()}}), "value '+Inf' is not a number"},
  };
  for (const auto& [row, text] : cases) {
    const Status status = CheckSparse(row);
    EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
  }
  for (size_t length = 0; length < good.size(); ++length) {
    const bool whole = length % sizeof(SparseElement) == 0;
    EXPECT_EQ(CheckSparse(std::string_view(good).substr(0, length)).ok(), whole) << length;
  }
}

}  // namespace
}  // namespace elanus::model
