// The bytes of one index: a header, then sections that start on 64-byte boundaries, each with its
// CRC32C. Holds: written once, never edited; a reader touches nothing before header and sums have
// been checked, and trusts no number in a section. Bytes: docs/format/index_file.md. Called by the
// builders and by OpenIndex.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "index/vector/buffer.h"
#include "index/vector/codec.h"
#include "index/vector/vectors.h"

namespace elanus::index {

/// On disk: never renumber.
enum class Kind : uint8_t {
  kFlat = 0,
  kIvfFlat = 1,
  kHnsw = 2,
  kIvfPq = 3,
  kScann = 4,
  kIvfCoded = 5,  ///< lists under a codec of its own (codec.h)
  kForest = 6,    ///< ANNOY
  kNsg = 7        ///< RNSG; the sections of kHnsw
};
inline constexpr size_t kKinds = 8;
/// For people to read: the type it serves, where it serves one.
std::string_view KindName(Kind kind);

/// What a section holds. On disk: never renumber.
enum class SectionId : uint32_t {
  kInverseNorms = 1,   // float[rows], COSINE
  kMean = 2,           // float[dim]
  kCodes = 3,          // uint8[rows][stride]
  kTerms = 4,          // int32[rows], L2 where a code row has no room
  kLinks = 5,          // uint32[rows][degree], level 0
  kLevelCounts = 6,    // uint32[levels], nodes of level 1, 2, ...
  kLevelRows = 7,      // uint32[sum of counts], the row of each node
  kLevelDown = 8,      // uint32[sum of counts], its place in the level below (level 1: its row)
  kLevelLinks = 9,     // uint32[sum of counts][upper degree], places in the same level
  kCentroids = 10,     // float[nlist][dim]
  kListStarts = 11,    // uint32[nlist + 1]
  kListRows = 12,      // uint32[entries], in the order of kCodes or kBlocks
  kCodebooks = 13,     // float[parts][part_dim][16]
  kBlocks = 14,        // uint8: 4-bit codes, in whole blocks of 32 a list
  kRowTerms = 15,      // float[entries], L2: |row|^2 - |centroid|^2
  kRowFactors = 17,    // float[rows], RaBitQ: of the signs, in the order of kListRows
  kTreeStarts = 18,    // uint32: of each tree its first node and its first leaf, then both ends
  kTreeNodes = 19,     // uint32[nodes][2]: children, places in the same tree; top bit: a leaf
  kTreePlanes = 20,    // float[nodes][dim + 2]: normal, what IP's extra number counts, offset
  kCodecNumbers = 16,  // float: what a codec of its own has learned (codec.h)
  kCellCodes = 21,     // uint8[nlist][stride], graphs: int8 codes of the centres of cells
  kCellReads = 22,     // uint32[2], graphs: rows of the nearest cells for the nearest 10 and 100
};

/// How wide to search for a wanted recall of .95 when the caller does not say: ef (HNSW) or nprobe
/// (IVF), measured on the index's own rows after the build.
struct Tuning {
  uint32_t width_10 = 0;   ///< for top_k <= 10
  uint32_t width_100 = 0;  ///< for top_k = 100; 0: too few rows to say

  /// At least 1. Between the two measured points in proportion, beyond them by top_k / 100.
  size_t WidthFor(size_t top_k) const {
    const size_t low = std::max<size_t>(width_10, 1), high = std::max(low, size_t{width_100});
    if (top_k <= 10) return low;
    if (top_k <= 100) return low + (high - low) * (top_k - 10) / 90;
    return high * top_k / 100;
  }
};

struct IndexHeader {
  Kind kind = Kind::kFlat;
  Metric metric = Metric::kL2;
  simd::Element element = simd::Element::kFloat32;
  uint32_t rows = 0;
  uint32_t dim = 0;
  float scale = 1.0f;         // of the int8 codes
  uint32_t degree = 0;        // HNSW: links a row on level 0
  uint32_t upper_degree = 0;  // HNSW: links a node above
  uint32_t m = 0;
  uint32_t ef_construction = 0;
  uint32_t nlist = 0;
  uint64_t seed = 0;
  Tuning tuning;
  uint32_t part_dim = 0;  // 4-bit codes: dimensions a code
  CodecParams codec;      // of the rows
};

/// A finished file as pieces that belong one after another.
class IndexFile {
 public:
  const std::vector<Buffer>& chunks() const { return chunks_; }
  size_t size() const;
  std::string Join() const;

 private:
  friend class IndexFileWriter;
  std::vector<Buffer> chunks_;
};

class IndexFileReader;

class IndexFileWriter {
 public:
  void Add(SectionId id, Buffer bytes) { sections_.push_back({id, std::move(bytes)}); }
  template <class T>
  void Add(SectionId id, std::span<const T> values) {
    Add(id, Buffer::Copy(std::as_bytes(values)));
  }
  /// What has been added, as a reader would see it; valid until the next Add or Finish.
  IndexFileReader Peek(const IndexHeader& header) const;
  IndexFile Finish(const IndexHeader& header);

 private:
  struct Section {
    SectionId id;
    Buffer bytes;
  };
  std::vector<Section> sections_;
};

/// A checked file: header and the bytes of its sections (empty span: not there).
class IndexFileReader {
 public:
  /// Errors: kDataIntegrity, naming what does not hold. Cost: one pass over the bytes for their
  /// sums.
  static Result<IndexFileReader> Open(std::span<const std::byte> file);

  /// Copies every section into memory of our own and reads from there. The buffers belong to the
  /// caller.
  std::vector<Buffer> MakeResident();

  const IndexHeader& header() const { return header_; }
  uint64_t SectionBytes() const;
  std::span<const std::byte> Section(SectionId id) const {
    return sections_[static_cast<size_t>(id)];
  }
  /// A section of exactly `count` values of type T. Errors: kDataIntegrity when its size differs.
  template <class T>
  Result<std::span<const T>> Values(SectionId id, uint64_t count, const char* name) const {
    const auto bytes = Section(id);
    if (count > bytes.size() / sizeof(T) || bytes.size() != count * sizeof(T))
      return WrongSize(name);
    return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), count);
  }

 private:
  friend class IndexFileWriter;
  static std::unexpected<Status> WrongSize(const char* name);

  IndexHeader header_;
  std::array<std::span<const std::byte>, 24> sections_;  // by id
};

}  // namespace elanus::index
