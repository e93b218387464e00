#include "model/key_hash.h"

#include <xxhash.h>

namespace elanus::model {

uint64_t HashKey(int64_t key, HashUse use) {
  return XXH64(&key, sizeof(key), static_cast<uint64_t>(use));
}

uint64_t HashKey(std::string_view key, HashUse use) {
  return XXH64(key.data(), key.size(), static_cast<uint64_t>(use));
}

uint64_t HashKey(const PrimaryKey& key, HashUse use) {
  const auto* text = std::get_if<std::string>(&key);
  return text != nullptr ? HashKey(std::string_view(*text), use)
                         : HashKey(std::get<int64_t>(key), use);
}

}  // namespace elanus::model
