#include "server/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace elanus {
namespace {

/// The number a file begins with; `fallback` when there is no such file or number ("max").
uint64_t NumberIn(const char* path, uint64_t fallback) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? number : fallback;
}

/// Cores that a quota of `quota` microseconds in each `period` comes to; 0 where there is none.
uint64_t CoresOf(uint64_t quota, uint64_t period) {
  return quota == 0 || period == 0 ? 0 : (quota + period - 1) / period;
}

/// From the control group's files, of either version; 0 where there is no limit.
uint64_t QuotaCores() {
  std::ifstream both("/sys/fs/cgroup/cpu.max");
  uint64_t quota = 0;
  uint64_t period = 0;
  if (both >> quota >> period) return CoresOf(quota, period);       // "max 100000" is not a number
  const uint64_t unlimited = std::numeric_limits<uint64_t>::max();  // -1 reads as such
  quota = NumberIn("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", 0);
  return quota == unlimited ? 0
                            : CoresOf(quota, NumberIn("/sys/fs/cgroup/cpu/cpu.cfs_period_us", 0));
}

}  // namespace

int CoresTotal() {
  cpu_set_t mask;
  int cores = 1;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) cores = std::max(CPU_COUNT(&mask), 1);
  const uint64_t quota = QuotaCores();
  return quota == 0 ? cores
                    : static_cast<int>(std::min<uint64_t>(quota, static_cast<uint64_t>(cores)));
}

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
