#include "rank/group_codes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>
#include <utility>

namespace elanus::rank {

using model::ColumnView;

void CodeTable::Grow() {
  constexpr size_t kFirst = 256;
  constexpr size_t kSparse = 4096;
  const size_t size = slots_.empty() ? kFirst : slots_.size() * 2;
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(size));
  used_max_ = size / (size <= kSparse ? 4 : 2);
  shift_ = 64 - std::countr_zero(slots_.size());
  for (const Slot& slot : old) {
    if (slot.code == kNoCode) continue;
    size_t at = PlaceOf(slot.key);
    while (slots_[at].code != kNoCode) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

void ValueCodes::Code(const ColumnView& column, std::span<const uint32_t> rows, uint32_t* codes) {
  switch (model::ValueBytes(type_, column.dim)) {
    case 1: return CodeFixed<uint8_t>(column, rows, codes);
    case 2: return CodeFixed<uint16_t>(column, rows, codes);
    case 4: return CodeFixed<uint32_t>(column, rows, codes);
    case 8: return CodeFixed<uint64_t>(column, rows, codes);
    default: return CodeTexts(column, rows, codes);
  }
}

template <class Bits>
void ValueCodes::CodeFixed(const ColumnView& column, std::span<const uint32_t> rows,
                           uint32_t* codes) {
  const Bits* values = column.Values<Bits>().data();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (column.IsNull(rows[i])) {
      codes[i] = CodeOfNull();
      continue;
    }
    codes[i] = table_.CodeOf(values[rows[i]], count_, [](uint32_t) { return true; });
    count_ += codes[i] == count_ ? 1 : 0;
  }
}

void ValueCodes::CodeTexts(const ColumnView& column, std::span<const uint32_t> rows,
                           uint32_t* codes) {
  // Many groups lie beyond the first caches: what a row needs is asked for while others are done,
  // first its slot, then the text that the slot names.
  constexpr size_t kSlotAhead = 32;
  constexpr size_t kTextAhead = 16;
  std::array<uint64_t, kSlotAhead> hashes;
  const auto fetch_slot = [&](size_t i) {
    if (i >= rows.size() || column.IsNull(rows[i])) return;
    hashes[i % kSlotAhead] = std::hash<std::string_view>{}(column.ValueAt(rows[i]));
    table_.Prefetch(hashes[i % kSlotAhead]);
  };
  const auto fetch_text = [&](size_t i) {
    if (i >= rows.size() || column.IsNull(rows[i])) return;
    const uint32_t code = table_.Guess(hashes[i % kSlotAhead]);
    if (code != kNoCode) __builtin_prefetch(TextOf(code).data());
  };
  for (size_t i = 0; i < kSlotAhead; ++i) fetch_slot(i);
  for (size_t i = 0; i < kTextAhead; ++i) fetch_text(i);
  for (size_t i = 0; i < rows.size(); ++i) {
    fetch_text(i + kTextAhead);
    codes[i] = column.IsNull(rows[i]) ? CodeOfNull()
                                      : CodeOfText(column.ValueAt(rows[i]), hashes[i % kSlotAhead]);
    fetch_slot(i + kSlotAhead);
  }
}

uint32_t ValueCodes::CodeOfText(std::string_view text, uint64_t hash) {
  const uint32_t code =
      table_.CodeOf(hash, count_, [&](uint32_t known) { return TextOf(known) == text; });
  if (code != count_) return code;
  texts_.append(text);
  starts_.push_back(texts_.size());
  return count_++;
}

uint32_t ValueCodes::CodeOfNull() {
  if (null_ != kNoCode) return null_;
  starts_.push_back(texts_.size());
  return null_ = count_++;
}

GroupCodes::GroupCodes(std::span<const model::DataType> types) {
  for (const model::DataType type : types) values_.emplace_back(type);
  if (types.size() > 1) {
    pairs_.resize(types.size() - 1);
    pairs_count_.resize(types.size() - 1);
  }
  if (types.empty()) count_ = 1;
}

void GroupCodes::Code(std::span<const ColumnView> columns, std::span<const uint32_t> rows,
                      std::vector<uint32_t>& codes) {
  codes.assign(rows.size(), 0);
  if (values_.empty()) return;
  values_[0].Code(columns[0], rows, codes.data());
  count_ = values_[0].count();
  second_.resize(rows.size());
  for (size_t c = 1; c < values_.size(); ++c) {
    values_[c].Code(columns[c], rows, second_.data());
    CodeTable& table = pairs_[c - 1];
    uint32_t& next = pairs_count_[c - 1];
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint64_t pair = uint64_t{codes[i]} << 32 | second_[i];
      codes[i] = table.CodeOf(pair, next, [](uint32_t) { return true; });
      next += codes[i] == next ? 1 : 0;
    }
    count_ = next;
  }
}

}  // namespace elanus::rank
