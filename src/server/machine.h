// What the machine gives this process and what it uses of it, as Linux says. Called by
// standalone.cc for limits and by gauges.cc. Threads: any. Cost: a few small reads of /proc and
// /sys a call.
#pragma once

#include <cstdint>

namespace elanus {

/// Bytes of memory this process may use: the machine's, or its control group's limit when less.
uint64_t MemoryTotalBytes();

/// Cores this process may keep busy, at least 1: those of its affinity mask, or what the time quota
/// of its control group comes to (rounded up) when less.
int CoresTotal();

struct ProcessMemory {
  uint64_t resident_bytes = 0;
  uint64_t anonymous_huge_bytes = 0;  ///< of it on pages of 2 MiB
};
/// Zeroes where /proc does not tell.
ProcessMemory ReadProcessMemory();

}  // namespace elanus
