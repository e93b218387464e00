#include "index/scalar/scalar_index.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace elanus::index {
namespace {

template <class T>
Result<std::span<const T>> Values(const ScalarSpans& sections, ScalarSection id, uint64_t count) {
  const auto bytes = sections[static_cast<size_t>(id)];
  if (bytes.size() != count * sizeof(T)) return DamagedScalarFile("a section has the wrong size");
  return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), count);
}

uint64_t CountOf(const ScalarSpans& sections, ScalarSection id, size_t bytes_each) {
  return sections[static_cast<size_t>(id)].size() / bytes_each;
}

bool TailIsClear(const uint64_t* bits, uint32_t rows) {
  return rows % 64 == 0 || bits[rows / 64] >> (rows % 64) == 0;
}

uint64_t CountBits(std::span<const uint64_t> words) {
  uint64_t count = 0;
  for (const uint64_t word : words) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

}  // namespace

Result<std::shared_ptr<const ScalarIndex>> ScalarIndex::Open(std::shared_ptr<const void> owner,
                                                             std::span<const std::byte> file) {
  ScalarSpans sections;
  ASSIGN_OR_RETURN(const ScalarHeader header, ReadScalarFile(file, sections));
  std::shared_ptr<ScalarIndex> index(new ScalarIndex(std::move(owner), header));
  index->file_bytes_ = file.size();
  RETURN_IF_ERROR(index->Adopt(sections));
  RETURN_IF_ERROR(header.use == KeyUse::kBoxes ? index->CheckBoxes() : index->CheckKeys());
  RETURN_IF_ERROR(index->CheckLists());
  RETURN_IF_ERROR(index->CheckDense());
  return std::shared_ptr<const ScalarIndex>(std::move(index));
}

Status ScalarIndex::Adopt(const ScalarSpans& sections) {
  const uint64_t keys = header_.keys;
  switch (header_.type) {
    case KeyType::kInt:
    case KeyType::kBool: {
      ASSIGN_OR_RETURN(ints_, Values<int64_t>(sections, ScalarSection::kKeys, keys));
      break;
    }
    case KeyType::kReal: {
      if (header_.use == KeyUse::kBoxes) {
        const size_t boxes = BoxTree::Boxes(header_.keys);
        ASSIGN_OR_RETURN(boxes_, Values<Box>(sections, ScalarSection::kKeys, boxes));
        break;
      }
      ASSIGN_OR_RETURN(reals_, Values<double>(sections, ScalarSection::kKeys, keys));
      break;
    }
    case KeyType::kText: {
      ASSIGN_OR_RETURN(text_ends_, Values<uint64_t>(sections, ScalarSection::kKeys, keys + 1));
      break;
    }
  }
  const auto texts = sections[static_cast<size_t>(ScalarSection::kTexts)];
  texts_ = reinterpret_cast<const char*>(texts.data());
  if (header_.type == KeyType::kText &&
      (text_ends_.front() != 0 || text_ends_.back() != texts.size() ||
       !std::ranges::is_sorted(text_ends_))) {
    return DamagedScalarFile("texts do not span their bytes").error();
  }
  ASSIGN_OR_RETURN(list_starts_, Values<uint32_t>(sections, ScalarSection::kListStarts, keys + 1));
  ASSIGN_OR_RETURN(list_rows_,
                   Values<uint32_t>(sections, ScalarSection::kListRows,
                                    CountOf(sections, ScalarSection::kListRows, sizeof(uint32_t))));
  const uint64_t dense = CountOf(sections, ScalarSection::kDenseKeys, sizeof(uint32_t));
  ASSIGN_OR_RETURN(dense_keys_, Values<uint32_t>(sections, ScalarSection::kDenseKeys, dense));
  ASSIGN_OR_RETURN(const auto counts,
                   Values<uint32_t>(sections, ScalarSection::kDenseCounts, dense));
  ASSIGN_OR_RETURN(dense_bits_,
                   Values<uint64_t>(sections, ScalarSection::kDenseBits, dense * words()));
  dense_before_.push_back(0);
  for (const uint32_t count : counts) dense_before_.push_back(dense_before_.back() + count);
  const bool all_known = sections[static_cast<size_t>(ScalarSection::kKnown)].empty();
  ASSIGN_OR_RETURN(known_,
                   Values<uint64_t>(sections, ScalarSection::kKnown, all_known ? 0 : words()));
  if (!all_known && !TailIsClear(known_.data(), header_.rows))
    return DamagedScalarFile("known rows beyond the last").error();
  known_count_ = all_known ? header_.rows : CountBits(known_);
  return Status::Ok();
}

Status ScalarIndex::CheckKeys() const {
  bool ascending = true;
  for (uint32_t key = 1; key < header_.keys && ascending; ++key) {
    switch (header_.type) {
      case KeyType::kReal: ascending = reals_[key - 1] < reals_[key]; break;
      case KeyType::kText: ascending = TextAt(key - 1) < TextAt(key); break;
      default: ascending = ints_[key - 1] < ints_[key]; break;
    }
  }
  if (header_.type == KeyType::kReal && header_.keys == 1) ascending = !std::isnan(reals_[0]);
  return ascending ? Status::Ok() : DamagedScalarFile("keys do not ascend").error();
}

Status ScalarIndex::CheckBoxes() {
  if (!Boxes().Holds()) return DamagedScalarFile("boxes are no tree").error();
  bounds_ = BoundsOf(boxes_.first(header_.keys));
  return Status::Ok();
}

Status ScalarIndex::CheckLists() const {
  if (list_starts_.front() != 0 || list_starts_.back() != list_rows_.size() ||
      !std::ranges::is_sorted(list_starts_)) {
    return DamagedScalarFile("lists do not span their rows").error();
  }
  for (uint32_t key = 0; key < header_.keys; ++key) {
    for (uint32_t at = list_starts_[key]; at < list_starts_[key + 1]; ++at) {
      const bool ascends = at == list_starts_[key] || list_rows_[at - 1] < list_rows_[at];
      if (!ascends || list_rows_[at] >= header_.rows)
        return DamagedScalarFile("a list's rows do not ascend").error();
    }
  }
  return Status::Ok();
}

Status ScalarIndex::CheckDense() {
  for (size_t i = 0; i < dense_keys_.size(); ++i) {
    const uint32_t key = dense_keys_[i];
    const auto bits = dense_bits_.subspan(i * words(), words());
    if (key >= header_.keys || (i != 0 && dense_keys_[i - 1] >= key) ||
        list_starts_[key] != list_starts_[key + 1] || bits.empty() ||
        !TailIsClear(bits.data(), header_.rows) ||
        CountBits(bits) != dense_before_[i + 1] - dense_before_[i]) {
      return DamagedScalarFile("bits of a key do not fit").error();
    }
  }
  return Status::Ok();
}

std::span<const uint32_t> ScalarIndex::DenseIn(KeyRange range) const {
  const auto first = std::ranges::lower_bound(dense_keys_, range.first);
  const auto end = std::lower_bound(first, dense_keys_.end(), range.end);
  return {first, end};
}

uint64_t ScalarIndex::Entries(KeyRange range) const {
  if (range.empty()) return 0;
  const auto dense = DenseIn(range);
  const auto first = static_cast<size_t>(dense.data() - dense_keys_.data());
  return list_starts_[range.end] - list_starts_[range.first] + dense_before_[first + dense.size()] -
         dense_before_[first];
}

void ScalarIndex::SetRows(KeyRange range, uint64_t* bits) const {
  if (range.empty()) return;
  for (uint32_t at = list_starts_[range.first]; at < list_starts_[range.end]; ++at) {
    const uint32_t row = list_rows_[at];
    bits[row / 64] |= uint64_t{1} << (row % 64);
  }
  for (const uint32_t& key : DenseIn(range)) {
    const uint64_t* from =
        dense_bits_.data() + static_cast<size_t>(&key - dense_keys_.data()) * words();
    for (size_t w = 0; w < words(); ++w) bits[w] |= from[w];
  }
}

void ScalarIndex::ClearRows(KeyRange range, uint64_t* bits) const {
  if (range.empty()) return;
  for (uint32_t at = list_starts_[range.first]; at < list_starts_[range.end]; ++at) {
    const uint32_t row = list_rows_[at];
    bits[row / 64] &= ~(uint64_t{1} << (row % 64));
  }
  for (const uint32_t& key : DenseIn(range)) {
    const uint64_t* from =
        dense_bits_.data() + static_cast<size_t>(&key - dense_keys_.data()) * words();
    for (size_t w = 0; w < words(); ++w) bits[w] &= ~from[w];
  }
}

void ScalarIndex::AppendRows(KeyRange range, std::vector<uint32_t>& rows) const {
  if (range.empty()) return;
  const auto lists = list_rows_.subspan(list_starts_[range.first],
                                        list_starts_[range.end] - list_starts_[range.first]);
  rows.insert(rows.end(), lists.begin(), lists.end());
  for (const uint32_t& key : DenseIn(range)) {
    const uint64_t* from =
        dense_bits_.data() + static_cast<size_t>(&key - dense_keys_.data()) * words();
    for (size_t w = 0; w < words(); ++w) {
      for (uint64_t bits = from[w]; bits != 0; bits &= bits - 1)
        rows.push_back(static_cast<uint32_t>(w * 64) +
                       static_cast<uint32_t>(std::countr_zero(bits)));
    }
  }
}

}  // namespace elanus::index
