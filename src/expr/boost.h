// Functions that raise or lower the scores of chosen hits: a filter each, and a weight. A plain
// value with a byte form; made by the proxy, applied by query/boost.h.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "expr/filter.h"

namespace elanus::expr {

struct BoostFunction {
  BoundFilter filter;  ///< the hits it counts for
  float weight = 1;
  /// The weight is multiplied with a number in [0, 1) that a row's `field` (its primary key when
  /// that is 0) and the seed determine.
  bool random = false;
  int64_t seed = 0;
  FieldId field;

  template <class V>
  void Visit(V& v) {
    v(filter);
    v(weight);
    v(random);
    v(seed);
    v(field);
  }
};

struct Boost {
  std::vector<BoostFunction> functions;
  bool adds_functions = false;  ///< several functions of one hit are added, else multiplied
  bool adds_score = false;      ///< the outcome is added to the score, else multiplied with it

  template <class V>
  void Visit(V& v) {
    v(functions);
    v(adds_functions);
    v(adds_score);
  }
};

}  // namespace elanus::expr
