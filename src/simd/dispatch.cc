#include "simd/dispatch.h"

#include <atomic>

namespace elanus::simd {
namespace {

struct Tables {
  Kernels level[3];
};

Tables MakeTables() {
  Tables t{};
  t.level[0].level = Level::kScalar;
  FillFloat32Scalar(&t.level[0]);
  FillInt8Scalar(&t.level[0]);
  FillBitsScalar(&t.level[0]);
  FillElementsScalar(&t.level[0]);
  FillScan4Scalar(&t.level[0]);
  FillPackedScalar(&t.level[0]);
  // What a level has no kernel for it takes from the one below.
  t.level[1] = t.level[0];
  t.level[1].level = Level::kAvx2;
  FillFloat32Avx2(&t.level[1]);
  FillInt8Avx2(&t.level[1]);
  FillBitsAvx2(&t.level[1]);
  FillElementsAvx2(&t.level[1]);
  FillScan4Avx2(&t.level[1]);
  FillPackedAvx2(&t.level[1]);
  t.level[2] = t.level[1];
  t.level[2].level = Level::kAvx512;
  FillFloat32Avx512(&t.level[2]);
  FillInt8Avx512(&t.level[2]);
  FillBitsAvx512(&t.level[2]);
  FillElementsAvx512(&t.level[2]);
  FillScan4Avx512(&t.level[2]);
  FillPackedAvx512(&t.level[2]);
  return t;
}

const Kernels& Table(Level level) {
  static const Tables tables = MakeTables();
  return tables.level[static_cast<int>(level)];
}

std::atomic<const Kernels*> active{nullptr};

}  // namespace

Level BestLevel() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                    __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("f16c");
  const bool avx512 =
      avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vbmi") &&
      __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vnni") &&
      __builtin_cpu_supports("avx512vpopcntdq");
  if (avx512) return Level::kAvx512;
  if (avx2) return Level::kAvx2;
#endif
  return Level::kScalar;
}

const Kernels& Active() {
  const Kernels* kernels = active.load(std::memory_order_acquire);
  if (kernels == nullptr) [[unlikely]] {
    kernels = &Table(BestLevel());
    active.store(kernels, std::memory_order_release);
  }
  return *kernels;
}

bool ForceLevel(Level level) {
  if (level > BestLevel()) return false;
  active.store(&Table(level), std::memory_order_release);
  return true;
}

const char* LevelName(Level level) {
  switch (level) {
    case Level::kScalar: return "scalar";
    case Level::kAvx2: return "avx2";
    case Level::kAvx512: return "avx512";
  }
  return "unknown";
}

}  // namespace elanus::simd
