#include "proxy/router.h"

#include <array>
#include <bit>

#include "model/key_hash.h"

namespace elanus::proxy {

namespace {

/// MurmurHash3_x86_32 of 8 bytes, seed 0.
uint32_t Murmur3(uint64_t key) {
  uint32_t hash = 0;
  for (uint32_t block : {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)}) {
    block *= 0xcc9e2d51u;
    block = std::rotl(block, 15);
    block *= 0x1b873593u;
    hash ^= block;
    hash = std::rotl(hash, 13);
    hash = hash * 5 + 0xe6546b64u;
  }
  hash ^= 8;  // the length
  hash ^= hash >> 16;
  hash *= 0x85ebca6bu;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35u;
  return hash ^ (hash >> 16);
}

/// CRC-32 of IEEE 802.3, reflected polynomial 0xEDB88320.
uint32_t Crc32(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc = ~0u;
  for (char c : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

}  // namespace

size_t ShardOf(int64_t key, size_t shards) {
  return shards == 1 ? 0 : model::HashKey(key, model::HashUse::kShard) % shards;
}

size_t ShardOf(std::string_view key, size_t shards) {
  return shards == 1 ? 0 : model::HashKey(key, model::HashUse::kShard) % shards;
}

std::vector<std::vector<uint32_t>> SplitByShard(const model::PrimaryKeys& keys, size_t shards) {
  std::vector<std::vector<uint32_t>> split(shards);
  for (uint32_t i = 0; i < keys.size(); ++i) {
    const size_t shard = keys.is_string ? ShardOf(std::string_view(keys.strings[i]), shards)
                                        : ShardOf(keys.ints[i], shards);
    split[shard].push_back(i);
  }
  return split;
}

model::PrimaryKeys TakeKeys(const model::PrimaryKeys& keys,
                            const std::vector<uint32_t>& positions) {
  model::PrimaryKeys taken{.is_string = keys.is_string};
  for (uint32_t i : positions) {
    if (keys.is_string) {
      taken.strings.push_back(keys.strings[i]);
    } else {
      taken.ints.push_back(keys.ints[i]);
    }
  }
  return taken;
}

std::vector<uint32_t> PartitionsOf(const model::Column& partition_key, size_t partitions) {
  constexpr size_t kHashedBytes = 100;
  std::vector<uint32_t> out(partition_key.rows);
  for (size_t row = 0; row < partition_key.rows; ++row) {
    uint32_t hash;
    if (IsString(partition_key.type)) {
      hash = Crc32(partition_key.StringAt(row).substr(0, kHashedBytes));
    } else {
      const auto value = partition_key.Values<int64_t>()[row];
      hash = Murmur3(static_cast<uint64_t>(value)) & 0x7fffffffu;
    }
    out[row] = static_cast<uint32_t>(hash % partitions);
  }
  return out;
}

}  // namespace elanus::proxy
