#include "server/machine.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace elanus {
namespace {

/// The number a file begins with; `fallback` when there is no such file or number ("max").
uint64_t NumberIn(const char* path, uint64_t fallback) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? number : fallback;
}

}  // namespace

uint64_t MemoryTotalBytes() {
  const auto pages = static_cast<uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 1L));
  const auto page_bytes = static_cast<uint64_t>(std::max(sysconf(_SC_PAGESIZE), 1L));
  uint64_t bytes = pages * page_bytes;
  bytes = std::min(bytes, NumberIn("/sys/fs/cgroup/memory.max", bytes));
  return std::min(bytes, NumberIn("/sys/fs/cgroup/memory/memory.limit_in_bytes", bytes));
}

ProcessMemory ReadProcessMemory() {
  ProcessMemory memory;
  std::ifstream file("/proc/self/smaps_rollup");
  std::string name;
  std::string line;
  while (file >> name) {
    uint64_t kib = 0;
    if (name == "Rss:" && file >> kib) memory.resident_bytes = kib * 1024;
    if (name == "AnonHugePages:" && file >> kib) memory.anonymous_huge_bytes = kib * 1024;
    std::getline(file, line);
  }
  return memory;
}

}  // namespace elanus
