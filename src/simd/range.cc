#include "simd/range.h"

namespace elanus::simd {

const RangeKernels& RangesAt(Level level) {
  static const RangeKernels tables[] = {RangesScalar(), RangesAvx2(), RangesAvx512()};
  return tables[static_cast<int>(level)];
}

}  // namespace elanus::simd
