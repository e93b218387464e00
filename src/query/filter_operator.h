// The running form of a filter's node. Inside this room only; filter.h is the door.
// Holds: Run answers for the rows whose bit is set in `wanted`; other bits of its output are
// anything. Operators own scratch memory: one thread runs one tree.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "base/cancel.h"
#include "base/status.h"
#include "expr/node.h"
#include "model/column.h"
#include "model/schema.h"
#include "segment/column_view.h"

namespace elanus::query {

/// Rows of a block: bitsets and scratch columns of all nodes stay in the first-level cache.
inline constexpr size_t kBlockRows = 4096;
inline constexpr size_t kBlockWords = kBlockRows / 64;

/// Ends the work on a block of a filter so long that a block takes long.
class CancelGate {
 public:
  explicit CancelGate(const Cancel* cancel) : cancel_(cancel) {}
  /// Whether to leave off: asks the caller once about so much work has been done since it last did.
  bool Leaves(double ns) {
    ns_ += ns;
    if (ns_ < kNsBetween || cancel_ == nullptr) return !status_.ok();
    ns_ = 0;
    if (status_.ok()) status_ = cancel_->Check();
    return !status_.ok();
  }
  const Status& status() const { return status_; }

 private:
  static constexpr double kNsBetween = 1e6;

  const Cancel* const cancel_;
  double ns_ = 0;
  Status status_;
};

struct Block {
  size_t first = 0;  ///< row of bit 0
  size_t rows = 0;   ///< at most kBlockRows
  const uint64_t* wanted = nullptr;
  uint64_t* is_true = nullptr;
  uint64_t* is_unknown = nullptr;
  CancelGate* gate = nullptr;  ///< may be null; what it ended has any answer

  size_t words() const { return (rows + 63) / 64; }
};

class FilterOperator {
 public:
  /// \param cost  about ns a row, to run cheap operands first
  explicit FilterOperator(double cost) : cost_(cost) {}
  virtual ~FilterOperator() = default;
  virtual void Run(const Block& block) = 0;
  double cost() const { return cost_; }
  /// The part of the rows it is expected to keep, when something is known before they are read.
  virtual std::optional<double> KeptPart() const { return std::nullopt; }
  /// Whether Run would read the column: statistics of the block may say enough.
  virtual bool Reads(const Block& /*block*/) const { return true; }

 private:
  double cost_;
};
using Operator = std::unique_ptr<FilterOperator>;

/// A column of the source, or one repeated value in its place.
struct BoundColumn {
  segment::ColumnView view;
  bool repeats = false;  ///< the view has kBlockRows equal rows that serve for every block
  std::shared_ptr<const model::Column> owned;

  size_t Base(const Block& block) const { return repeats ? 0 : block.first; }
  template <class T>
  const T* Values(const Block& block) const {
    return view.Values<T>().data() + Base(block);
  }
};

/// Writes one bit a value: pred(values[i]). The loop over bytes is what compilers vectorise; eight
/// bytes of 0 or 1 become eight bits by one multiplication.
template <class T, class Pred>
inline void PackBits(const T* values, size_t rows, uint64_t* out, Pred pred) {
  size_t row = 0;
  for (; row + 64 <= rows; row += 64) {
    alignas(64) uint8_t bytes[64];
    for (int i = 0; i < 64; ++i) bytes[i] = static_cast<uint8_t>(pred(values[row + i]));
    uint64_t word = 0;
    for (int i = 0; i < 8; ++i) {
      uint64_t eight;
      __builtin_memcpy(&eight, bytes + 8 * i, 8);
      word |= ((eight * 0x0102040810204080ULL) >> 56) << (8 * i);
    }
    out[row / 64] = word;
  }
  if (row == rows) return;
  uint64_t word = 0;
  for (size_t i = 0; row + i < rows; ++i) word |= uint64_t{pred(values[row + i]) ? 1U : 0U} << i;
  out[row / 64] = word;
}

/// A double as a float, infinite beyond a float's range: a literal beside a FLOAT column.
inline float ToFloat(double value) {
  constexpr double kMax = std::numeric_limits<float>::max();
  if (value > kMax) return std::numeric_limits<float>::infinity();
  if (value < -kMax) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(value);
}

/// Calls visit(i) for each wanted row of the block.
template <class Visit>
inline void ForEachWanted(const Block& block, Visit visit) {
  for (size_t w = 0; w < block.words(); ++w) {
    for (uint64_t bits = block.wanted[w]; bits != 0; bits &= bits - 1) {
      visit(w * 64 + static_cast<size_t>(__builtin_ctzll(bits)));
    }
  }
}

inline void Clear(const Block& block) {
  std::fill_n(block.is_true, block.words(), 0);
  std::fill_n(block.is_unknown, block.words(), 0);
}
inline void SetBit(uint64_t* words, size_t i) { words[i / 64] |= uint64_t{1} << (i % 64); }

/// Makes null rows unknown: is_unknown is written, is_true loses their bits.
void ApplyNulls(const BoundColumn& column, const Block& block);

// Makers; the column's view has the type that the maker's name says. Errors: kInternal when a
// literal does not fit the column.
Result<Operator> MakeNumberCompare(BoundColumn column, expr::CompareOp op,
                                   const expr::Value& value);
Result<Operator> MakeNumberRange(BoundColumn column, const expr::Range& range);
Result<Operator> MakeNumberIn(BoundColumn column, const expr::ValueSet& values);
Result<Operator> MakeArithmetic(BoundColumn column, const expr::ArithmeticCompare& compare);
Result<Operator> MakeCompareColumns(BoundColumn left, expr::CompareOp op, BoundColumn right);

Result<Operator> MakeStringCompare(BoundColumn column, expr::CompareOp op,
                                   const expr::Value& value);
Result<Operator> MakeStringRange(BoundColumn column, const expr::Range& range);
Result<Operator> MakeStringIn(BoundColumn column, const expr::ValueSet& values);
Result<Operator> MakeStringLike(BoundColumn column, const std::string& pattern);
Result<Operator> MakeStringRegex(BoundColumn column, const std::string& pattern);

// Of sets that clients built. Errors: kInternal when the column is of no type they are for, or the
// set was not readable.
Result<Operator> MakeBloomMatch(BoundColumn column, const expr::BloomMatch& form);
Result<Operator> MakeRoaringMatch(BoundColumn column, const expr::RoaringMatch& form);
Result<Operator> MakeStringBloom(BoundColumn column,
                                 std::shared_ptr<const expr::BloomMembers> members);

Result<Operator> MakeTimeCompare(BoundColumn column, const expr::TimeCompare& form);

/// How many elements of a struct array's rows pass a predicate.
/// \param source, schema  outlive the operator
Result<Operator> MakeMatch(const segment::RowSource& source, const model::CollectionSchema& schema,
                           const expr::Node& node);
/// array_length of lists of vectors.
/// \param vector_bytes  of one of them
Operator MakeListLength(BoundColumn column, size_t vector_bytes, const expr::LengthCompare& form);

Result<Operator> MakeGeometry(BoundColumn column, const expr::GeometryCompare& form);

/// Any form whose column is JSON or an ARRAY, IsNull excepted.
Result<Operator> MakeJson(BoundColumn column, const expr::Node& node);

/// True, false or (by column) null everywhere.
Operator MakeConstant(bool value);
Operator MakeConstantOver(BoundColumn column, bool value);
Operator MakeIsNull(BoundColumn column);

std::unexpected<Status> Unfit(std::string_view what);

}  // namespace elanus::query
