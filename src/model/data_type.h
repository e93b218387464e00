// Field types. The numbers are those of Milvus' schema.DataType on the wire and in files: never
// renumber.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/metric.h"

namespace elanus::model {

enum class DataType : int32_t {
  kNone = 0,
  kBool = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kFloat = 10,
  kDouble = 11,
  kString = 20,
  kVarChar = 21,
  kArray = 22,
  kJson = 23,
  kGeometry = 24,
  kText = 25,
  kTimestamptz = 26,
  kBinaryVector = 100,
  kFloatVector = 101,
  kFloat16Vector = 102,
  kBFloat16Vector = 103,
  kSparseFloatVector = 104,
  kInt8Vector = 105,
  kArrayOfVector = 106,
  kStruct = 201,
  kArrayOfStruct = 200,
};

/// What is true of a type wherever it occurs: the one place to look before writing a switch.
struct TypeTraits {
  DataType type = DataType::kNone;
  std::string_view name;  ///< Milvus' name, for example "VarChar"
  /// Of a scalar: the bits of a value. Of a vector: the bits of one element. 0: values vary in
  /// length and lie in a Column's `bytes`.
  int element_bits = 0;
  bool is_vector = false;
  bool is_array_element = false;  ///< an ARRAY may be made of it
  bool has_default = false;       ///< a field of it may have a default value
  MetricSet metrics = 0;          ///< of vectors: what they are compared by
  Metric default_metric = Metric::kCosine;
};

/// The row of a type; that of kNone, named "Unknown", for a number that is no type.
const TypeTraits& TraitsOf(DataType type);

inline std::string_view DataTypeName(DataType type) { return TraitsOf(type).name; }
inline bool SupportsMetric(DataType type, Metric metric) {
  return (TraitsOf(type).metrics & SetOf(metric)) != 0;
}

constexpr bool IsVector(DataType type) {
  return type >= DataType::kBinaryVector && type <= DataType::kArrayOfVector;
}
constexpr bool IsInteger(DataType type) {
  return type >= DataType::kInt8 && type <= DataType::kInt64;
}
constexpr bool IsFloating(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble;
}
constexpr bool IsNumeric(DataType type) { return IsInteger(type) || IsFloating(type); }
constexpr bool IsString(DataType type) {
  return type == DataType::kVarChar || type == DataType::kString || type == DataType::kText;
}
/// Vectors of floats in some width, all compared by L2, IP and COSINE.
constexpr bool IsDenseVector(DataType type) {
  return type == DataType::kFloatVector || type == DataType::kFloat16Vector ||
         type == DataType::kBFloat16Vector || type == DataType::kInt8Vector;
}

/// Whether vectors of a type, or lists of such vectors, are compared by a metric.
/// \param element  of kArrayOfVector: what the lists are made of
inline bool CanCompare(DataType type, DataType element, Metric metric) {
  if (type != DataType::kArrayOfVector) return SupportsMetric(type, metric);
  return SupportsMetric(type, metric) && SupportsMetric(element, ElementMetric(metric));
}

/// Bytes of one value in a Column; 0 for the types whose values vary in length (strings, JSON,
/// arrays, sparse).
/// \param dim  of a vector: elements (bits for a binary vector)
size_t ValueBytes(DataType type, int64_t dim);

}  // namespace elanus::model
