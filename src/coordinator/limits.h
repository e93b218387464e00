// How much the catalog may hold; Milvus' defaults.
#pragma once

#include <cstdint>

namespace elanus::coordinator {

constexpr uint64_t kDatabasesMax = 64;
constexpr uint64_t kCollectionsMax = 65'536;
constexpr uint64_t kPartitionsMax = 1'024;  ///< of one collection
constexpr uint64_t kCapacityMax = 65'536;   ///< sum of partitions * shards over all collections
constexpr int64_t kPartitionKeyPartitions = 16;
constexpr int32_t kReplicasMax = 1;  ///< one node serves each shard

}  // namespace elanus::coordinator
