#include "base/unique.h"

#include <fmt/core.h>

#include <random>

namespace elanus {

std::string UniqueText() {
  thread_local std::mt19937_64 random{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }()};
  const auto high = random();
  return fmt::format("{:016x}{:016x}", high, random());
}

}  // namespace elanus
