// Damages a good scalar index file of 200 rows, opens it and, when it passes, collects the rows of
// every range that starts at a key. The input: which file (a byte), then offset and byte of each
// edit; all checksums are put right afterwards, so that edits get past them.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/bitset.h"
#include "base/crc32c.h"
#include "index/scalar/scalar_build.h"
#include "index/scalar/scalar_index.h"

namespace {

using namespace elanus::index;

constexpr size_t kHeaderBytes = 256, kTable = 32, kEntry = 24;
constexpr uint32_t kRows = 200;

void PutChecksumsRight(std::string& bytes) {
  for (size_t i = 0; i < kScalarSections; ++i) {
    char* entry = bytes.data() + kTable + i * kEntry;
    uint64_t offset, size;
    std::memcpy(&offset, entry, sizeof(offset));
    std::memcpy(&size, entry + 8, sizeof(size));
    if (offset > bytes.size() || size > bytes.size() - offset) continue;
    const uint32_t crc = elanus::Crc32c(bytes.data() + offset, size);
    std::memcpy(entry + 16, &crc, sizeof(crc));
  }
  const uint32_t crc = elanus::Crc32c(bytes.data(), kHeaderBytes - 4);
  std::memcpy(bytes.data() + kHeaderBytes - 4, &crc, sizeof(crc));
}

std::string GoodFile(size_t which) {
  elanus::Bitset known(kRows);
  for (uint32_t row = 0; row < kRows; row += which == 3 ? 1 : 3) known.Set(row);
  ScalarHeader header{.type = static_cast<KeyType>(which % 3), .rows = kRows};
  if (which == 3)
    header = {
        .type = KeyType::kText, .use = KeyUse::kGrams, .rows = kRows, .gram_min = 1, .gram_max = 2};
  if (which == 4) header = {.type = KeyType::kReal, .use = KeyUse::kBoxes, .rows = kRows};
  ScalarWriter writer(header);
  PairBuilder<int64_t> ints;
  PairBuilder<double> reals;
  PairBuilder<std::string_view> texts;
  GramBuilder grams(1, 2);
  BoxBuilder boxes;
  constexpr std::array<std::string_view, 4> kWords = {"", "ab", "abc", "b"};
  for (uint32_t row = 0; row < kRows; row += 3) {
    ints.Add(row % 2 == 0 ? 7 : row, row);
    reals.Add(row % 2 == 0 ? 0.5 : row, row);
    texts.Add(kWords[row % 4], row);
    grams.Add(kWords[row % 4], row);
    const auto x = static_cast<float>(row % 14);
    boxes.Add(row % 20 == 0 ? Box::Everywhere() : Box{x, 0, x + 1, static_cast<float>(row)}, row);
  }
  switch (which) {
    case 0: ints.WriteTo(writer); break;
    case 1: reals.WriteTo(writer); break;
    case 2: texts.WriteTo(writer); break;
    case 3: grams.WriteTo(writer); break;
    default: boxes.WriteTo(writer); break;
  }
  std::string bytes;
  for (const Buffer& piece : writer.Finish(known))
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  static const std::array<std::string, 5> good = {GoodFile(0), GoodFile(1), GoodFile(2),
                                                  GoodFile(3), GoodFile(4)};
  std::string bytes = good[data[0] % good.size()];
  for (size_t at = 1; at + 3 <= size; at += 3) {
    bytes[(data[at] | data[at + 1] << 8) % bytes.size()] = static_cast<char>(data[at + 2]);
  }
  PutChecksumsRight(bytes);
  const Buffer aligned = Buffer::Copy(std::as_bytes(std::span(bytes)));
  const auto index = ScalarIndex::Open(nullptr, aligned.span());
  if (!index.has_value()) return 0;
  const ScalarIndex& opened = **index;
  elanus::Bitset rows(opened.rows());
  for (uint32_t key = 0; key < opened.keys(); ++key) {
    const KeyRange range{key, opened.keys()};
    opened.SetRows(range, rows.words());
    opened.ClearRows(range, rows.words());
    std::vector<uint32_t> listed;
    if (opened.Entries(range) < 1000) opened.AppendRows(range, listed);
    if (opened.header().type == KeyType::kText) (void)opened.TextAt(key);
  }
  if (opened.header().use != KeyUse::kBoxes) return 0;
  for (const auto relation :
       {BoxRelation::kMeets, BoxRelation::kInside, BoxRelation::kCovers, BoxRelation::kEquals}) {
    std::vector<KeyRange> ranges;
    opened.Boxes().Find(relation, {3, 10, 8, 90}, ranges);
    for (const KeyRange& range : ranges) opened.SetRows(range, rows.words());
  }
  return 0;
}
