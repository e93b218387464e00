// Exact order of an int64 and a double, which no cast to either type gives: 2^53 + 1 is greater
// than 2^53 as a double. Used when constants fold and when JSON numbers meet literals.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>

#include "expr/node.h"

namespace elanus::expr {

inline std::partial_ordering CompareExact(int64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= 9223372036854775808.0) return std::partial_ordering::less;
  if (b < -9223372036854775808.0) return std::partial_ordering::greater;
  const auto whole = static_cast<int64_t>(b);  // towards zero
  if (a != whole) return a <=> whole;
  return 0.0 <=> b - static_cast<double>(whole);
}

inline bool Holds(CompareOp op, std::partial_ordering order) {
  switch (op) {
    case CompareOp::kEq: return order == 0;
    case CompareOp::kNe: return order != 0;
    case CompareOp::kLt: return order < 0;
    case CompareOp::kLe: return order <= 0;
    case CompareOp::kGt: return order > 0;
    case CompareOp::kGe: return order >= 0;
  }
  return false;
}

/// int64 arithmetic as every column has it: + - * wrap, / and % truncate and wrap at
/// INT64_MIN / -1, shifts are arithmetic. The divisor is not 0 and a shift is in [0, 64).
inline int64_t ApplyInt(ArithmeticOp op, int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a);
  const auto y = static_cast<uint64_t>(b);
  switch (op) {
    case ArithmeticOp::kAdd: return static_cast<int64_t>(x + y);
    case ArithmeticOp::kSubtract: return static_cast<int64_t>(x - y);
    case ArithmeticOp::kMultiply: return static_cast<int64_t>(x * y);
    case ArithmeticOp::kDivide: return b == -1 ? static_cast<int64_t>(0 - x) : a / b;
    case ArithmeticOp::kModulo: return b == -1 ? 0 : a % b;
    case ArithmeticOp::kBitAnd: return a & b;
    case ArithmeticOp::kBitOr: return a | b;
    case ArithmeticOp::kBitXor: return a ^ b;
    case ArithmeticOp::kShiftLeft: return static_cast<int64_t>(x << (y & 63));
    case ArithmeticOp::kShiftRight: return a >> (y & 63);
  }
  return 0;
}

/// The four operators that floating columns have; 0 for the others, which the binder refuses.
template <class T>
T ApplyFloat(ArithmeticOp op, T a, T b) {
  switch (op) {
    case ArithmeticOp::kAdd: return a + b;
    case ArithmeticOp::kSubtract: return a - b;
    case ArithmeticOp::kMultiply: return a * b;
    case ArithmeticOp::kDivide: return a / b;
    default: return 0;
  }
}

}  // namespace elanus::expr
