// Which shard and partition a row belongs to.
// Holds: the shard of a key is its hash (model/key_hash.h, kShard) mod the number of shards; rows
// at rest depend on it, so it never changes. Called by the write and read paths. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/collection.h"
#include "model/primary_key.h"
#include "model/row_batch.h"

namespace elanus::proxy {

size_t ShardOf(int64_t key, size_t shards);
size_t ShardOf(std::string_view key, size_t shards);

/// Positions of the keys of each shard.
std::vector<std::vector<uint32_t>> SplitByShard(const model::PrimaryKeys& keys, size_t shards);

/// The keys at these positions.
model::PrimaryKeys TakeKeys(const model::PrimaryKeys& keys, const std::vector<uint32_t>& positions);

/// The partition of each row of a partition key column, as Milvus hashes it: murmur3 of an int64,
/// CRC-32 of a string's first 100 bytes.
std::vector<uint32_t> PartitionsOf(const model::Column& partition_key, size_t partitions);

}  // namespace elanus::proxy
