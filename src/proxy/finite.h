// The check that numbers are numbers, with Milvus' text.
#pragma once

#include <fmt/core.h>

#include <cmath>
#include <span>

#include "base/status.h"

namespace elanus::proxy {

template <class T>
Status CheckFinite(std::span<const T> values) {
  // Adding value * 0 keeps 0 for finite values and makes NaN of the others: one pass without
  // branches.
  T sum = 0;
  for (T value : values) sum += value * T{0};
  if (!std::isnan(sum)) return Status::Ok();
  for (T value : values) {
    if (std::isfinite(value)) continue;
    const char* name = std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    return InvalidParameter(fmt::format("value '{}' is not a number or infinity", name));
  }
  return Status::Ok();
}

}  // namespace elanus::proxy
