#include "segment/sealed_keys.h"

#include <algorithm>

#include "format/key_filter.h"
#include "format/sealed_bytes.h"
#include "model/key_hash.h"

namespace elanus::segment {
namespace {

template <class Key>
Key KeyOf(const ColumnView& keys, uint32_t row) {
  if constexpr (std::is_same_v<Key, int64_t>) {
    return keys.Values<int64_t>()[row];
  } else {
    return keys.StringAt(row);
  }
}

template <class Key>
bool Ascending(const ColumnView& keys) {
  for (uint32_t row = 1; row < keys.rows; ++row) {
    if (KeyOf<Key>(keys, row) < KeyOf<Key>(keys, row - 1)) return false;
  }
  return true;
}

}  // namespace

Result<SealedKeys> SealedKeys::Open(const ColumnView& keys, std::string_view filter,
                                    std::string_view name) {
  SealedKeys result;
  result.keys_ = keys;
  if (!filter.empty() && filter.size() % 32 != 0)
    return Error(format::Damaged(name, "key filter is cut"));
  result.filter_ = filter;
  const bool is_string = model::IsString(keys.type);
  if (!(is_string ? Ascending<std::string_view>(keys) : Ascending<int64_t>(keys))) {
    return Error(format::Damaged(name, "keys do not ascend"));
  }
  for (uint32_t row = 0; row < keys.rows; row += kFenceRows) {
    if (is_string) {
      result.string_fences_.push_back(keys.StringAt(row));
    } else {
      result.int_fences_.push_back(KeyOf<int64_t>(keys, row));
    }
  }
  return result;
}

template <class Key>
uint32_t SealedKeys::Bound(const Key& key, bool strictly, const std::vector<Key>& fences) const {
  // The last fence that is surely before the bound, then the rows of its block and the first of the
  // next.
  auto fence =
      strictly ? std::ranges::upper_bound(fences, key) : std::ranges::lower_bound(fences, key);
  if (fence == fences.begin()) return 0;
  auto low = static_cast<uint32_t>(fence - fences.begin() - 1) * kFenceRows;
  uint32_t high = std::min<uint32_t>(low + kFenceRows, static_cast<uint32_t>(keys_.rows));
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const Key there = KeyOf<Key>(keys_, middle);
    if (there < key || (strictly && there == key)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uint32_t SealedKeys::LowerBound(const model::PrimaryKey& key, bool strictly) const {
  if (const auto* text = std::get_if<std::string>(&key)) {
    return Bound<std::string_view>(*text, strictly, string_fences_);
  }
  return Bound<int64_t>(std::get<int64_t>(key), strictly, int_fences_);
}

std::pair<uint32_t, uint32_t> SealedKeys::Find(const model::PrimaryKey& key) const {
  const uint64_t hash = model::HashKey(key, model::HashUse::kInShard);
  if (!filter_.empty() && !format::KeyFilterMayContain(filter_, hash)) return {0, 0};
  const uint32_t first = LowerBound(key, false);
  if (first == keys_.rows || At(first) != key) return {0, 0};
  return {first, LowerBound(key, true)};
}

model::PrimaryKey SealedKeys::At(uint32_t row) const {
  if (model::IsString(keys_.type)) return std::string(keys_.StringAt(row));
  return keys_.Values<int64_t>()[row];
}

}  // namespace elanus::segment
