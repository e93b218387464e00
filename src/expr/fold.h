// Arithmetic and comparison of constants at plan time, with Milvus' error texts. Called by the
// binder.
#pragma once

#include <string_view>

#include "base/status.h"
#include "expr/node.h"
#include "model/data_type.h"

namespace elanus::expr {

model::DataType TypeOf(const Value& value);

/// "add", "shiftleft", ...
std::string_view ArithmeticName(ArithmeticOp op);

/// `a op b`. Integers wrap, `/` truncates, mixed numbers become double. Errors: wrong types, zero
/// divisors, shifts outside [0, 64).
Result<Value> FoldArithmetic(ArithmeticOp op, const Value& a, const Value& b);

/// `a ** b`; `text` is what the error quotes.
Result<Value> FoldPower(const Value& a, const Value& b, std::string_view text);

/// `a op b` of two constants. Numbers compare by value; mixed pairs as doubles.
Result<bool> FoldCompare(CompareOp op, const Value& a, const Value& b, std::string_view text);

/// kInvalidParameter unless 0 <= amount < 64.
Status CheckShift(int64_t amount);

}  // namespace elanus::expr
