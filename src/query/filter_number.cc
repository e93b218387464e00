// Operators on fixed-width columns: bool, integers, float, double, timestamps. Literals are first
// brought to the column's own type (or the node becomes constant), so that the inner loops compare
// like with like.
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "expr/number.h"
#include "query/filter_operator.h"
#include "query/int_set.h"
#include "simd/dispatch.h"
#include "simd/range.h"

namespace elanus::query {
namespace {

using expr::ArithmeticOp;
using expr::CompareOp;
using expr::Value;
using model::DataType;

// Calls f(T{}) with the C++ type of a column.
template <class F>
Result<Operator> ForType(DataType type, F f) {
  switch (type) {
    case DataType::kBool: return f(uint8_t{});
    case DataType::kInt8: return f(int8_t{});
    case DataType::kInt16: return f(int16_t{});
    case DataType::kInt32: return f(int32_t{});
    case DataType::kInt64:
    case DataType::kTimestamptz: return f(int64_t{});
    case DataType::kFloat: return f(float{});
    case DataType::kDouble: return f(double{});
    default: return Unfit("a number column");
  }
}

template <class F>
void WithCompare(CompareOp op, F f) {
  switch (op) {
    case CompareOp::kEq: return f(std::equal_to<>());
    case CompareOp::kNe: return f(std::not_equal_to<>());
    case CompareOp::kLt: return f(std::less<>());
    case CompareOp::kLe: return f(std::less_equal<>());
    case CompareOp::kGt: return f(std::greater<>());
    case CompareOp::kGe: return f(std::greater_equal<>());
  }
}

// The number that a literal is for columns of type T; nothing when it is of another kind.
template <class T>
auto NumberOf(const Value& value) {
  if constexpr (std::is_floating_point_v<T>) {
    const double* number = std::get_if<double>(&value.data);
    if (number == nullptr) return std::optional<T>();
    return std::optional<T>(std::is_same_v<T, float> ? ToFloat(*number) : *number);
  } else if constexpr (std::is_same_v<T, uint8_t>) {
    const bool* flag = std::get_if<bool>(&value.data);
    return flag == nullptr ? std::optional<int64_t>() : std::optional<int64_t>(*flag);
  } else {
    const auto* number = std::get_if<int64_t>(&value.data);
    return number == nullptr ? std::optional<int64_t>() : std::optional<int64_t>(*number);
  }
}

template <class T>
bool Fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

// The kernel of a column's type; a bool's bytes are 0 and 1.
template <class T>
struct Scanned {
  using Type = std::conditional_t<std::is_same_v<T, uint8_t>, int8_t, T>;
};

// lower <= v <= upper, or not so: every comparison with a literal. Blocks whose smallest and
// largest value decide are not read, nor are words of which no row is wanted.
template <class T>
class RangeOperator final : public FilterOperator {
 public:
  using Type = typename Scanned<T>::Type;
  using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

  RangeOperator(BoundColumn column, T lower, T upper, bool negated)
      : FilterOperator(CostOf(column, lower, upper)),
        kernel_(simd::RangesAt(simd::Active().level).For(Type{})),
        column_(std::move(column)),
        lower_(lower),
        upper_(upper),
        negated_(negated) {}

  void Run(const Block& block) override {
    switch (Decide(column_, block.first, lower_, upper_)) {
      case Decision::kNone: std::fill_n(block.is_true, block.words(), 0); break;
      case Decision::kAll: std::fill_n(block.is_true, block.words(), ~uint64_t{0}); break;
      case Decision::kOpen: Scan(block); break;
    }
    if (negated_) {
      for (size_t w = 0; w < block.words(); ++w) block.is_true[w] = ~block.is_true[w];
    }
    ApplyNulls(column_, block);
  }

  bool Reads(const Block& block) const override {
    return Decide(column_, block.first, lower_, upper_) == Decision::kOpen;
  }

  // Of an open block: as if its values were spread evenly.
  std::optional<double> KeptPart() const override {
    if (column_.view.ranges == nullptr || column_.repeats || column_.view.rows == 0)
      return std::nullopt;
    double kept = 0;
    for (size_t first = 0; first < column_.view.rows; first += segment::kRangeRows) {
      const auto rows =
          static_cast<double>(std::min(segment::kRangeRows, column_.view.rows - first));
      const Decision decision = Decide(column_, first, lower_, upper_);
      if (decision == Decision::kAll) kept += rows;
      if (decision == Decision::kOpen) kept += rows * OverlapAt(first);
    }
    const double part = kept / static_cast<double>(column_.view.rows);
    return negated_ ? 1 - part : part;
  }

 private:
  enum class Decision : uint8_t { kNone, kAll, kOpen };

  double OverlapAt(size_t first) const {
    const segment::BlockRange& range = column_.view.ranges[first / segment::kRangeRows];
    const auto low = static_cast<double>(range.low<Wide>());
    const auto high = static_cast<double>(range.high<Wide>());
    const double step = std::is_integral_v<T> ? 1 : 0;
    const double from = std::max(low, static_cast<double>(lower_));
    const double to = std::min(high, static_cast<double>(upper_));
    const double part = (to - from + step) / (high - low + step);
    return std::isfinite(part) ? std::clamp(part, 0.0, 1.0) : 0.5;
  }

  static Decision Decide(const BoundColumn& column, size_t first, T lower, T upper) {
    if (column.view.ranges == nullptr || column.repeats) return Decision::kOpen;
    const segment::BlockRange& range = column.view.ranges[first / segment::kRangeRows];
    const Wide low = range.low<Wide>();
    const Wide high = range.high<Wide>();
    if (high < static_cast<Wide>(lower) || low > static_cast<Wide>(upper)) return Decision::kNone;
    if (low >= static_cast<Wide>(lower) && high <= static_cast<Wide>(upper)) return Decision::kAll;
    return Decision::kOpen;
  }

  // About ns a row, of the blocks that must be read.
  static double CostOf(const BoundColumn& column, T lower, T upper) {
    const double cost = sizeof(T) * 0.05;
    if (column.view.ranges == nullptr || column.repeats || column.view.rows == 0) return cost;
    size_t open = 0;
    size_t blocks = 0;
    for (size_t first = 0; first < column.view.rows; first += segment::kRangeRows, ++blocks)
      open += Decide(column, first, lower, upper) == Decision::kOpen ? 1 : 0;
    return cost * static_cast<double>(open) / static_cast<double>(blocks);
  }

  void Scan(const Block& block) const {
    const auto* values = reinterpret_cast<const Type*>(column_.Values<T>(block));
    const auto lower = static_cast<Type>(lower_);
    const auto upper = static_cast<Type>(upper_);
    for (size_t w = 0; w < block.words();) {
      if (block.wanted[w] == 0) {
        block.is_true[w++] = 0;
        continue;
      }
      const size_t first = w;
      while (w < block.words() && block.wanted[w] != 0) ++w;
      const size_t rows = std::min(block.rows, w * 64) - first * 64;
      kernel_(values + first * 64, rows, lower, upper, block.is_true + first);
    }
  }

  simd::RangeKernel<Type> kernel_;
  BoundColumn column_;
  T lower_;
  T upper_;
  bool negated_;
};

template <class T>
Operator MakeRange(BoundColumn column, T lower, T upper, bool negated = false) {
  return std::make_unique<RangeOperator<T>>(std::move(column), lower, upper, negated);
}

// `v op value` as a range: where a range would have to begin beyond the type, it is empty.
template <class T>
Operator MakeCompare(BoundColumn column, CompareOp op, T value) {
  using Limits = std::numeric_limits<T>;
  constexpr bool kReal = std::is_floating_point_v<T>;
  constexpr bool kBool = std::is_same_v<T, uint8_t>;  // 0 and 1
  const T lowest = kReal ? -Limits::infinity() : Limits::lowest();
  const T highest = kReal ? Limits::infinity() : kBool ? T{1} : Limits::max();
  const auto step = [](T from, T to) {
    if constexpr (kReal) {
      return std::nextafter(from, to);
    } else {
      return static_cast<T>(to > from ? from + 1 : from - 1);
    }
  };
  switch (op) {
    case CompareOp::kEq: return MakeRange<T>(std::move(column), value, value);
    case CompareOp::kNe: return MakeRange<T>(std::move(column), value, value, true);
    case CompareOp::kLe: return MakeRange<T>(std::move(column), lowest, value);
    case CompareOp::kGe: return MakeRange<T>(std::move(column), value, highest);
    case CompareOp::kLt:
      if (value == lowest) return MakeConstantOver(std::move(column), false);
      return MakeRange<T>(std::move(column), lowest, step(value, lowest));
    case CompareOp::kGt:
      if (value == highest) return MakeConstantOver(std::move(column), false);
      return MakeRange<T>(std::move(column), step(value, highest), highest);
  }
  return MakeConstantOver(std::move(column), false);
}

// Few values: one vectorised comparison each.
template <class T>
class FewInOperator final : public FilterOperator {
 public:
  FewInOperator(BoundColumn column, std::vector<T> values)
      : FilterOperator(static_cast<double>(sizeof(T) * values.size()) * 0.08),
        column_(std::move(column)),
        values_(std::move(values)) {}
  void Run(const Block& block) override {
    std::fill_n(block.is_true, block.words(), 0);
    uint64_t bits[kBlockWords];
    for (const T value : values_) {
      PackBits(column_.Values<T>(block), block.rows, bits, [=](T v) { return v == value; });
      for (size_t w = 0; w < block.words(); ++w) block.is_true[w] |= bits[w];
    }
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  std::vector<T> values_;
};

template <class T, class Set>
class ManyInOperator final : public FilterOperator {
 public:
  ManyInOperator(BoundColumn column, Set set)
      : FilterOperator(3), column_(std::move(column)), set_(std::move(set)) {}
  void Run(const Block& block) override {
    std::fill_n(block.is_true, block.words(), 0);
    const T* values = column_.Values<T>(block);
    for (size_t w = 0; w < block.words(); ++w) {
      if (block.wanted[w] == ~uint64_t{0}) {
        uint64_t word = 0;
        for (size_t i = 0; i < 64; ++i) word |= uint64_t{set_.Contains(values[w * 64 + i])} << i;
        block.is_true[w] = word;
        continue;
      }
      for (uint64_t bits = block.wanted[w]; bits != 0; bits &= bits - 1) {
        const int i = __builtin_ctzll(bits);
        block.is_true[w] |= uint64_t{set_.Contains(values[w * 64 + i])} << i;
      }
    }
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  Set set_;
};

template <class T>
struct SortedSet {
  std::vector<T> values;
  bool Contains(T v) const { return std::ranges::binary_search(values, v); }
};

constexpr size_t kFewMax = 8;

template <class T>
Result<Operator> MakeIn(BoundColumn column, std::vector<T> values,
                        const std::vector<int64_t>& ints) {
  if (values.empty()) return MakeConstantOver(std::move(column), false);
  if (values.size() <= kFewMax) {
    return std::make_unique<FewInOperator<T>>(std::move(column), std::move(values));
  }
  if constexpr (std::is_integral_v<T>) {
    return std::make_unique<ManyInOperator<T, IntSet>>(std::move(column), IntSet(ints));
  } else {
    return std::make_unique<ManyInOperator<T, SortedSet<T>>>(std::move(column),
                                                             SortedSet<T>{std::move(values)});
  }
}

// The result column of `column op operand`, in int64 or in the column's own floating type.
template <class T>
class ArithmeticOperator final : public FilterOperator {
 public:
  using Wide = std::conditional_t<std::is_floating_point_v<T>, T, int64_t>;
  ArithmeticOperator(BoundColumn column, ArithmeticOp arithmetic, Wide operand, CompareOp op,
                     Wide value)
      : FilterOperator(2),
        column_(std::move(column)),
        arithmetic_(arithmetic),
        operand_(operand),
        op_(op),
        value_(value) {}

  void Run(const Block& block) override {
    const T* values = column_.Values<T>(block);
    Wide results[kBlockRows];  // not a member: a long filter has many of these nodes
    switch (arithmetic_) {
      case ArithmeticOp::kAdd: Compute<ArithmeticOp::kAdd>(values, block, results); break;
      case ArithmeticOp::kSubtract: Compute<ArithmeticOp::kSubtract>(values, block, results); break;
      case ArithmeticOp::kMultiply: Compute<ArithmeticOp::kMultiply>(values, block, results); break;
      case ArithmeticOp::kDivide: Compute<ArithmeticOp::kDivide>(values, block, results); break;
      case ArithmeticOp::kModulo: Compute<ArithmeticOp::kModulo>(values, block, results); break;
      case ArithmeticOp::kBitAnd: Compute<ArithmeticOp::kBitAnd>(values, block, results); break;
      case ArithmeticOp::kBitOr: Compute<ArithmeticOp::kBitOr>(values, block, results); break;
      case ArithmeticOp::kBitXor: Compute<ArithmeticOp::kBitXor>(values, block, results); break;
      case ArithmeticOp::kShiftLeft:
        Compute<ArithmeticOp::kShiftLeft>(values, block, results);
        break;
      case ArithmeticOp::kShiftRight:
        Compute<ArithmeticOp::kShiftRight>(values, block, results);
        break;
    }
    const Wide value = value_;
    WithCompare(op_, [&](auto compare) {
      PackBits(results, block.rows, block.is_true, [=](Wide v) { return compare(v, value); });
    });
    ApplyNulls(column_, block);
  }

 private:
  template <ArithmeticOp kOp>
  void Compute(const T* values, const Block& block, Wide* results) const {
    const Wide operand = operand_;
    for (size_t i = 0; i < block.rows; ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        results[i] = expr::ApplyFloat<T>(kOp, values[i], operand);
      } else {
        results[i] = expr::ApplyInt(kOp, values[i], operand);
      }
    }
  }

  BoundColumn column_;
  ArithmeticOp arithmetic_;
  Wide operand_;
  CompareOp op_;
  Wide value_;
};

bool IsValid(CompareOp op) { return op <= CompareOp::kGe; }

}  // namespace

Result<Operator> MakeNumberCompare(BoundColumn column, CompareOp op, const Value& value) {
  if (!IsValid(op)) return Unfit("an operator");
  return ForType(column.view.type, [&]<class T>(T) -> Result<Operator> {
    const auto number = NumberOf<T>(value);
    if (!number) return Unfit("a literal");
    if constexpr (std::is_integral_v<T>) {
      if (!Fits<T>(*number)) {  // beyond the type on one side: the same answer for every value
        const bool holds =
            Holds(op, *number > 0 ? std::partial_ordering::less : std::partial_ordering::greater);
        return MakeConstantOver(std::move(column), holds);
      }
    }
    return MakeCompare<T>(std::move(column), op, static_cast<T>(*number));
  });
}

Result<Operator> MakeNumberRange(BoundColumn column, const expr::Range& range) {
  return ForType(column.view.type, [&]<class T>(T) -> Result<Operator> {
    auto lower = NumberOf<T>(range.lower);
    auto upper = NumberOf<T>(range.upper);
    if (!lower || !upper) return Unfit("a bound");
    if constexpr (std::is_integral_v<T>) {
      constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
      constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
      if ((!range.lower_inclusive && *lower == kMax) ||
          (!range.upper_inclusive && *upper == kMin)) {
        return MakeConstantOver(std::move(column), false);
      }
      const int64_t low = std::max<int64_t>(range.lower_inclusive ? *lower : *lower + 1,
                                            std::numeric_limits<T>::min());
      const int64_t high = std::min<int64_t>(range.upper_inclusive ? *upper : *upper - 1,
                                             std::numeric_limits<T>::max());
      if (low > high) return MakeConstantOver(std::move(column), false);
      return MakeRange<T>(std::move(column), static_cast<T>(low), static_cast<T>(high));
    } else {
      constexpr T kInfinity = std::numeric_limits<T>::infinity();
      if ((!range.lower_inclusive && *lower == kInfinity) ||
          (!range.upper_inclusive && *upper == -kInfinity)) {
        return MakeConstantOver(std::move(column), false);
      }
      return MakeRange<T>(std::move(column),
                          range.lower_inclusive ? *lower : std::nextafter(*lower, kInfinity),
                          range.upper_inclusive ? *upper : std::nextafter(*upper, -kInfinity));
    }
  });
}

Result<Operator> MakeNumberIn(BoundColumn column, const expr::ValueSet& set) {
  return ForType(column.view.type, [&]<class T>(T) -> Result<Operator> {
    std::vector<T> values;
    std::vector<int64_t> ints;
    if constexpr (std::is_same_v<T, uint8_t>) {
      if (set.has_false) values.push_back(0);
      if (set.has_true) values.push_back(1);
    } else if constexpr (std::is_integral_v<T>) {
      for (int64_t v : set.ints) {
        if (!Fits<T>(v)) continue;
        values.push_back(static_cast<T>(v));
        ints.push_back(v);
      }
      std::ranges::sort(ints);  // bytes from elsewhere may not ascend
    } else {
      for (double v : set.doubles)
        values.push_back(static_cast<T>(std::is_same_v<T, float> ? ToFloat(v) : v));
      std::ranges::sort(values);
    }
    return MakeIn<T>(std::move(column), std::move(values), ints);
  });
}

Result<Operator> MakeArithmetic(BoundColumn column, const expr::ArithmeticCompare& form) {
  if (!IsValid(form.op) || form.arithmetic > ArithmeticOp::kShiftRight) return Unfit("an operator");
  return ForType(column.view.type, [&]<class T>(T) -> Result<Operator> {
    if constexpr (std::is_same_v<T, uint8_t>) {
      return Unfit("arithmetic on bool");
    } else {
      const auto operand = NumberOf<T>(form.operand);
      const auto value = NumberOf<T>(form.value);
      if (!operand || !value) return Unfit("a literal");
      const bool divides =
          form.arithmetic == ArithmeticOp::kDivide || form.arithmetic == ArithmeticOp::kModulo;
      if (divides && *operand == 0 && std::is_integral_v<T>) return Unfit("a zero divisor");
      return std::make_unique<ArithmeticOperator<T>>(std::move(column), form.arithmetic, *operand,
                                                     form.op, *value);
    }
  });
}

namespace {

// Two columns: widened to int64 or double when that keeps every value, else compared exactly.
class CompareNumbersOperator final : public FilterOperator {
 public:
  CompareNumbersOperator(BoundColumn left, CompareOp op, BoundColumn right)
      : FilterOperator(2), left_(std::move(left)), op_(op), right_(std::move(right)) {}

  void Run(const Block& block) override {
    const bool left_floats = model::IsFloating(left_.view.type);
    const bool right_floats = model::IsFloating(right_.view.type);
    if (!left_floats && !right_floats) {
      int64_t left[kBlockRows];
      int64_t right[kBlockRows];
      Widen(left_, block, left);
      Widen(right_, block, right);
      Pack(block, left, right);
    } else if (left_.view.type == DataType::kInt64 || right_.view.type == DataType::kInt64) {
      int64_t ints[kBlockRows];
      double doubles[kBlockRows];
      Widen(left_floats ? right_ : left_, block, ints);
      Widen(left_floats ? left_ : right_, block, doubles);
      const CompareOp op = left_floats ? Mirror(op_) : op_;
      std::fill_n(block.is_true, block.words(), 0);
      ForEachWanted(block, [&](size_t i) {
        if (Holds(op, expr::CompareExact(ints[i], doubles[i]))) SetBit(block.is_true, i);
      });
    } else {
      double left[kBlockRows];
      double right[kBlockRows];
      Widen(left_, block, left);
      Widen(right_, block, right);
      Pack(block, left, right);
    }
    ApplyNulls(right_, block);
    uint64_t right_unknown[kBlockWords];
    std::copy_n(block.is_unknown, block.words(), right_unknown);
    ApplyNulls(left_, block);
    for (size_t w = 0; w < block.words(); ++w) {
      block.is_unknown[w] |= right_unknown[w];
      block.is_true[w] &= ~right_unknown[w];
    }
  }

 private:
  template <class Wide>
  static void Widen(const BoundColumn& column, const Block& block, Wide* out) {
    (void)ForType(column.view.type, [&]<class T>(T) -> Result<Operator> {
      const T* values = column.Values<T>(block);
      for (size_t i = 0; i < block.rows; ++i) out[i] = static_cast<Wide>(values[i]);
      return Operator();
    });
  }
  template <class Wide>
  void Pack(const Block& block, const Wide* a, const Wide* b) {
    WithCompare(op_, [&](auto compare) {
      alignas(64) uint8_t holds[kBlockRows];
      for (size_t i = 0; i < block.rows; ++i) holds[i] = compare(a[i], b[i]);
      PackBits(holds, block.rows, block.is_true, [](uint8_t h) { return h != 0; });
    });
  }

  BoundColumn left_;
  CompareOp op_;
  BoundColumn right_;
};

class CompareStringsOperator final : public FilterOperator {
 public:
  CompareStringsOperator(BoundColumn left, CompareOp op, BoundColumn right)
      : FilterOperator(15), left_(std::move(left)), op_(op), right_(std::move(right)) {}
  void Run(const Block& block) override {
    Clear(block);
    const size_t a = left_.Base(block);
    const size_t b = right_.Base(block);
    ForEachWanted(block, [&](size_t i) {
      if (left_.view.IsNull(a + i) || right_.view.IsNull(b + i)) {
        SetBit(block.is_unknown, i);
      } else if (Holds(op_, left_.view.StringAt(a + i) <=> right_.view.StringAt(b + i))) {
        SetBit(block.is_true, i);
      }
    });
  }

 private:
  BoundColumn left_;
  CompareOp op_;
  BoundColumn right_;
};

}  // namespace

Result<Operator> MakeCompareColumns(BoundColumn left, CompareOp op, BoundColumn right) {
  if (!IsValid(op)) return Unfit("an operator");
  const bool strings = model::IsString(left.view.type);
  if (strings != model::IsString(right.view.type)) return Unfit("two columns' types");
  if (strings) {
    return std::make_unique<CompareStringsOperator>(std::move(left), op, std::move(right));
  }
  for (const BoundColumn* column : {&left, &right}) {
    auto check = ForType(column->view.type, [](auto) -> Result<Operator> { return Operator(); });
    if (!check) return check;
  }
  return std::make_unique<CompareNumbersOperator>(std::move(left), op, std::move(right));
}

}  // namespace elanus::query
