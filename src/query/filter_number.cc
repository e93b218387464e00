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

// A double as a float, infinite beyond a float's range.
float ToFloat(double value) {
  constexpr double kMax = std::numeric_limits<float>::max();
  if (value > kMax) return std::numeric_limits<float>::infinity();
  if (value < -kMax) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(value);
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

template <class T>
class CompareOperator final : public FilterOperator {
 public:
  CompareOperator(BoundColumn column, CompareOp op, T value)
      : FilterOperator(sizeof(T) * 0.08), column_(std::move(column)), op_(op), value_(value) {}
  void Run(const Block& block) override {
    const T value = value_;
    WithCompare(op_, [&](auto compare) {
      PackBits(column_.Values<T>(block), block.rows, block.is_true,
               [=](T v) { return compare(v, value); });
    });
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  CompareOp op_;
  T value_;
};

// lower <= v <= upper; open ends were moved inwards by one step.
template <class T>
class RangeOperator final : public FilterOperator {
 public:
  RangeOperator(BoundColumn column, T lower, T upper)
      : FilterOperator(sizeof(T) * 0.1), column_(std::move(column)), lower_(lower), upper_(upper) {}
  void Run(const Block& block) override {
    const T lower = lower_;
    const T upper = upper_;
    PackBits(column_.Values<T>(block), block.rows, block.is_true,
             [=](T v) { return (v >= lower) & (v <= upper); });
    ApplyNulls(column_, block);
  }

 private:
  BoundColumn column_;
  T lower_;
  T upper_;
};

template <class T>
Operator MakeRange(BoundColumn column, T lower, T upper) {
  return std::make_unique<RangeOperator<T>>(std::move(column), lower, upper);
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

// Membership of any number of values of one integer type: a bitmap over their span when that is
// small, else a hash table with linear probing, at most half full, behind a filter of 16 bits a
// value: most rows are in no list, and one bit tells without a surprise for the branch predictor.
class IntSet {
 public:
  // `values` ascends and is not empty.
  explicit IntSet(const std::vector<int64_t>& values) : low_(values.front()) {
    span_ = static_cast<uint64_t>(values.back()) - static_cast<uint64_t>(low_);
    if (span_ < kBitmapBitsMax || span_ / 64 < values.size()) {
      bits_.assign(span_ / 64 + 1, 0);
      for (int64_t v : values) SetBit(bits_.data(), Offset(v));
      return;
    }
    const int log = std::bit_width(values.size() * 2 - 1);
    slot_shift_ = 64 - log;
    slots_.assign(size_t{1} << log, low_);  // the smallest value marks empty slots
    bits_.assign((size_t{1} << (log + 3)) / 64, 0);
    for (int64_t v : values) {
      const uint64_t hash = Hash(v);
      SetBit(bits_.data(), hash >> (slot_shift_ - 3));
      slots_[SlotOf(v, hash)] = v;
    }
  }

  bool Contains(int64_t v) const {
    if (slots_.empty()) return Offset(v) <= span_ && TestBit(Offset(v));
    const uint64_t hash = Hash(v);
    if (!TestBit(hash >> (slot_shift_ - 3))) return false;
    return v == low_ || slots_[SlotOf(v, hash)] == v;
  }

 private:
  static constexpr uint64_t kBitmapBitsMax = 1 << 16;

  // Two rounds: one multiplication alone puts evenly spaced values into long runs.
  static uint64_t Hash(int64_t v) {
    const uint64_t hash = static_cast<uint64_t>(v) * 0x9E3779B97F4A7C15ULL;
    return (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93ULL;
  }
  bool TestBit(uint64_t bit) const { return ((bits_[bit / 64] >> (bit % 64)) & 1) != 0; }
  uint64_t Offset(int64_t v) const {
    return static_cast<uint64_t>(v) - static_cast<uint64_t>(low_);
  }
  // The slot that holds v, or the empty one where it would go.
  size_t SlotOf(int64_t v, uint64_t hash) const {
    size_t slot = hash >> slot_shift_;
    while (slots_[slot] != v && slots_[slot] != low_) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  int64_t low_;
  uint64_t span_ = 0;
  std::vector<uint64_t> bits_;  // of the span, or of the hashes' first bits
  std::vector<int64_t> slots_;  // empty when the bits say it all
  int slot_shift_ = 0;
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
    switch (arithmetic_) {
      case ArithmeticOp::kAdd: Compute<ArithmeticOp::kAdd>(values, block); break;
      case ArithmeticOp::kSubtract: Compute<ArithmeticOp::kSubtract>(values, block); break;
      case ArithmeticOp::kMultiply: Compute<ArithmeticOp::kMultiply>(values, block); break;
      case ArithmeticOp::kDivide: Compute<ArithmeticOp::kDivide>(values, block); break;
      case ArithmeticOp::kModulo: Compute<ArithmeticOp::kModulo>(values, block); break;
      case ArithmeticOp::kBitAnd: Compute<ArithmeticOp::kBitAnd>(values, block); break;
      case ArithmeticOp::kBitOr: Compute<ArithmeticOp::kBitOr>(values, block); break;
      case ArithmeticOp::kBitXor: Compute<ArithmeticOp::kBitXor>(values, block); break;
      case ArithmeticOp::kShiftLeft: Compute<ArithmeticOp::kShiftLeft>(values, block); break;
      case ArithmeticOp::kShiftRight: Compute<ArithmeticOp::kShiftRight>(values, block); break;
    }
    const Wide value = value_;
    WithCompare(op_, [&](auto compare) {
      PackBits(results_, block.rows, block.is_true, [=](Wide v) { return compare(v, value); });
    });
    ApplyNulls(column_, block);
  }

 private:
  template <ArithmeticOp kOp>
  void Compute(const T* values, const Block& block) {
    const Wide operand = operand_;
    for (size_t i = 0; i < block.rows; ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        results_[i] = expr::ApplyFloat<T>(kOp, values[i], operand);
      } else {
        results_[i] = expr::ApplyInt(kOp, values[i], operand);
      }
    }
  }

  BoundColumn column_;
  ArithmeticOp arithmetic_;
  Wide operand_;
  CompareOp op_;
  Wide value_;
  Wide results_[kBlockRows];
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
    return std::make_unique<CompareOperator<T>>(std::move(column), op, static_cast<T>(*number));
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
      Widen(left_, block, ints_);
      Widen(right_, block, more_ints_);
      Pack(block, ints_, more_ints_);
    } else if (left_.view.type == DataType::kInt64 || right_.view.type == DataType::kInt64) {
      Widen(left_floats ? right_ : left_, block, ints_);
      Widen(left_floats ? left_ : right_, block, doubles_);
      const CompareOp op = left_floats ? Mirror(op_) : op_;
      std::fill_n(block.is_true, block.words(), 0);
      ForEachWanted(block, [&](size_t i) {
        if (Holds(op, expr::CompareExact(ints_[i], doubles_[i]))) SetBit(block.is_true, i);
      });
    } else {
      Widen(left_, block, doubles_);
      Widen(right_, block, more_doubles_);
      Pack(block, doubles_, more_doubles_);
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
  int64_t ints_[kBlockRows];
  int64_t more_ints_[kBlockRows];
  double doubles_[kBlockRows];
  double more_doubles_[kBlockRows];
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
