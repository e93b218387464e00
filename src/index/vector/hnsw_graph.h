// A layered graph as it lies in memory or in a file: codes, links, levels. Called by hnsw_index.
// Threads: immutable once read.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "index/vector/coded_rows.h"
#include "index/vector/graph_cells.h"
#include "index/vector/graph_codes.h"
#include "index/vector/graph_search.h"
#include "index/vector/index_file.h"
#include "index/vector/sq8.h"

namespace elanus::index {

class RowLinks {
 public:
  RowLinks(const uint32_t* links, size_t degree)
      : kernels_(simd::Active()), links_(links), degree_(degree) {}
  size_t degree() const { return degree_; }
  size_t Read(uint32_t node, uint32_t* out) const {
    const uint32_t* list = links_ + node * degree_;
    size_t n = 0;
    while (n < degree_ && list[n] != kNoNode) {
      out[n] = list[n];
      ++n;
    }
    return n;
  }
  size_t Unseen(uint32_t node, VisitedSet& seen, uint32_t* out) const {
    return kernels_.unseen(links_ + node * degree_, degree_, seen.words(), out);
  }
  void Prefetch(uint32_t node) const {
    const char* list = reinterpret_cast<const char*>(links_ + node * degree_);
    for (size_t byte = 0; byte < degree_ * sizeof(uint32_t); byte += 64)
      __builtin_prefetch(list + byte);
  }

 private:
  const simd::Kernels& kernels_;
  const uint32_t* links_;
  size_t degree_;
};

// Links of three bytes: a quarter less memory, and lists of 32 lie in two cache lines all the same.
class PackedLinks {
 public:
  static constexpr size_t kRowsMax = 0xFFFFFF;  // that number ends a list
  static constexpr size_t kLinkBytes = 3;

  PackedLinks(const uint8_t* links, size_t degree)
      : kernels_(simd::Active()), links_(links), degree_(degree) {}
  static Buffer Pack(std::span<const uint32_t> links) {
    Buffer packed(links.size() * kLinkBytes);
    auto* out = packed.As<uint8_t>();
    for (uint32_t link : links) {
      for (size_t i = 0; i < kLinkBytes; ++i) *out++ = static_cast<uint8_t>(link >> (8 * i));
    }
    return packed;
  }

  size_t degree() const { return degree_; }
  size_t Read(uint32_t node, uint32_t* out) const {
    return kernels_.unpack24(List(node), degree_, out);
  }
  size_t Unseen(uint32_t node, VisitedSet& seen, uint32_t* out) const {
    return kernels_.unseen24(List(node), degree_, seen.words(), out);
  }
  void Prefetch(uint32_t node) const {
    const uint8_t* list = List(node);
    for (size_t byte = 0; byte < degree_ * kLinkBytes; byte += 64) __builtin_prefetch(list + byte);
  }

 private:
  const uint8_t* List(uint32_t node) const { return links_ + node * degree_ * kLinkBytes; }

  const simd::Kernels& kernels_;
  const uint8_t* links_;
  size_t degree_;
};

struct UpperLevel {
  std::span<const uint32_t> rows;   // the row of each node
  std::span<const uint32_t> down;   // its place one level below
  std::span<const uint32_t> links;  // [nodes][upper degree]
};

struct HnswGraph {
  Sq8 codec;
  CodeView codes;
  std::optional<HalfBytes> halves;  // instead of these two
  std::optional<CodedRows> coded;   // likewise
  std::span<const uint32_t> links;
  Buffer packed_links;             // in their place
  std::vector<UpperLevel> levels;  // level 1 first
  GraphCells cells;                // none: empty

  uint32_t entry() const { return levels.empty() ? 0 : levels.back().rows[0]; }
};

/// Borrows the sections of `file`. Errors: kDataIntegrity.
Result<HnswGraph> ReadHnswGraph(const IndexFileReader& file);

// Distances of a query to rows, by code.
struct FromQuery {
  const CodeView& codes;
  const int8_t* query;
  int32_t bias;
  const Sq4View* halves = nullptr;  // in place of the three above
  const Sq4::Query* halves_query = nullptr;
  const CodedRows* coded = nullptr;  // likewise
  const CodedQuery* coded_query = nullptr;
  void operator()(const uint32_t* rows, size_t count, int32_t* out) const {
    if (halves != nullptr) return halves->Keys(*halves_query, rows, count, out);
    if (coded != nullptr) return coded->Keys(*coded_query, rows, count, out);
    codes.Distances(query, bias, rows, count, out);
  }
  /// Where the codes lie, for a pass over many rows.
  CodePlaces places() const {
    if (halves != nullptr) return halves->places();
    return coded != nullptr ? coded->places() : codes.places();
  }
  void Prefetch(uint32_t row) const {
    if (halves != nullptr) return halves->Prefetch(row);
    if (coded != nullptr) return coded->Prefetch(row);
    codes.Prefetch(row);
  }
};

}  // namespace elanus::index
