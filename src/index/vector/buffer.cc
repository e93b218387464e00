#include "index/vector/buffer.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

namespace elanus::index {
namespace {

constexpr uintptr_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMapFrom = size_t{8} << 20;
constexpr std::align_val_t kAlign{64};

}  // namespace

Buffer::Buffer(size_t bytes) : bytes_(bytes) {
  if (bytes < kMapFrom) {
    data_ = static_cast<std::byte*>(::operator new(bytes == 0 ? 1 : bytes, kAlign));
    std::memset(data_, 0, bytes);
    return;
  }
  mapped_ = (bytes + kHugePage - 1) / kHugePage * kHugePage + kHugePage;
  mapping_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED) throw std::bad_alloc();
  const auto start = reinterpret_cast<uintptr_t>(mapping_);
  data_ = reinterpret_cast<std::byte*>((start + kHugePage - 1) / kHugePage * kHugePage);
  ::madvise(data_, bytes, MADV_HUGEPAGE);  // only advice: without huge pages it is merely slower
}

Buffer::~Buffer() {
  if (mapping_ != nullptr) {
    ::munmap(mapping_, mapped_);
  } else if (data_ != nullptr) {
    ::operator delete(data_, kAlign);
  }
}

Buffer Buffer::Copy(std::span<const std::byte> bytes) {
  Buffer copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

Buffer Buffer::Replace(std::span<const std::byte> bytes) {
  Buffer copy = Copy(bytes);
  const auto first = (reinterpret_cast<uintptr_t>(bytes.data()) + kPage - 1) / kPage * kPage;
  const auto last = (reinterpret_cast<uintptr_t>(bytes.data()) + bytes.size()) / kPage * kPage;
  // PAGEOUT and not DONTNEED: the bytes may as well lie on a heap (memory forms of the stores),
  // which DONTNEED would zero.
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_PAGEOUT);
  return copy;
}

void Buffer::Swap(Buffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
}

}  // namespace elanus::index
