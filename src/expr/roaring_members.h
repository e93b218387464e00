// The set behind roaring_match: 64-bit integers in the portable Roaring format, in the envelope
// that Milvus' clients build ("MRB1"). Exact. A negative number is the key of its two's complement.
// Holds: bytes from outside are checked once, whole and in linear time, by Open or by the byte
// form's reader; an object that is not ok() has no members. Containers are read where they lie in
// the blob: beside it a set takes at most 32 bytes a container. Whatever the set, a question costs
// at most two binary searches. Made by the binder, asked by query. Threads: immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace elanus {
class Decoder;
}

namespace elanus::expr {

class RoaringMembers {
 public:
  static constexpr uint64_t kHeaderBytes = 32;

  /// Errors (kInvalidParameter): Milvus' text for what is wrong. Cost: linear in the blob.
  static Result<std::shared_ptr<const RoaringMembers>> Open(
      std::shared_ptr<const std::string> blob);

  bool ok() const { return ok_; }
  uint64_t size() const { return size_; }
  /// As the client sent it.
  std::string_view blob() const { return blob_ == nullptr ? std::string_view() : *blob_; }

  /// Cost: one look where containers are spread evenly, then a bit or a binary search among at most
  /// 4,096 values.
  bool Has(int64_t value) const;

  template <class V>
  void Visit(V& v) {
    v(blob_);
    if constexpr (std::is_same_v<V, Decoder>) (void)Read();
  }

 private:
  enum class Kind : uint8_t { kArray, kBits, kRuns };
  /// Members with the same upper 48 bits.
  struct Container {
    uint64_t key = 0;   ///< those bits
    uint32_t at = 0;    ///< in the blob, of its first value, word or run
    uint16_t more = 0;  ///< values or runs, less one
    Kind kind = Kind::kArray;
  };

  /// Checks the blob and finds its containers.
  Status Read();
  Status ReadEnvelope() const;
  Status ReadBody();
  Status ReadChild(ByteReader& in, uint64_t high, uint64_t& containers);
  Status ReadContainer(ByteReader& in, Container& container, uint32_t values) const;
  void Index();
  bool IsIn(const Container& container, uint16_t low) const;

  std::shared_ptr<const std::string> blob_;
  std::vector<Container> containers_;  ///< keys ascend
  /// The keys' span in equal parts, about as many as containers: where each part's begin.
  std::vector<uint32_t> parts_;
  int part_shift_ = 0;
  uint64_t size_ = 0;
  bool ok_ = false;
};

}  // namespace elanus::expr
