// Names that nobody else makes: 128 random bits, across restarts and machines. Threads: any.
#pragma once

#include <string>

namespace elanus {

/// 32 hexadecimal digits.
std::string UniqueText();

}  // namespace elanus
