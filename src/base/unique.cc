#include "base/unique.h"

#include <fmt/core.h>

#include <random>

namespace elanus {
namespace {

std::mt19937_64& Random() {
  thread_local std::mt19937_64 random{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }()};
  return random;
}

}  // namespace

std::string UniqueText() {
  const auto high = Random()();
  return fmt::format("{:016x}{:016x}", high, Random()());
}

void SeedUniqueText(uint64_t seed) { Random().seed(seed); }

}  // namespace elanus
