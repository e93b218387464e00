// Opens bytes as an index file over 40 rows of dimension 3 and, when they pass, searches. The
// checksums are put right first: otherwise the fuzzer would see nothing but the first check.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/crc32c.h"
#include "index/vector/vector_index.h"

namespace {

constexpr size_t kHeaderBytes = 512, kTable = 68, kEntry = 24, kSections = 16;

void PutChecksumsRight(std::string& bytes) {
  if (bytes.size() < kHeaderBytes) return;
  uint32_t count;
  std::memcpy(&count, bytes.data() + 12, sizeof(count));
  for (size_t i = 0; i < count && i < kSections; ++i) {
    char* entry = bytes.data() + kTable + i * kEntry;
    uint64_t offset, size;
    std::memcpy(&offset, entry + 8, sizeof(offset));
    std::memcpy(&size, entry + 16, sizeof(size));
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t crc = elanus::Crc32c(bytes.data() + offset, size);
    std::memcpy(entry + 4, &crc, sizeof(crc));
  }
  const uint32_t crc = elanus::Crc32c(bytes.data(), kHeaderBytes - 4);
  std::memcpy(bytes.data() + kHeaderBytes - 4, &crc, sizeof(crc));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace elanus::index;
  static const std::array<float, 120> rows = [] {
    std::array<float, 120> values{};
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 37) % 101) - 50.0f;
    return values;
  }();
  // 64-byte aligned, as every owner of a file gives it.
  std::string bytes(reinterpret_cast<const char*>(data), size);
  PutChecksumsRight(bytes);
  const Buffer aligned = Buffer::Copy(std::as_bytes(std::span(bytes)));
  const VectorView raw{rows.data(), 40, 3};
  const auto index = OpenIndex(nullptr, aligned.span(), raw, OpenMode::kMapped);
  if (!index.has_value()) return 0;
  const uint64_t words[1] = {0x5555555555};
  (void)(*index)->Search(rows.data(), {.top_k = 5}, {}, {}).has_value();
  (void)(*index)->Search(rows.data(), {.top_k = 3}, HiddenBits(words, 40), {}).has_value();
  return 0;
}
