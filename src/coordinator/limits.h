// How much the catalog may hold; Milvus' defaults.
#pragma once

#include <cstdint>

namespace elanus::coordinator {

inline constexpr uint64_t kDatabasesMax = 64;
inline constexpr uint64_t kCollectionsMax = 65'536;
inline constexpr uint64_t kPartitionsMax = 1'024;  ///< of one collection
inline constexpr uint64_t kCapacityMax =
    65'536;  ///< sum of partitions * shards over all collections
inline constexpr int64_t kPartitionKeyPartitions = 16;
inline constexpr int32_t kReplicasMax = 1;  ///< one node serves each shard

}  // namespace elanus::coordinator
