// The bound filter: a typed tree whose columns are field ids and whose literals already have their
// column's type. A plain value with a byte form; made by expr/filter.h, run by query/filter.h.
// Holds (when it comes from ParseFilter): And and Or have two or more children and none of their
// own kind, Not has one, MatchElements has one, every other form has none; nesting is at most
// kNodeDepthMax. Bytes from outside may break all of this: whoever runs a tree checks what it
// relies on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "expr/bloom_members.h"
#include "expr/roaring_members.h"
#include "model/data_type.h"
#include "model/timestamptz.h"

namespace elanus::expr {

/// Deeper trees are refused when parsed, so that every tree's byte form can be read back.
inline constexpr int kNodeDepthMax = 100;

/// A literal or a template's value.
struct Value {
  std::variant<bool, int64_t, double, std::string, std::vector<Value>> data = false;

  template <class V>
  void Visit(V& v) {
    v(data);
  }
  friend bool operator==(const Value& a, const Value& b);
};

/// A column, or one place inside a JSON column.
struct ColumnRef {
  FieldId field;
  model::DataType type = model::DataType::kNone;
  /// Keys from the JSON root; a key of decimal digits is also an array position. Empty = the whole
  /// column.
  std::vector<std::string> path;

  template <class V>
  void Visit(V& v) {
    v(field);
    v(type);
    v(path);
  }
  friend bool operator==(const ColumnRef&, const ColumnRef&) = default;
};

enum class CompareOp : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
enum class ArithmeticOp : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kBitAnd,
  kBitOr,
  kBitXor,
  kShiftLeft,
  kShiftRight,
};

struct Constant {
  bool value = false;
  template <class V>
  void Visit(V& v) {
    v(value);
  }
};

struct And {
  template <class V>
  void Visit(V&) {}
};
struct Or {
  template <class V>
  void Visit(V&) {}
};
struct Not {
  template <class V>
  void Visit(V&) {}
};

/// `column op value`.
struct Compare {
  ColumnRef column;
  CompareOp op = CompareOp::kEq;
  Value value;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(op);
    v(value);
  }
};

/// `left op right`, two columns of comparable types.
struct CompareColumns {
  ColumnRef left;
  CompareOp op = CompareOp::kEq;
  ColumnRef right;
  template <class V>
  void Visit(V& v) {
    v(left);
    v(op);
    v(right);
  }
};

/// `lower < column < upper`, either side with or without equality.
struct Range {
  ColumnRef column;
  Value lower;
  Value upper;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(lower);
    v(upper);
    v(lower_inclusive);
    v(upper_inclusive);
  }
};

/// The right side of `in`, by type; each list ascends without repeats. Only a JSON column uses more
/// than one.
struct ValueSet {
  std::vector<int64_t> ints;
  std::vector<double> doubles;
  std::vector<std::string> strings;
  bool has_true = false;
  bool has_false = false;
  std::vector<Value> arrays;

  bool empty() const {
    return ints.empty() && doubles.empty() && strings.empty() && !has_true && !has_false &&
           arrays.empty();
  }
  template <class V>
  void Visit(V& v) {
    v(ints);
    v(doubles);
    v(strings);
    v(has_true);
    v(has_false);
    v(arrays);
  }
};

struct In {
  ColumnRef column;
  ValueSet values;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(values);
  }
};

/// SQL's like over the whole value: `%` any run, `_` one UTF-8 code point, `\` takes the next
/// character as it is.
struct Like {
  ColumnRef column;
  std::string pattern;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(pattern);
  }
};

/// RE2 syntax, found anywhere in the value; a dot matches a newline too.
struct Regex {
  ColumnRef column;
  std::string pattern;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(pattern);
  }
};

/// `column arithmetic operand op value`, for example `a % 2 == 0`.
struct ArithmeticCompare {
  ColumnRef column;
  ArithmeticOp arithmetic = ArithmeticOp::kAdd;
  Value operand;
  CompareOp op = CompareOp::kEq;
  Value value;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(arithmetic);
    v(operand);
    v(op);
    v(value);
  }
};

/// Of a whole column: always true or false, never unknown. (`j["a"] is null` is Not of Exists.)
struct IsNull {
  ColumnRef column;
  template <class V>
  void Visit(V& v) {
    v(column);
  }
};

/// True where the JSON path leads to something that is not null, {} or [] (nor made only of those).
/// Never unknown.
struct Exists {
  ColumnRef column;
  template <class V>
  void Visit(V& v) {
    v(column);
  }
};

/// A JSON array holds one of, or all of, the values.
struct Contains {
  ColumnRef column;
  bool all = false;
  std::vector<Value> values;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(all);
    v(values);
  }
};

/// `array_length(column) op value`.
struct LengthCompare {
  ColumnRef column;
  CompareOp op = CompareOp::kEq;
  int64_t value = 0;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(op);
    v(value);
  }
};

/// `column + interval op value` of a TIMESTAMPTZ column, `-` with sign -1; value in microseconds.
struct TimeCompare {
  ColumnRef column;
  model::Interval interval;
  int32_t sign = 1;
  CompareOp op = CompareOp::kEq;
  int64_t value = 0;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(interval);
    v(sign);
    v(op);
    v(value);
  }
};

/// How many elements of a struct array's row the child keeps. The child's columns are the struct's
/// members with their elements' types: it is asked of every element.
struct MatchElements {
  enum class Mode : uint8_t { kAny, kAll, kLeast, kMost, kExact };
  FieldId counted;  ///< a member: a row has as many elements as it, and is null where it is
  Mode mode = Mode::kAny;
  int64_t count = 0;  ///< of kLeast, kMost, kExact
  template <class V>
  void Visit(V& v) {
    v(counted);
    v(mode);
    v(count);
  }
};

/// How the shape of a GEOMETRY column lies to another one.
struct GeometryCompare {
  enum class Op : uint8_t {
    kEquals,
    kTouches,
    kOverlaps,
    kCrosses,
    kContains,
    kIntersects,
    kWithin,
    kDistanceWithin,  ///< at most so many metres from a point
    kIsValid,         ///< the shape alone
  };
  ColumnRef column;
  Op op = Op::kIntersects;
  std::string shape;  ///< WKB
  double metres = 0;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(op);
    v(shape);
    v(metres);
  }
};

/// Membership in a set that the client built, with the set's few false hits: INT8-64, VARCHAR, and
/// JSON, of which whole numbers and strings can be members.
struct BloomMatch {
  ColumnRef column;
  std::shared_ptr<const BloomMembers> members;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(members);
  }
};

/// Membership of an INT8-64 column's values in a set that the client built.
struct RoaringMatch {
  ColumnRef column;
  std::shared_ptr<const RoaringMembers> members;
  template <class V>
  void Visit(V& v) {
    v(column);
    v(members);
  }
};

struct Node {
  /// New forms go to the end: the position is the form's number in the byte form.
  using Form = std::variant<Constant, And, Or, Not, Compare, CompareColumns, Range, In, Like, Regex,
                            ArithmeticCompare, IsNull, Exists, Contains, LengthCompare, TimeCompare,
                            MatchElements, GeometryCompare, BloomMatch, RoaringMatch>;
  Form form;
  std::vector<Node> children;

  template <class V>
  void Visit(V& v) {
    v(form);
    v(children);
  }
};

/// The same comparison with its sides exchanged: `1 < a` is `a > 1`.
CompareOp Mirror(CompareOp op);

}  // namespace elanus::expr
