#include "expr/fold.h"

#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>
#include "expr/number.h"

namespace elanus::expr {
namespace {

std::unexpected<Status> Fault(std::string message) {
  return Error(Code::kInvalidParameter, std::move(message));
}

const int64_t* AsInt(const Value& v) { return std::get_if<int64_t>(&v.data); }
bool IsNumber(const Value& v) {
  return std::holds_alternative<int64_t>(v.data) || std::holds_alternative<double>(v.data);
}
double AsDouble(const Value& v) {
  const int64_t* whole = AsInt(v);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(v.data);
}

bool IsBitwise(ArithmeticOp op) { return op >= ArithmeticOp::kBitAnd; }

Status CheckOperand(ArithmeticOp op, const Value& v) {
  if (IsNumber(v)) return Status::Ok();
  const std::string_view kind = std::holds_alternative<bool>(v.data)          ? "bool"
                                : std::holds_alternative<std::string>(v.data) ? "string"
                                                                              : "array";
  return {Code::kInvalidParameter,
          fmt::format("{} cannot apply on {} field", ArithmeticName(op), kind)};
}

}  // namespace

model::DataType TypeOf(const Value& value) {
  constexpr model::DataType kTypes[] = {model::DataType::kBool, model::DataType::kInt64,
                                        model::DataType::kDouble, model::DataType::kVarChar,
                                        model::DataType::kArray};
  return kTypes[value.data.index()];
}

std::string_view ArithmeticName(ArithmeticOp op) {
  switch (op) {
    case ArithmeticOp::kAdd: return "add";
    case ArithmeticOp::kSubtract: return "subtract";
    case ArithmeticOp::kMultiply: return "multiply";
    case ArithmeticOp::kDivide: return "divide";
    case ArithmeticOp::kModulo: return "modulo";
    case ArithmeticOp::kBitAnd: return "bitand";
    case ArithmeticOp::kBitOr: return "bitor";
    case ArithmeticOp::kBitXor: return "bitxor";
    case ArithmeticOp::kShiftLeft: return "shiftleft";
    case ArithmeticOp::kShiftRight: return "shiftright";
  }
  return "";
}

Status CheckShift(int64_t amount) {
  if (amount >= 0 && amount < 64) return Status::Ok();
  return {Code::kInvalidParameter,
          fmt::format("shift amount must be in range [0, 64), got {}", amount)};
}

Result<Value> FoldArithmetic(ArithmeticOp op, const Value& a, const Value& b) {
  const int64_t* x = AsInt(a);
  const int64_t* y = AsInt(b);
  if (op == ArithmeticOp::kModulo && (x == nullptr || y == nullptr)) {
    return Fault("modulo can only apply on integer");
  }
  if (IsBitwise(op) && (x == nullptr || y == nullptr)) {
    return Fault(fmt::format("{} can only apply on integer fields", ArithmeticName(op)));
  }
  RETURN_IF_ERROR(CheckOperand(op, a));
  RETURN_IF_ERROR(CheckOperand(op, b));
  if (op == ArithmeticOp::kDivide && AsDouble(b) == 0) return Fault("cannot divide by zero");
  if (op == ArithmeticOp::kModulo && *y == 0) return Fault("cannot modulo by zero");
  if (op == ArithmeticOp::kShiftLeft || op == ArithmeticOp::kShiftRight) {
    RETURN_IF_ERROR(CheckShift(*y));
  }
  if (x != nullptr && y != nullptr) return Value{ApplyInt(op, *x, *y)};
  return Value{ApplyFloat(op, AsDouble(a), AsDouble(b))};
}

namespace {

std::optional<int64_t> IntPower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return std::nullopt;
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return std::nullopt;
  }
  return result;
}

}  // namespace

Result<Value> FoldPower(const Value& a, const Value& b, std::string_view text) {
  if (!IsNumber(a) || !IsNumber(b)) {
    return Fault(fmt::format("power can only apply on constants: {}", text));
  }
  if (AsInt(a) != nullptr && AsInt(b) != nullptr && *AsInt(b) >= 0) {
    if (auto power = IntPower(*AsInt(a), *AsInt(b))) return Value{*power};
  }
  return Value{std::pow(AsDouble(a), AsDouble(b))};
}

Result<bool> FoldCompare(CompareOp op, const Value& a, const Value& b, std::string_view text) {
  if (IsNumber(a) && IsNumber(b)) {
    const int64_t* x = AsInt(a);
    const int64_t* y = AsInt(b);
    if (x != nullptr && y != nullptr) return Holds(op, *x <=> *y);
    return Holds(op, AsDouble(a) <=> AsDouble(b));
  }
  const auto* s = std::get_if<std::string>(&a.data);
  const auto* t = std::get_if<std::string>(&b.data);
  if (s != nullptr && t != nullptr) return Holds(op, *s <=> *t);
  const bool* p = std::get_if<bool>(&a.data);
  const bool* q = std::get_if<bool>(&b.data);
  if (p != nullptr && q != nullptr && (op == CompareOp::kEq || op == CompareOp::kNe)) {
    return (*p == *q) == (op == CompareOp::kEq);
  }
  return Fault(fmt::format(
      "comparison operations cannot be applied to two incompatible operands: {}", text));
}

}  // namespace elanus::expr
