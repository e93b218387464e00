#include "model/data_type.h"

namespace elanus::model {

std::string_view DataTypeName(DataType type) {
  switch (type) {
    case DataType::kNone: return "None";
    case DataType::kBool: return "Bool";
    case DataType::kInt8: return "Int8";
    case DataType::kInt16: return "Int16";
    case DataType::kInt32: return "Int32";
    case DataType::kInt64: return "Int64";
    case DataType::kFloat: return "Float";
    case DataType::kDouble: return "Double";
    case DataType::kString: return "String";
    case DataType::kVarChar: return "VarChar";
    case DataType::kArray: return "Array";
    case DataType::kJson: return "JSON";
    case DataType::kGeometry: return "Geometry";
    case DataType::kText: return "Text";
    case DataType::kTimestamptz: return "Timestamptz";
    case DataType::kBinaryVector: return "BinaryVector";
    case DataType::kFloatVector: return "FloatVector";
    case DataType::kFloat16Vector: return "Float16Vector";
    case DataType::kBFloat16Vector: return "BFloat16Vector";
    case DataType::kSparseFloatVector: return "SparseFloatVector";
    case DataType::kInt8Vector: return "Int8Vector";
    case DataType::kArrayOfVector: return "ArrayOfVector";
    case DataType::kStruct: return "Struct";
    case DataType::kArrayOfStruct: return "ArrayOfStruct";
  }
  return "Unknown";
}

size_t ValueBytes(DataType type, int64_t dim) {
  const auto n = static_cast<size_t>(dim);
  switch (type) {
    case DataType::kBool:
    case DataType::kInt8: return 1;
    case DataType::kInt16: return 2;
    case DataType::kInt32:
    case DataType::kFloat: return 4;
    case DataType::kInt64:
    case DataType::kDouble:
    case DataType::kTimestamptz: return 8;
    case DataType::kBinaryVector: return n / 8;
    case DataType::kFloatVector: return n * 4;
    case DataType::kFloat16Vector:
    case DataType::kBFloat16Vector: return n * 2;
    case DataType::kInt8Vector: return n;
    default: return 0;
  }
}

}  // namespace elanus::model
