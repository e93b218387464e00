// Field types. The numbers are those of Milvus' schema.DataType on the wire and in files: never
// renumber.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

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

/// Milvus' name of the type, for example "VarChar".
std::string_view DataTypeName(DataType type);

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

/// Bytes of one value in a Column; 0 for the types whose values vary in length (strings, JSON,
/// arrays, sparse).
/// \param dim  of a vector: elements (bits for a binary vector)
size_t ValueBytes(DataType type, int64_t dim);

}  // namespace elanus::model
