// Operators on string columns. They visit wanted rows one by one, so a cheap operand of an `and`
// saves them.
#include <bit>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <xxhash.h>
#include "expr/number.h"
#include "expr/regex.h"
#include "query/filter_like.h"
#include "query/filter_operator.h"

namespace elanus::query {
namespace {

using expr::CompareOp;
using expr::Value;

// One bit a row from a test of its text; Test is a callable on string_view.
template <class Test>
class StringOperator final : public FilterOperator {
 public:
  StringOperator(double cost, BoundColumn column, Test test)
      : FilterOperator(cost), column_(std::move(column)), test_(std::move(test)) {}
  void Run(const Block& block) override {
    std::fill_n(block.is_true, block.words(), 0);
    const segment::ColumnView& view = column_.view;
    const size_t base = column_.Base(block);
    if (view.strings != nullptr) {
      RunOver(block, [&](size_t i) { return view.strings[base + i]; });
    } else {
      const uint64_t* offsets = view.offsets + base;
      const char* bytes = view.bytes;
      RunOver(block, [=](size_t i) {
        return std::string_view(bytes + offsets[i], offsets[i + 1] - offsets[i]);
      });
    }
    ApplyNulls(column_, block);
  }

 private:
  template <class Text>
  void RunOver(const Block& block, Text text) {
    for (size_t w = 0; w < block.words(); ++w) {
      uint64_t word = 0;
      for (uint64_t bits = block.wanted[w]; bits != 0; bits &= bits - 1) {
        const int i = std::countr_zero(bits);
        word |= uint64_t{test_(text(w * 64 + static_cast<size_t>(i)))} << i;
      }
      block.is_true[w] = word;
    }
  }

  BoundColumn column_;
  Test test_;
};

template <class Test>
Operator Make(double cost, BoundColumn column, Test test) {
  return std::make_unique<StringOperator<Test>>(cost, std::move(column), std::move(test));
}

// `%needle%`: where texts lie one behind the other and most rows are wanted, the whole block is
// searched as one text, and a place found is traced to its row.
class ContainsOperator final : public FilterOperator {
 public:
  ContainsOperator(BoundColumn column, std::string needle)
      : FilterOperator(5), column_(std::move(column)), needle_(std::move(needle)) {}
  void Run(const Block& block) override {
    std::fill_n(block.is_true, block.words(), 0);
    size_t wanted = 0;
    for (size_t w = 0; w < block.words(); ++w) {
      wanted += static_cast<size_t>(std::popcount(block.wanted[w]));
    }
    if (column_.view.strings == nullptr && wanted * 8 >= block.rows) {
      SearchBlock(block);
    } else {
      const size_t base = column_.Base(block);
      ForEachWanted(block, [&](size_t i) {
        const std::string_view text = column_.view.StringAt(base + i);
        if (FindText(text, 0, needle_) != std::string_view::npos) SetBit(block.is_true, i);
      });
    }
    ApplyNulls(column_, block);
  }

 private:
  void SearchBlock(const Block& block) {
    const uint64_t* offsets = column_.view.offsets + column_.Base(block);
    const std::string_view texts(column_.view.bytes, offsets[block.rows]);
    size_t row = 0;
    size_t at = offsets[0];
    while ((at = FindText(texts, at, needle_)) != std::string_view::npos) {
      while (offsets[row + 1] <= at) ++row;
      if (at + needle_.size() <= offsets[row + 1]) {
        SetBit(block.is_true, row);
        at = offsets[row + 1];
      } else {
        ++at;  // the place spans two rows
      }
    }
  }

  BoundColumn column_;
  std::string needle_;
};

// Open addressing, at most half full, behind a filter of at least 16 bits a text: most rows are in
// no list, and one bit tells. A slot is small (part of the hash, which text), so that a thousand
// stay in the first-level cache.
class StringSet {
 public:
  explicit StringSet(std::vector<std::string> values) : texts_(std::move(values)) {
    slots_.resize(std::bit_ceil(texts_.size() * 2));
    bits_.resize(std::max<size_t>(1, slots_.size() * 8 / 64));
    for (uint32_t i = 0; i < texts_.size(); ++i) {
      const uint64_t hash = Hash(texts_[i]);
      SetBit(bits_.data(), BitOf(hash));
      size_t slot = hash & (slots_.size() - 1);
      while (slots_[slot].end != 0) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = {static_cast<uint32_t>(hash >> 32), i + 1};
    }
  }
  bool operator()(std::string_view text) const {
    const uint64_t hash = Hash(text);
    const uint64_t bit = BitOf(hash);
    if (((bits_[bit / 64] >> (bit % 64)) & 1) == 0) return false;
    const auto tag = static_cast<uint32_t>(hash >> 32);
    for (size_t slot = hash & (slots_.size() - 1); slots_[slot].end != 0;
         slot = (slot + 1) & (slots_.size() - 1)) {
      if (slots_[slot].tag == tag && texts_[slots_[slot].end - 1] == text) return true;
    }
    return false;
  }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t end = 0;  // index of the text plus one; 0 = empty
  };
  static uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }
  uint64_t BitOf(uint64_t hash) const { return hash & (bits_.size() * 64 - 1); }

  std::vector<std::string> texts_;
  std::vector<Slot> slots_;
  std::vector<uint64_t> bits_;
};

}  // namespace

Result<Operator> MakeStringCompare(BoundColumn column, CompareOp op, const Value& value) {
  const auto* literal = std::get_if<std::string>(&value.data);
  if (literal == nullptr) return Unfit("a literal");
  const std::string& text = *literal;
  switch (op) {
    case CompareOp::kEq:
      return Make(4, std::move(column), [text](std::string_view v) { return v == text; });
    case CompareOp::kNe:
      return Make(4, std::move(column), [text](std::string_view v) { return v != text; });
    case CompareOp::kLt:
      return Make(8, std::move(column), [text](std::string_view v) { return v < text; });
    case CompareOp::kLe:
      return Make(8, std::move(column), [text](std::string_view v) { return v <= text; });
    case CompareOp::kGt:
      return Make(8, std::move(column), [text](std::string_view v) { return v > text; });
    case CompareOp::kGe:
      return Make(8, std::move(column), [text](std::string_view v) { return v >= text; });
  }
  return Unfit("an operator");
}

Result<Operator> MakeStringRange(BoundColumn column, const expr::Range& range) {
  const auto* lower = std::get_if<std::string>(&range.lower.data);
  const auto* upper = std::get_if<std::string>(&range.upper.data);
  if (lower == nullptr || upper == nullptr) return Unfit("a bound");
  return Make(12, std::move(column),
              [lower = *lower, upper = *upper, low = range.lower_inclusive,
               high = range.upper_inclusive](std::string_view v) {
                const auto from = v <=> lower;
                const auto to = v <=> upper;
                return (low ? from >= 0 : from > 0) && (high ? to <= 0 : to < 0);
              });
}

Result<Operator> MakeStringIn(BoundColumn column, const expr::ValueSet& values) {
  if (values.strings.empty()) return MakeConstantOver(std::move(column), false);
  return Make(10, std::move(column), StringSet(values.strings));
}

Result<Operator> MakeStringLike(BoundColumn column, const std::string& pattern) {
  LikeMatcher matcher(pattern);
  if (const std::string_view needle = matcher.SoughtAnywhere(); !needle.empty()) {
    return std::make_unique<ContainsOperator>(std::move(column), std::string(needle));
  }
  return Make(20, std::move(column), [matcher = std::move(matcher)](std::string_view text) {
    return matcher.Matches(text);
  });
}

Result<Operator> MakeStringBloom(BoundColumn column,
                                 std::shared_ptr<const expr::BloomMembers> members) {
  return Make(8, std::move(column),
              [set = std::move(members)](std::string_view text) { return set->Has(text); });
}

Result<Operator> MakeStringRegex(BoundColumn column, const std::string& pattern) {
  const auto regex = expr::CompileRegex(pattern);
  if (!regex->ok()) return Unfit("a regular expression");
  return Make(150, std::move(column), [regex](std::string_view text) {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
  });
}

}  // namespace elanus::query
