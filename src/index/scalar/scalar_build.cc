#include "index/scalar/scalar_build.h"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <tuple>

namespace elanus::index {
namespace {

/// A list takes 32 bits a row, bits one for every row of the segment.
constexpr size_t kDensePart = 32;

template <class T>
std::span<const std::byte> BytesOf(const T& values) {
  return std::as_bytes(std::span(values.data(), values.size()));
}

}  // namespace

void ScalarWriter::Add(int64_t key, std::span<const uint32_t> rows) {
  ints_.push_back(key);
  AddRows(rows);
}

void ScalarWriter::Add(double key, std::span<const uint32_t> rows) {
  reals_.push_back(key);
  AddRows(rows);
}

void ScalarWriter::Add(std::string_view key, std::span<const uint32_t> rows) {
  texts_ += key;
  text_ends_.push_back(texts_.size());
  AddRows(rows);
}

void ScalarWriter::Add(const Box& key, std::span<const uint32_t> rows) {
  boxes_.push_back(key);
  AddRows(rows);
}

void ScalarWriter::AddRows(std::span<const uint32_t> rows) {
  if (rows.size() * kDensePart > header_.rows) {
    dense_keys_.push_back(header_.keys);
    dense_counts_.push_back(static_cast<uint32_t>(rows.size()));
    const size_t words = (size_t{header_.rows} + 63) / 64;
    dense_bits_.resize(dense_bits_.size() + words);
    uint64_t* bits = dense_bits_.data() + dense_bits_.size() - words;
    for (const uint32_t row : rows) bits[row / 64] |= uint64_t{1} << (row % 64);
  } else {
    list_rows_.insert(list_rows_.end(), rows.begin(), rows.end());
  }
  list_starts_.push_back(static_cast<uint32_t>(list_rows_.size()));
  ++header_.keys;
}

std::vector<Buffer> ScalarWriter::Finish(const Bitset& known) {
  ScalarSpans sections;
  auto set = [&](ScalarSection id, std::span<const std::byte> bytes) {
    sections[static_cast<size_t>(id)] = bytes;
  };
  switch (header_.type) {
    case KeyType::kReal: set(ScalarSection::kKeys, BytesOf(reals_)); break;
    case KeyType::kText: set(ScalarSection::kKeys, BytesOf(text_ends_)); break;
    default: set(ScalarSection::kKeys, BytesOf(ints_)); break;
  }
  if (header_.use == KeyUse::kBoxes) {
    BoxTree::AppendNodes(boxes_);
    set(ScalarSection::kKeys, BytesOf(boxes_));
  }
  set(ScalarSection::kTexts, BytesOf(texts_));
  set(ScalarSection::kListStarts, BytesOf(list_starts_));
  set(ScalarSection::kListRows, BytesOf(list_rows_));
  set(ScalarSection::kDenseKeys, BytesOf(dense_keys_));
  set(ScalarSection::kDenseCounts, BytesOf(dense_counts_));
  set(ScalarSection::kDenseBits, BytesOf(dense_bits_));
  if (known.Count() != header_.rows) {
    set(ScalarSection::kKnown, std::as_bytes(std::span(known.words(), known.word_count())));
  }
  return MakeScalarFile(header_, sections);
}

template <class Key>
void PairBuilder<Key>::WriteTo(ScalarWriter& writer) {
  std::ranges::sort(pairs_);
  std::vector<uint32_t> rows;
  for (size_t at = 0; at < pairs_.size();) {
    const Key key = pairs_[at].first;
    rows.clear();
    for (; at < pairs_.size() && pairs_[at].first == key; ++at) {
      // An array may hold an element twice.
      if (rows.empty() || rows.back() != pairs_[at].second) rows.push_back(pairs_[at].second);
    }
    writer.Add(key, rows);
  }
}
template class PairBuilder<int64_t>;
template class PairBuilder<double>;
template class PairBuilder<std::string_view>;

void GramBuilder::Add(std::string_view text, uint32_t row) {
  for (size_t length = min_; length <= max_; ++length) {
    ForEachGram(text, length, [&](std::string_view gram) {
      std::vector<uint32_t>& rows = rows_[std::string(gram)];
      if (rows.empty() || rows.back() != row) rows.push_back(row);
    });
  }
}

void GramBuilder::WriteTo(ScalarWriter& writer) const {
  std::vector<std::string_view> grams;
  for (const auto& [gram, rows] : rows_) grams.push_back(gram);
  std::ranges::sort(grams);
  for (const std::string_view gram : grams) writer.Add(gram, rows_.at(std::string(gram)));
}

namespace {

/// Where a place of a grid of 65,536 x 65,536 lies along the Hilbert curve through it.
uint32_t HilbertPlace(uint32_t x, uint32_t y) {
  constexpr uint32_t kSide = 1U << 16;
  uint32_t place = 0;
  for (uint32_t half = kSide / 2; half != 0; half /= 2) {
    const uint32_t right = (x & half) != 0 ? 1 : 0;
    const uint32_t upper = (y & half) != 0 ? 1 : 0;
    place += half * half * ((3 * right) ^ upper);
    if (upper != 0) continue;
    // The curve through a lower quarter is the whole one, turned.
    if (right != 0) {
      x = kSide - 1 - x;
      y = kSide - 1 - y;
    }
    std::swap(x, y);
  }
  return place;
}

/// The middle of [low, high] as a step of 65,536 between two bounds.
uint32_t StepOf(double low, double high, double first, double last) {
  constexpr double kSteps = 65'535;
  if (!(last > first) || std::isinf(last - first)) return 0;
  const double part = (low / 2 + high / 2 - first) / (last - first);
  return static_cast<uint32_t>(std::clamp(part * kSteps, 0.0, kSteps));
}

}  // namespace

void BoxBuilder::WriteTo(ScalarWriter& writer) const {
  struct Entry {
    uint64_t place;
    Box box;
    uint32_t row;
  };
  const Box all = BoundsOf(boxes_ | std::views::keys);
  std::vector<Entry> entries;
  entries.reserve(boxes_.size());
  for (const auto& [box, row] : boxes_) {
    const uint64_t place = box.IsEverywhere()
                               ? ~uint64_t{0}
                               : HilbertPlace(StepOf(box.x_min, box.x_max, all.x_min, all.x_max),
                                              StepOf(box.y_min, box.y_max, all.y_min, all.y_max));
    entries.push_back({place, box, row});
  }
  auto order = [](const Entry& e) {
    return std::tuple(e.place, e.box.x_min, e.box.y_min, e.box.x_max, e.box.y_max, e.row);
  };
  std::ranges::sort(entries, {}, order);
  std::vector<uint32_t> rows;
  for (size_t at = 0; at < entries.size();) {
    const Box box = entries[at].box;
    rows.clear();
    for (; at < entries.size() && entries[at].box == box; ++at) rows.push_back(entries[at].row);
    writer.Add(box, rows);
  }
}

}  // namespace elanus::index
