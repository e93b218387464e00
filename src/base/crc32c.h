// CRC32C (Castagnoli polynomial, reflected 0x82F63B78): the checksum of every block at rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace elanus {

/// Extends `crc` (0 for a new sum) by `size` bytes. Uses the SSE4.2 instruction where the CPU has
/// it.
uint32_t Crc32c(const void* data, size_t size, uint32_t crc = 0);
inline uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0) {
  return Crc32c(bytes.data(), bytes.size(), crc);
}

/// The table-driven form, the reference for tests.
uint32_t Crc32cPortable(const void* data, size_t size, uint32_t crc = 0);

}  // namespace elanus
