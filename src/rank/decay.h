// Decay: how much of a score is left at some distance of a value from an origin. Pure; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "model/column.h"

namespace elanus::rank {

enum class DecayShape : uint8_t { kGauss, kExponential, kLinear };

struct Decay {
  DecayShape shape = DecayShape::kGauss;
  double origin = 0;
  double scale = 1;   ///< > 0: at this distance beyond the offset, `decay` is left
  double offset = 0;  ///< >= 0: up to this distance all is left
  double decay = 0.5;

  /// What is left at a value, in [0, 1].
  double At(double value) const;
  /// The same for each row of a numeric column; nothing is left of nulls.
  std::vector<float> At(const model::Column& values) const;
};

}  // namespace elanus::rank
