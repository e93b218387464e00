// The one hash of primary keys: XXH64 over the 8 little-endian bytes of an int64 or the bytes of a
// string. Holds: it never changes, since a row's shard and the key filters of files depend on it.
// Called by proxy/router.h, segment/ and format/key_filter.h. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/primary_key.h"

namespace elanus::model {

/// What a hash is for; the two are independent. The keys of one shard agree in their kShard hash
/// modulo the number of shards: a table or filter in that shard must not place them by it.
enum class HashUse : uint64_t { kShard = 0, kInShard = 1 };  // seeds of XXH64

uint64_t HashKey(int64_t key, HashUse use);
uint64_t HashKey(std::string_view key, HashUse use);
uint64_t HashKey(const PrimaryKey& key, HashUse use);

}  // namespace elanus::model
