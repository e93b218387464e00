// The set behind bloom_match: a split-block Bloom filter as Parquet defines it, in the envelope
// that Milvus' clients build ("MBF1"). A value of the set is always found; another one rarely.
// Holds: bytes from outside are checked once, by Open or by the byte form's reader; an object that
// is not ok() has no members. Made by the binder, asked by query. Threads: immutable.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"

namespace elanus {
class Decoder;
}

namespace elanus::expr {

class BloomMembers {
 public:
  /// What kinds of values went into a set. Both share one space of hashes, so a set is only asked
  /// for values of a kind it has.
  enum Domain : uint8_t { kInts = 1, kTexts = 2 };
  static constexpr uint64_t kHeaderBytes = 32;

  /// Errors (kInvalidParameter): Milvus' text for what is wrong with the envelope. Cost: constant.
  static Result<std::shared_ptr<const BloomMembers>> Open(std::shared_ptr<const std::string> blob);

  bool ok() const { return blocks_ != 0; }
  /// Kinds of values, a union of Domain; 0 = it was built of nothing.
  uint8_t domains() const { return domains_; }
  /// As the client sent it.
  std::string_view blob() const { return blob_ == nullptr ? std::string_view() : *blob_; }

  bool Has(int64_t value) const { return Takes(kInts) && HasHash(HashOf(value)); }
  bool Has(std::string_view text) const { return Takes(kTexts) && HasHash(HashOf(text)); }

  /// Whether values of the kind can be members at all.
  bool Takes(Domain domain) const { return (domains_ & domain) != 0; }
  // Has in two steps, so that a scan may fetch the blocks of many rows before it looks at them.
  static uint64_t HashOf(int64_t value);
  static uint64_t HashOf(std::string_view text);
  void Prefetch(uint64_t hash) const { __builtin_prefetch(BlockOf(hash)); }
  /// \pre ok()
  bool HasHash(uint64_t hash) const {
    uint32_t words[kWords];
    std::memcpy(words, BlockOf(hash), sizeof(words));
    uint32_t missing = 0;
    for (size_t i = 0; i < kWords; ++i) {
      const uint32_t bit = static_cast<uint32_t>(hash) * kSalts[i] >> 27;
      missing |= ~words[i] & (uint32_t{1} << bit);
    }
    return missing == 0;
  }

  template <class V>
  void Visit(V& v) {
    v(blob_);
    if constexpr (std::is_same_v<V, Decoder>) (void)Read();
  }

 private:
  static constexpr size_t kWords = 8;
  static constexpr uint64_t kBlockBytes = kWords * sizeof(uint32_t);
  // Odd numbers of the Parquet specification.
  static constexpr uint32_t kSalts[kWords] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                              0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

  /// Checks the blob and takes its header over.
  Status Read();
  const char* BlockOf(uint64_t hash) const {
    return blob_->data() + kHeaderBytes + ((hash >> 32) * blocks_ >> 32) * kBlockBytes;
  }

  std::shared_ptr<const std::string> blob_;
  uint32_t blocks_ = 0;
  uint8_t domains_ = 0;
};

}  // namespace elanus::expr
