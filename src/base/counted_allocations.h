// Replaces the allocator of a test program by one that counts, by thread. Included by one file of
// a test program, which then says what an operation allocates. Where a sanitizer brings an
// allocator of its own nothing is counted: skip such tests there.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace elanus {

struct Allocations {
  uint64_t made = 0;
  int64_t bytes_held = 0;
  int64_t bytes_peak = 0;  ///< the most that were held; may be set back to bytes_held
};
inline thread_local Allocations allocations;

#ifdef ELANUS_SANITIZED
constexpr bool kAllocationsAreCounted = false;
#else
constexpr bool kAllocationsAreCounted = true;

inline void* AllocateCounted(size_t bytes, size_t alignment) {
  void* p = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (p == nullptr) std::abort();
  ++allocations.made;
  allocations.bytes_held += static_cast<int64_t>(malloc_usable_size(p));
  allocations.bytes_peak = std::max(allocations.bytes_peak, allocations.bytes_held);
  return p;
}

inline void FreeCounted(void* p) {
  if (p != nullptr) allocations.bytes_held -= static_cast<int64_t>(malloc_usable_size(p));
  std::free(p);
}
#endif

}  // namespace elanus

// NOLINTBEGIN(misc-definitions-in-headers): the standard lets a program define these once
#ifndef ELANUS_SANITIZED
void* operator new(size_t bytes) {
  return elanus::AllocateCounted(bytes, alignof(std::max_align_t));
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return elanus::AllocateCounted(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* p) noexcept { elanus::FreeCounted(p); }
void operator delete(void* p, size_t) noexcept { elanus::FreeCounted(p); }
void operator delete(void* p, std::align_val_t) noexcept { elanus::FreeCounted(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { elanus::FreeCounted(p); }
#endif
// NOLINTEND(misc-definitions-in-headers)
