#include "index/vector/ivf_pq_index.h"

#include <algorithm>

#include "index/vector/list_index.h"
#include "index/vector/pq4.h"
#include "index/vector/self_test.h"

namespace elanus::index {
namespace {

constexpr size_t kScanBlocks = 32;  // between two looks at the bound

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, std::string("index file: ") + what);
}

// Rows by 4-bit words of their residuals, in blocks of 32.
struct WordScan {
  RowLists lists;
  Pq4 codec;
  std::span<const float> terms;    // L2
  std::vector<float> least_terms;  // of each list
  std::vector<uint32_t> block_starts;
  const uint8_t* blocks = nullptr;

  struct Scratch {
    Pq4Tables tables;
    uint32_t places[kScanBlocks * Pq4::kBlockRows];
    uint16_t values[kScanBlocks * Pq4::kBlockRows];
  };

  static Result<WordScan> Read(const IndexFileReader& file);

  // Enough rows to mend the coarseness of the codes at recall .95 and a little beyond.
  size_t Reorder(size_t top_k) const { return 10 * top_k + 60; }
  double RowNs() const {
    return 0.5 + static_cast<double>(codec.block_bytes()) / Pq4::kBlockRows * 0.05;
  }

  void Prepare(const float* query, Scratch& s) const { codec.MakeTables(query, s.tables); }

  void Prefetch(uint32_t list) const {
    constexpr size_t kLines = 32;
    const size_t bytes = codec.block_bytes();
    const uint8_t* at = blocks + block_starts[list] * bytes;
    const size_t end =
        std::min<size_t>(kLines * 64, (block_starts[list + 1] - block_starts[list]) * bytes);
    for (size_t i = 0; i < end; i += 64) __builtin_prefetch(at + i);
  }

  void ScanList(const NearList& near, ListSink& sink, Scratch& s) const {
    const uint32_t start = lists.starts[near.list];
    const size_t rows = lists.SizeOf(near.list);
    const bool l2 = !terms.empty();
    const float weight = l2 ? 2.0f : 1.0f;
    const float scale = weight * s.tables.scale, base = near.distance + weight * s.tables.base;
    const float least = l2 ? least_terms[near.list] : 0.0f;
    const uint8_t* at = blocks + block_starts[near.list] * codec.block_bytes();
    constexpr size_t kRows = kScanBlocks * Pq4::kBlockRows;
    for (size_t first = 0; first < rows; first += kRows) {
      const float room = sink.bound() - base - least;
      if (room < 0) return;
      const float sums = scale > 0 ? room / scale : 65535.0f;
      // No number where distances overflow: then every row is pushed.
      const auto bound = sums < 65535.0f ? static_cast<uint16_t>(sums) : uint16_t{65535};
      const size_t n = simd::Active().scan4(at + first / Pq4::kBlockRows * codec.block_bytes(),
                                            std::min(kRows, rows - first), codec.lines(),
                                            s.tables.bytes.data(), bound, s.places, s.values);
      for (size_t i = 0; i < n; ++i) {
        const size_t place = start + first + s.places[i];
        const float term = l2 ? terms[place] : 0.0f;
        sink.Push(base + scale * static_cast<float>(s.values[i]) + term, lists.rows[place]);
      }
    }
  }
};

Result<WordScan> WordScan::Read(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  if (h.part_dim == 0 || h.part_dim > h.dim) return Corrupt("part dimension out of range");
  WordScan scan;
  ASSIGN_OR_RETURN(scan.lists, RowLists::Read(file, 2));
  const uint64_t words = Pq4::PartsOf(h.dim, h.part_dim) * h.part_dim * Pq4::kWords;
  ASSIGN_OR_RETURN(auto books, file.Values<float>(SectionId::kCodebooks, words, "codebooks"));
  const auto finite = [](float x) { return std::isfinite(x); };
  if (!std::ranges::all_of(books, finite)) return Corrupt("a word is not finite");
  scan.codec = Pq4(h.dim, h.part_dim, {books.begin(), books.end()});
  scan.block_starts = BlockStarts(scan.lists.starts);
  ASSIGN_OR_RETURN(auto blocks,
                   file.Values<uint8_t>(
                       SectionId::kBlocks,
                       uint64_t{scan.block_starts.back()} * scan.codec.block_bytes(), "blocks"));
  scan.blocks = blocks.data();
  if (h.metric != Metric::kL2) return scan;
  ASSIGN_OR_RETURN(scan.terms,
                   file.Values<float>(SectionId::kRowTerms, scan.lists.rows.size(), "row terms"));
  if (!std::ranges::all_of(scan.terms, finite)) return Corrupt("a row term is not finite");
  for (uint32_t list = 0; list < h.nlist; ++list) {
    const auto own = scan.terms.subspan(scan.lists.starts[list], scan.lists.SizeOf(list));
    scan.least_terms.push_back(own.empty() ? 0.0f : std::ranges::min(own));
  }
  return scan;
}

}  // namespace

Result<std::unique_ptr<VectorIndex>> OpenIvfPq(const IndexFileReader& file, VectorView raw,
                                               std::vector<Buffer> copies,
                                               std::shared_ptr<const void> owner) {
  return OpenLists<WordScan>(file, raw, std::move(copies), std::move(owner));
}

Result<Tuning> TuneIvfPq(const IndexFileReader& file, const VectorView& raw, int threads) {
  ASSIGN_OR_RETURN(auto index, OpenLists<WordScan>(file, raw, {}, nullptr));
  return TuneLists(*index, threads);
}

std::vector<uint32_t> BlockStarts(std::span<const uint32_t> starts) {
  std::vector<uint32_t> blocks(starts.size(), 0);
  for (size_t i = 1; i < starts.size(); ++i) {
    const uint32_t rows = starts[i] - starts[i - 1];
    blocks[i] = blocks[i - 1] + (rows + Pq4::kBlockRows - 1) / Pq4::kBlockRows;
  }
  return blocks;
}

}  // namespace elanus::index
