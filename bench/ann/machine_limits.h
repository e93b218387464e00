// What one core of this machine can do at best, measured in the run it is compared with: the bound
// of docs/design/0002 is made of these numbers. Threads: each call measures on its caller.
#pragma once

#include <cstddef>

namespace elanus::index {

/// Bytes a second of a sum over `bytes` of memory that has been touched, the best of several
/// passes: a set that fits a cache shows the cache.
double StreamBytesPerSecond(size_t bytes);

/// float32 multiplications and additions (one each is one) a second from registers, at the widest
/// vectors there are.
double FloatMacsPerSecond();

/// Seconds to read one block of `block` bytes at a random place of a set of `bytes`, when the
/// places of the next 16 are known and asked for ahead. Huge pages.
double RandomBlockSeconds(size_t block, size_t bytes);

}  // namespace elanus::index
