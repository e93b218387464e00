#include "model/data_type.h"

#include <algorithm>
#include <array>

namespace elanus::model {
namespace {

constexpr MetricSet kDense = SetOf(Metric::kL2, Metric::kIp, Metric::kCosine);
constexpr MetricSet kBinary =
    SetOf(Metric::kHamming, Metric::kJaccard, Metric::kSubstructure, Metric::kSuperstructure);

constexpr TypeTraits Scalar(DataType type, std::string_view name, int bits) {
  return {.type = type,
          .name = name,
          .element_bits = bits,
          .is_array_element = true,
          .has_default = true};
}
constexpr TypeTraits Vector(DataType type, std::string_view name, int bits, MetricSet metrics,
                            Metric usual) {
  return {.type = type,
          .name = name,
          .element_bits = bits,
          .is_vector = true,
          .metrics = metrics,
          .default_metric = usual};
}

constexpr std::array kTypes = {
    TypeTraits{.type = DataType::kNone, .name = "Unknown"},
    Scalar(DataType::kBool, "Bool", 8),
    Scalar(DataType::kInt8, "Int8", 8),
    Scalar(DataType::kInt16, "Int16", 16),
    Scalar(DataType::kInt32, "Int32", 32),
    Scalar(DataType::kInt64, "Int64", 64),
    Scalar(DataType::kFloat, "Float", 32),
    Scalar(DataType::kDouble, "Double", 64),
    TypeTraits{.type = DataType::kString, .name = "String"},
    Scalar(DataType::kVarChar, "VarChar", 0),
    TypeTraits{.type = DataType::kArray, .name = "Array"},
    TypeTraits{.type = DataType::kJson, .name = "JSON"},
    TypeTraits{.type = DataType::kGeometry, .name = "Geometry", .has_default = true},
    TypeTraits{.type = DataType::kText, .name = "Text"},
    TypeTraits{.type = DataType::kTimestamptz,
               .name = "Timestamptz",
               .element_bits = 64,
               .has_default = true},
    Vector(DataType::kBinaryVector, "BinaryVector", 1, kBinary, Metric::kHamming),
    Vector(DataType::kFloatVector, "FloatVector", 32, kDense, Metric::kCosine),
    Vector(DataType::kFloat16Vector, "Float16Vector", 16, kDense, Metric::kCosine),
    Vector(DataType::kBFloat16Vector, "BFloat16Vector", 16, kDense, Metric::kCosine),
    Vector(DataType::kSparseFloatVector, "SparseFloatVector", 0, SetOf(Metric::kIp), Metric::kIp),
    Vector(DataType::kInt8Vector, "Int8Vector", 8, kDense, Metric::kCosine),
    // Those of all vectors that lists can be made of: see CanCompare.
    Vector(DataType::kArrayOfVector, "ArrayOfVector", 0,
           kDense | SetOf(Metric::kHamming, Metric::kJaccard) |
               SetOf(Metric::kMaxSimL2, Metric::kMaxSimIp, Metric::kMaxSimCosine,
                     Metric::kMaxSimHamming, Metric::kMaxSimJaccard),
           Metric::kMaxSimCosine),
    TypeTraits{.type = DataType::kStruct, .name = "Struct"},
    TypeTraits{.type = DataType::kArrayOfStruct, .name = "ArrayOfStruct"},
};

/// Where a type's row is, by its number: the traits are looked up for every value of a column.
constexpr auto kRows = [] {
  std::array<uint8_t, 256> rows{};
  for (size_t i = 0; i < kTypes.size(); ++i) {
    rows[static_cast<size_t>(kTypes[i].type)] = static_cast<uint8_t>(i);
  }
  return rows;
}();

}  // namespace

const TypeTraits& TraitsOf(DataType type) {
  const auto number = static_cast<uint32_t>(type);
  return kTypes[number < kRows.size() ? kRows[number] : 0];
}

size_t ValueBytes(DataType type, int64_t dim) {
  const TypeTraits& traits = TraitsOf(type);
  const auto bits = static_cast<size_t>(traits.element_bits);
  return traits.is_vector ? bits * static_cast<size_t>(dim) / 8 : bits / 8;
}

}  // namespace elanus::model
