// Names that nobody else makes: 128 random bits, across restarts and machines. Threads: any.
#pragma once

#include <cstdint>
#include <string>

namespace elanus {

/// 32 hexadecimal digits.
std::string UniqueText();

/// From now on this thread makes the names that follow from `seed`: only for a simulation, which
/// has to repeat itself.
void SeedUniqueText(uint64_t seed);

}  // namespace elanus
