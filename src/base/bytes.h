// Bytes in and out: little-endian integers, LEB128 varints, length-prefixed strings.
// Holds: a ByteReader never reads outside its span and never allocates more than the bytes it was
// given; after the first fault every further read fails too, so a caller may check once at the end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/status.h"

namespace elanus {

class ByteWriter {
 public:
  template <class T>
    requires std::is_arithmetic_v<T>
  void Fixed(T value) {
    static_assert(std::endian::native == std::endian::little);
    Raw(&value, sizeof(value));
  }
  void Varint(uint64_t value);
  void Zigzag(int64_t value) {
    Varint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void String(std::string_view text) {
    Varint(text.size());
    Raw(text.data(), text.size());
  }
  void Raw(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }

  size_t size() const { return bytes_.size(); }
  std::string_view view() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }
  /// Overwrites a value written earlier at `offset`.
  template <class T>
    requires std::is_arithmetic_v<T>
  void Patch(size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  }
  void Reserve(size_t size) { bytes_.reserve(size); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
    requires std::is_arithmetic_v<T>
  T Fixed() {
    T value{};
    if (const char* p = Take(sizeof(T))) std::memcpy(&value, p, sizeof(T));
    return value;
  }
  uint64_t Varint();
  int64_t Zigzag() {
    uint64_t v = Varint();
    return static_cast<int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }
  std::string_view String() { return Raw(Varint()); }
  /// The next `size` bytes, a view into the input; empty after a fault.
  std::string_view Raw(uint64_t size);
  /// A count of things that take at least `bytes_each` bytes: a fault when the input cannot hold
  /// that many.
  size_t Count(size_t bytes_each);

  bool ok() const { return ok_; }
  void Fail() { ok_ = false; }
  size_t remaining() const { return bytes_.size(); }
  bool done() const { return ok_ && bytes_.empty(); }
  /// An error of code kDataIntegrity naming `what` unless everything so far was readable.
  Status Check(std::string_view what) const;

 private:
  const char* Take(size_t size);

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace elanus
