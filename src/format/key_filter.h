// A filter over the primary keys of a segment: answers "surely not here" without touching the key
// column. A split-block Bloom filter (Putze, Sanders, Singler 2007): eight bits in one 32-byte
// block a key, 10 bits a key, about 1 % false positives. Part of the segment file;
// `hash` is model/key_hash.h's kInShard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace elanus::format {

/// Bytes of a filter for this many keys: a multiple of 32, at least 32.
size_t KeyFilterBytes(uint64_t keys);

/// Adds a key to a filter of KeyFilterBytes zeroed bytes.
void KeyFilterAdd(std::string& filter, uint64_t hash);

/// False: no key with this hash was added. \param filter  a multiple of 32 bytes, at least 32
bool KeyFilterMayContain(std::string_view filter, uint64_t hash);

}  // namespace elanus::format
