// Which kernels this process uses. Threads: Active() from any thread at any time; ForceLevel()
// while no search runs (tests, benchmarks).
#pragma once

#include "simd/kernels.h"

namespace elanus::simd {

/// The kernels of the best level this CPU and its operating system support, or of the forced one.
const Kernels& Active();

/// The best level of this machine.
Level BestLevel();

/// Uses `level` from now on; false, and no change, when this machine lacks it.
bool ForceLevel(Level level);

/// "scalar", "avx2" or "avx512".
const char* LevelName(Level level);

}  // namespace elanus::simd
