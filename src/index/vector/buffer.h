// Memory of an index: zeroed, 64-byte aligned, on 2 MiB pages when it is large.
// Holds: random reads over 4 KiB pages cost up to three times as much as over huge ones, so buffers
// of 8 MiB and more ask for huge pages before their first byte is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace elanus::index {

class Buffer {
 public:
  Buffer() = default;
  /// Zeroed. Allocation failure ends the process, as everywhere: budgets are checked before.
  explicit Buffer(size_t bytes);
  Buffer(Buffer&& other) noexcept { Swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~Buffer();

  static Buffer Copy(std::span<const std::byte> bytes);
  /// A copy that takes the place of the original: when that is a mapped file, its pages leave
  /// memory, so that the bytes are resident once. Both stay readable.
  static Buffer Replace(std::span<const std::byte> bytes);

  size_t size() const { return bytes_; }
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::span<const std::byte> span() const { return {data_, bytes_}; }
  template <class T>
  T* As() {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  const T* As() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  void Swap(Buffer& other) noexcept;

  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
  void* mapping_ = nullptr;  // start and length of the mapping; null: from operator new
  size_t mapped_ = 0;
};

}  // namespace elanus::index
