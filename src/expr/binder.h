// Untyped tree to bound tree: resolves names against the schema, fills templates, folds constants,
// checks types and gives literals their column's type. Every refusal has Milvus' text.
// Inside this room only: filter.h is the door. The class is spread over binder.cc (names, logic),
// bind_compare.cc (comparison, range, in), bind_time.cc (times, intervals), bind_call.cc
// (arithmetic, like, functions), bind_members.cc (sets from clients) and bind_struct.cc (struct
// arrays).
#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "expr/filter.h"
#include "expr/node.h"
#include "expr/parser.h"
#include "model/schema.h"
#include "model/timestamptz.h"

namespace elanus::expr {

struct LiteralTerm {
  Value value;
  bool is_template = false;
};
struct ColumnTerm {
  ColumnRef column;
  const model::FieldSchema* field = nullptr;

  /// The type of its values: of an element of an array the element's.
  model::DataType type() const {
    const bool element = column.type == model::DataType::kArray && !column.path.empty();
    return element ? field->element_type : column.type;
  }
};
struct ArithmeticTerm {
  ColumnRef column;
  model::DataType type = model::DataType::kNone;  ///< of the column's values
  ArithmeticOp op = ArithmeticOp::kAdd;
  Value operand;
  bool mirrored = false;  ///< the constant stands on the left of an operation that minds it
};
struct LengthTerm {
  ColumnRef column;
};
/// random_sample(factor): not a predicate of one row.
struct SampleTerm {
  double factor = 0;
};
/// `iso '2025-01-01T00:00:00Z'`, in microseconds.
struct TimeTerm {
  int64_t micros = 0;
};
struct IntervalTerm {
  model::Interval interval;
};
/// A TIMESTAMPTZ column plus (sign 1) or minus (-1) an interval.
struct ShiftedTerm {
  ColumnRef column;
  model::Interval interval;
  int32_t sign = 1;
};
/// What a subtree means: a constant, a column, a value computed from one column, or (Node) a
/// predicate.
using Term = std::variant<LiteralTerm, ColumnTerm, ArithmeticTerm, LengthTerm, TimeTerm,
                          IntervalTerm, ShiftedTerm, SampleTerm, Node>;

/// Of all regular expressions of a filter.
inline constexpr size_t kRegexBytesMax = size_t{540} << 20;

class Binder {
 public:
  /// \param time_zone  of times told without an offset; empty = UTC
  Binder(const model::CollectionSchema& schema, const Templates& templates,
         std::string_view time_zone)
      : schema_(schema), templates_(templates), time_zone_(time_zone) {}

  Result<Term> Bind(const Syntax& syntax);
  /// The factor of `... and random_sample(factor)`, which Bind leaves out of its answer; 0 = none.
  double sample() const { return sample_; }
  /// What `element_filter` asks, which Bind also answers as a predicate of the row; nullptr = none.
  std::shared_ptr<const ElementFilter> TakeElements() { return std::move(elements_); }
  /// The column of a kName node.
  Result<ColumnRef> BindColumn(const Syntax& syntax);

 private:
  // binder.cc
  Result<Term> BindName(const Syntax& syntax);
  Result<ColumnTerm> Resolve(const Syntax& syntax);
  Result<ColumnTerm> ResolvePath(std::string_view text);
  Result<ColumnTerm> ResolveElement(std::string_view text) const;
  Result<ColumnTerm> ResolveStructPath(std::string_view text) const;
  bool MayHaveKeys(std::string_view name) const;
  Result<ColumnTerm> WholeStruct(const model::StructSchema& given) const;
  Result<ColumnTerm> DynamicKey(std::vector<std::string> path, std::string_view base) const;
  Result<Term> BindTemplate(const Syntax& syntax) const;
  Result<Term> BindArray(const Syntax& syntax);
  Result<Term> BindChain(const Syntax& syntax);
  Result<Term> BindLogic(const Syntax& syntax, bool is_and);
  Result<Term> BindUnary(const Syntax& syntax);
  Result<Term> BindExists(const Syntax& syntax);
  Result<Term> BindIsNull(const Syntax& syntax);

  // bind_compare.cc
  Result<Term> BindCompare(CompareOp op, Term left, Term right, std::string_view text);
  Result<Term> CompareWithValue(CompareOp op, const Term& left, const Value& value, bool mirrored);
  Result<Term> CompareTwoColumns(CompareOp op, const ColumnTerm& left, const ColumnTerm& right);
  Result<Term> BindRange(const Syntax& syntax);
  Result<Term> BindIn(Term left, std::string_view left_text, const Syntax& list, bool negated);

  // bind_time.cc
  Result<Term> BindOption(const Syntax& syntax);
  Result<Term> ShiftTime(ArithmeticOp op, const Term& left, const Term& right);
  Result<Term> CompareTime(CompareOp op, const Term& left, const Term& right);

  // bind_call.cc
  Result<Term> BindArithmetic(ArithmeticOp op, Term left, Term right);
  Result<Term> BindLike(const Term& left, const Syntax& pattern);
  Result<Term> BindRegex(const Term& left, const Syntax& pattern, bool negated);
  Result<Term> BindCall(const Syntax& syntax);
  Result<Term> BindContains(const Syntax& syntax, std::string_view name);
  Result<Term> BindLength(const Syntax& syntax);
  Result<Term> BindEmpty(const Syntax& syntax);
  Result<Term> BindStartsWith(const Syntax& syntax);
  Result<Term> BindSample(const Syntax& syntax);

  // bind_geometry.cc
  Result<Term> BindTextMatch(const Syntax& syntax, std::string_view name);
  /// The error for a call of a function that is not there, or not for such arguments.
  Result<Term> NoFunction(const Syntax& call, std::string_view name);
  Result<Term> BindGeometry(const Syntax& syntax, std::string_view name);

  // bind_members.cc
  Result<Term> BindBloomMatch(const Syntax& syntax);
  Result<Term> BindRoaringMatch(const Syntax& syntax);
  template <class Members>
  Result<std::shared_ptr<const Members>> MembersOf(const Syntax& blob);

  // bind_struct.cc
  Result<Term> BindMatch(const Syntax& syntax, std::string_view name);
  Result<Term> BindElementFilter(const Syntax& syntax);
  Result<Node> BindElements(const Syntax& struct_name, const Syntax& predicate,
                            std::string_view function);

  const model::CollectionSchema& schema_;
  const Templates& templates_;
  const std::string_view time_zone_;
  double sample_ = 0;
  size_t regex_bytes_ = 0;  ///< what those met so far may take
  std::shared_ptr<const ElementFilter> elements_;
  /// By the template's name: a set is read once however often it is used.
  std::map<std::string_view, std::shared_ptr<const BloomMembers>> blooms_;
  std::map<std::string_view, std::shared_ptr<const RoaringMembers>> roarings_;
  /// Inside match_any(struct, ..) and its like: the struct, and what the function is called.
  const model::StructSchema* inside_ = nullptr;
  std::string_view inside_function_;
};

/// The type that messages name: of a literal its own, of arithmetic its result's.
model::DataType TypeOf(const Term& term);

/// The value of a kLiteral node.
Result<Value> LiteralValue(const Syntax& syntax);

/// The value as a column of this type keeps it. Errors: `cannot cast value to T: incompatible
/// source type`.
Result<Value> CastTo(model::DataType type, const Value& value);

/// A term's error when the column may not stand in a scalar operation: text fields, arrays.
Status CheckScalar(const ColumnTerm& term);

/// Puts the lists into the order that ValueSet promises.
void Normalize(ValueSet& set);

/// Negates a predicate; a double negation disappears.
Node Negate(Node node);

/// Joins predicates, at least one: nested ones of the same kind are spliced, equalities of one
/// column under `or` become one `in`.
Node Join(bool is_and, std::vector<Node> operands);

std::unexpected<Status> BindError(std::string message);

}  // namespace elanus::expr
