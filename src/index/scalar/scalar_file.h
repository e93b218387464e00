// The bytes of one scalar index: a header, then eight sections that start on 64-byte boundaries,
// each with its CRC32C. Holds: written once, never edited; a reader touches nothing before header
// and sums have been checked, and trusts no number in a section. Bytes:
// docs/format/scalar_index.md. Called by the writer (scalar_build.h) and by ScalarIndex::Open.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "index/vector/buffer.h"

namespace elanus::index {

/// What keys are. On disk: never renumber.
enum class KeyType : uint8_t { kInt = 0, kReal = 1, kText = 2, kBool = 3 };

/// Whose keys they are. On disk: never renumber.
enum class KeyUse : uint8_t {
  kValues = 0,    ///< a row's value: one key a row at most
  kElements = 1,  ///< the elements of a row's array
  kGrams = 2,     ///< runs of gram_min to gram_max bytes of a row's text
  kBoxes = 3,     ///< the boxes of shapes, packed as a tree (box_tree.h); of type kReal
};

struct ScalarHeader {
  KeyType type = KeyType::kInt;
  KeyUse use = KeyUse::kValues;
  bool exact =
      true;  ///< false: some value did not fit its key (an integer beyond 2^53 as a double)
  uint32_t rows = 0;  ///< of the segment
  uint32_t keys = 0;
  uint16_t gram_min = 0;  ///< kGrams
  uint16_t gram_max = 0;
};

/// In the order in which they lie. On disk: never renumber.
enum class ScalarSection : uint8_t {
  kKeys = 0,         // int64[keys] or double[keys]; kText: uint64[keys + 1], ends of the texts;
                     // kBoxes: float[BoxTree::Boxes(keys)][4]
  kTexts = 1,        // bytes, kText only
  kListStarts = 2,   // uint32[keys + 1]
  kListRows = 3,     // uint32[entries], each list ascending
  kDenseKeys = 4,    // uint32[dense], ascending: keys whose rows are bits instead of a list
  kDenseCounts = 5,  // uint32[dense]: how many rows each has
  kDenseBits = 6,    // uint64[dense][words]
  kKnown = 7,        // uint64[words]: rows that have a value; empty: all rows
};
inline constexpr size_t kScalarSections = 8;

using ScalarSpans = std::array<std::span<const std::byte>, kScalarSections>;

/// The file as pieces that belong one after another.
std::vector<Buffer> MakeScalarFile(const ScalarHeader& header, const ScalarSpans& sections);

/// Checks header, sums and that sections lie one after another to the end of the file.
/// Errors: kDataIntegrity. Cost: one pass over the bytes.
Result<ScalarHeader> ReadScalarFile(std::span<const std::byte> file, ScalarSpans& sections);

std::unexpected<Status> DamagedScalarFile(const char* what);

}  // namespace elanus::index
