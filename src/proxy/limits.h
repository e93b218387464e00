// How much one request or one collection may ask for; Milvus' defaults.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus::proxy {

inline constexpr size_t kNameBytesMax = 255;
inline constexpr int64_t kFieldsMax = 256;  ///< of a collection, the dynamic field not counted
inline constexpr int64_t kVectorFieldsMax = 10;
inline constexpr int64_t kShardsMax = 16;
inline constexpr int64_t kPartitionKeyPartitionsMax = 1'024;
inline constexpr int64_t kDimensionMin = 2;
inline constexpr int64_t kDimensionMax = 32'768;
inline constexpr int64_t kVarCharLengthMax = 65'535;
inline constexpr int64_t kArrayCapacityMax = 4'096;
inline constexpr size_t kTextBytesMax = 2 << 20;
inline constexpr size_t kJsonBytesMax = 65'536;  ///< of one row
inline constexpr int64_t kTopKMax = 16'384;      ///< limit, and offset + limit
inline constexpr int64_t kQueriesMax = 16'384;   ///< nq
inline constexpr int64_t kReplyBytesMax = 100 << 20;

}  // namespace elanus::proxy
