// Numbers for the groups that rows belong to by the values of some columns, a block of rows at a
// time: a flat table a column, and one that joins two numbers into one. Holds: equal values (null
// equals null, others by their bytes) have one number, numbers count up from 0 in the order in
// which groups are met. One object belongs to one thread. Called by rank/aggregate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/column_view.h"

namespace elanus::rank {

inline constexpr uint32_t kNoCode = ~uint32_t{0};

/// 64-bit keys to numbers in a flat table: at most a quarter full while that fits the caches, then
/// half.
class CodeTable {
 public:
  CodeTable() { Grow(); }

  /// Has the memory of a key's number fetched.
  void Prefetch(uint64_t key) const { __builtin_prefetch(&slots_[PlaceOf(key)]); }
  /// What most probably is the number of a key, kNoCode when that is not known soon.
  uint32_t Guess(uint64_t key) const {
    const Slot& slot = slots_[PlaceOf(key)];
    return slot.key == key ? slot.code : kNoCode;
  }
  /// The number of a key for which same(number) holds, or `next`, which the key then has.
  /// \param same  asked of entries with this key only: keys of texts are their hashes
  template <class Same>
  uint32_t CodeOf(uint64_t key, uint32_t next, Same same) {
    size_t at = PlaceOf(key);
    for (; slots_[at].code != kNoCode; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].key == key && same(slots_[at].code)) return slots_[at].code;
    }
    slots_[at] = {key, next};
    if (++used_ > used_max_) Grow();
    return next;
  }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t code = kNoCode;
  };
  size_t PlaceOf(uint64_t key) const { return (key * 0x9E3779B97F4A7C15ULL) >> shift_; }
  void Grow();

  std::vector<Slot> slots_;
  size_t used_ = 0;
  size_t used_max_ = 0;
  int shift_ = 64;
};

/// The distinct values of one column.
class ValueCodes {
 public:
  explicit ValueCodes(model::DataType type) : type_(type) {}

  /// Writes codes[i] for row rows[i]. \pre column.type is the constructor's
  void Code(const model::ColumnView& column, std::span<const uint32_t> rows, uint32_t* codes);
  uint32_t count() const { return count_; }

 private:
  template <class Bits>
  void CodeFixed(const model::ColumnView& column, std::span<const uint32_t> rows, uint32_t* codes);
  void CodeTexts(const model::ColumnView& column, std::span<const uint32_t> rows, uint32_t* codes);
  uint32_t CodeOfText(std::string_view text, uint64_t hash);
  std::string_view TextOf(uint32_t code) const {
    return {texts_.data() + starts_[code], starts_[code + 1] - starts_[code]};
  }
  uint32_t CodeOfNull();

  model::DataType type_;
  CodeTable table_;
  std::string texts_;              // one after another, by code; null's is empty
  std::vector<size_t> starts_{0};  // where the text of a code begins
  uint32_t null_ = kNoCode;
  uint32_t count_ = 0;
};

class GroupCodes {
 public:
  GroupCodes() = default;
  /// \param types  of the columns; none: all rows are group 0
  explicit GroupCodes(std::span<const model::DataType> types);

  /// Writes codes[i] for row rows[i].
  /// \param columns  one a type
  void Code(std::span<const model::ColumnView> columns, std::span<const uint32_t> rows,
            std::vector<uint32_t>& codes);
  uint32_t count() const { return count_; }

 private:
  std::vector<ValueCodes> values_;
  std::vector<CodeTable> pairs_;  // [i]: the number of columns 0 to i with that of column i + 1
  std::vector<uint32_t> pairs_count_;
  std::vector<uint32_t> second_;
  uint32_t count_ = 0;
};

}  // namespace elanus::rank
