#include "format/key_filter.h"

#include <algorithm>
#include <cstring>

namespace elanus::format {
namespace {

constexpr size_t kBlockBytes = 32;
constexpr uint64_t kBitsPerKey = 10;
constexpr uint32_t kSalt[8] = {0x9e3779b1u, 0x85ebca77u, 0xc2b2ae3du, 0x27d4eb2fu,
                               0x165667b1u, 0xd3a2646du, 0xfd7046c5u, 0xb55a4f09u};

size_t BlockOf(size_t blocks, uint64_t hash) {
  return static_cast<size_t>(((hash >> 32) * blocks) >> 32) * kBlockBytes;
}

}  // namespace

size_t KeyFilterBytes(uint64_t keys) {
  const uint64_t blocks =
      std::max<uint64_t>(1, (keys * kBitsPerKey + kBlockBytes * 8 - 1) / (kBlockBytes * 8));
  return blocks * kBlockBytes;
}

void KeyFilterAdd(std::string& filter, uint64_t hash) {
  char* block = filter.data() + BlockOf(filter.size() / kBlockBytes, hash);
  for (int i = 0; i < 8; ++i) {
    uint32_t word;
    std::memcpy(&word, block + i * 4, 4);
    word |= 1u << ((static_cast<uint32_t>(hash) * kSalt[i]) >> 27);
    std::memcpy(block + i * 4, &word, 4);
  }
}

bool KeyFilterMayContain(std::string_view filter, uint64_t hash) {
  const char* block = filter.data() + BlockOf(filter.size() / kBlockBytes, hash);
  for (int i = 0; i < 8; ++i) {
    uint32_t word;
    std::memcpy(&word, block + i * 4, 4);
    if ((word >> ((static_cast<uint32_t>(hash) * kSalt[i]) >> 27) & 1) == 0) return false;
  }
  return true;
}

}  // namespace elanus::format
