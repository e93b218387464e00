#include "index/vector/ivf_pq_index.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "index/vector/flat_index.h"
#include "index/vector/ivf_lists.h"
#include "index/vector/pq4.h"
#include "index/vector/self_test.h"

namespace elanus::index {
namespace {

constexpr uint32_t kNoRow = 0xFFFFFFFF;
constexpr size_t kScanBlocks = 32;      // between two looks at the bound
constexpr size_t kCancelEvery = 65536;  // codes between two looks at `cancel`

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, fmt::format("index file: {}", what));
}

struct Codes {
  IvfLists lists;
  Pq4 codec;
  std::span<const uint32_t> starts;
  std::span<const uint32_t> rows;
  std::span<const float> terms;    // L2
  std::vector<float> least_terms;  // of each list
  std::vector<uint32_t> block_starts;
  const uint8_t* blocks = nullptr;
};

// Each row in one or two lists, once in each.
Status CheckRows(const Codes& codes, size_t rows) {
  std::vector<uint8_t> met(rows, 0);
  for (size_t list = 0; list + 1 < codes.starts.size(); ++list) {
    int64_t last = -1;
    for (uint32_t place = codes.starts[list]; place < codes.starts[list + 1]; ++place) {
      const uint32_t row = codes.rows[place];
      if (row >= rows || row <= last || ++met[row] > 2)
        return Corrupt("list row out of range").error();
      last = row;
    }
  }
  if (std::ranges::count(met, 0) != 0) return Corrupt("a row is in no list").error();
  return Status::Ok();
}

Result<Codes> ReadCodes(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  if (h.nlist == 0) return Corrupt("no lists");
  if (h.part_dim == 0 || h.part_dim > h.dim) return Corrupt("part dimension out of range");
  if (h.element == simd::Element::kBit) return Corrupt("codes of bits");
  Codes codes;
  ASSIGN_OR_RETURN(auto centroids, file.Values<float>(SectionId::kCentroids,
                                                      uint64_t{h.nlist} * h.dim, "centroids"));
  const uint64_t words = Pq4::PartsOf(h.dim, h.part_dim) * h.part_dim * Pq4::kWords;
  ASSIGN_OR_RETURN(auto books, file.Values<float>(SectionId::kCodebooks, words, "codebooks"));
  const auto finite = [](float x) { return std::isfinite(x); };
  if (!std::ranges::all_of(centroids, finite) || !std::ranges::all_of(books, finite))
    return Corrupt("a centroid or word is not finite");
  codes.lists = IvfLists(h.metric, h.dim, centroids);
  codes.codec = Pq4(h.dim, h.part_dim, {books.begin(), books.end()});
  ASSIGN_OR_RETURN(codes.starts, file.Values<uint32_t>(SectionId::kListStarts,
                                                       uint64_t{h.nlist} + 1, "list starts"));
  if (codes.starts.front() != 0 || !std::ranges::is_sorted(codes.starts) ||
      codes.starts.back() > uint64_t{h.rows} * 2) {
    return Corrupt("list starts out of order");
  }
  ASSIGN_OR_RETURN(codes.rows,
                   file.Values<uint32_t>(SectionId::kListRows, codes.starts.back(), "list rows"));
  RETURN_IF_ERROR(CheckRows(codes, h.rows));
  codes.block_starts = BlockStarts(codes.starts);
  ASSIGN_OR_RETURN(auto blocks,
                   file.Values<uint8_t>(
                       SectionId::kBlocks,
                       uint64_t{codes.block_starts.back()} * codes.codec.block_bytes(), "blocks"));
  codes.blocks = blocks.data();
  if (h.metric != Metric::kL2) return codes;
  ASSIGN_OR_RETURN(codes.terms,
                   file.Values<float>(SectionId::kRowTerms, codes.rows.size(), "row terms"));
  if (!std::ranges::all_of(codes.terms, finite)) return Corrupt("a row term is not finite");
  for (size_t list = 0; list < h.nlist; ++list) {
    float least = 0;
    for (uint32_t place = codes.starts[list]; place < codes.starts[list + 1]; ++place)
      least =
          place == codes.starts[list] ? codes.terms[place] : std::min(least, codes.terms[place]);
    codes.least_terms.push_back(least);
  }
  return codes;
}

struct Scratch {
  const float* query = nullptr;
  ListScratch lists;
  Pq4Tables tables;
  std::vector<uint64_t> met;  // one bit a row; all zero between searches
  std::vector<uint32_t> rows;
  uint32_t places[kScanBlocks * Pq4::kBlockRows];
  uint16_t values[kScanBlocks * Pq4::kBlockRows];
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

class IvfPqIndex final : public VectorIndex {
 public:
  IvfPqIndex(const IndexHeader& header, VectorView raw, const float* norms, Codes codes,
             std::vector<Buffer> copies, std::shared_ptr<const void> owner)
      : VectorIndex(header, raw, norms),
        codes_(std::move(codes)),
        spilled_(codes_.rows.size() > raw.rows),
        copies_(std::move(copies)),
        owner_(std::move(owner)) {}

  Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                  const HiddenBits& hidden, const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    if (params.reorder_k != 0 && static_cast<size_t>(params.reorder_k) < params.top_k) {
      return Error(InvalidParameter(fmt::format("reorder_k({}) should be larger than k({})",
                                                params.reorder_k, params.top_k)));
    }
    const size_t visible = hidden.CountVisible(raw_.rows);
    const size_t wanted = std::min(params.top_k, visible);
    if (wanted == 0) return std::vector<Hit>{};
    const double pass = static_cast<double>(visible) / static_cast<double>(raw_.rows);
    size_t nprobe = static_cast<size_t>(std::max(params.nprobe, 0));
    if (nprobe == 0) {
      nprobe =
          static_cast<size_t>(std::ceil(static_cast<double>(DefaultNprobe(params.top_k)) / pass));
    }
    nprobe = std::min(nprobe, codes_.lists.count());
    if (BruteForceIsCheaper(visible, nprobe) || wanted * 2 > visible)
      return SearchAll(query, wanted, hidden, cancel);
    const Want want{.rows = wanted,
                    .reorder = params.reorder_k != 0 ? static_cast<size_t>(params.reorder_k)
                                                     : DefaultReorder(wanted),
                    .nprobe = nprobe};
    Scratch& s = ThreadScratch();
    RETURN_IF_ERROR(Candidates(static_cast<const float*>(query), want, hidden, cancel, s));
    if (s.rows.size() < wanted) return SearchAll(query, wanted, hidden, cancel);
    return Rerank(query, s.rows, wanted);
  }

  std::vector<Hit> SearchWithout(uint32_t row, size_t top_k, uint32_t nprobe) const {
    FloatRows row_at(raw_);
    const float* query = row_at(row);
    const Want want{
        .rows = top_k, .reorder = DefaultReorder(top_k), .nprobe = nprobe, .without = row};
    Scratch& s = ThreadScratch();
    (void)Candidates(query, want, {}, {}, s).ok();  // a Cancel that never stops
    return Rerank(query, s.rows, top_k);
  }

  IndexMemory Memory() const override {
    IndexMemory memory;
    for (const Buffer& copy : copies_) memory.resident_bytes += copy.size();
    if (copies_.empty()) {
      memory.mapped_bytes = codes_.rows.size() * sizeof(uint32_t) +
                            codes_.terms.size() * sizeof(float) +
                            size_t{codes_.block_starts.back()} * codes_.codec.block_bytes() +
                            (inverse_norms_ != nullptr ? raw_.rows * sizeof(float) : 0);
    }
    return memory;
  }

 private:
  struct Want {
    size_t rows;
    size_t reorder;  // rows measured exactly
    size_t nprobe;
    uint32_t without = kNoRow;
  };

  // Enough rows to mend the coarseness of the codes at recall .95 and a little beyond.
  static size_t DefaultReorder(size_t top_k) { return 10 * top_k + 60; }

  size_t DefaultNprobe(size_t top_k) const {
    const size_t low = std::max<size_t>(header_.tuning.width_10, 1),
                 high = std::max(low, size_t{header_.tuning.width_100});
    if (top_k <= 10) return low;
    if (top_k <= 100) return low + (high - low) * (top_k - 10) / 90;
    return high * top_k / 100;
  }

  // In nanoseconds, roughly.
  bool BruteForceIsCheaper(size_t visible, size_t nprobe) const {
    const double share = static_cast<double>(nprobe) / static_cast<double>(codes_.lists.count());
    const double scanned = static_cast<double>(codes_.rows.size()) * share;
    const double code = static_cast<double>(codes_.codec.block_bytes()) / Pq4::kBlockRows;
    return static_cast<double>(visible) * (5.0 + static_cast<double>(raw_.row_bytes()) * 0.05) <
           scanned * (0.5 + code * 0.05);
  }

  // Rows worth an exact look, each once, in s.rows: from the nprobe nearest lists, and from further
  // ones while too few are visible.
  Status Candidates(const float* query, const Want& want, const HiddenBits& hidden,
                    const Cancel& cancel, Scratch& s) const {
    s.query = query;
    codes_.codec.MakeTables(query, s.tables);
    codes_.lists.Nearest(query, want.nprobe, s.lists);
    // A row in two lists may come twice: room for some of these, and more when it was not enough.
    for (size_t room = want.reorder + (spilled_ ? want.reorder / 4 + 8 : 0);; room *= 2) {
      TopK top(room);
      RETURN_IF_ERROR(ScanLists(want, hidden, cancel, top, s));
      KeepOnce(top.TakeUnordered(), s);
      if (s.rows.size() >= want.rows || top.size() < room) return Status::Ok();
    }
  }

  Status ScanLists(const Want& want, const HiddenBits& hidden, const Cancel& cancel, TopK& top,
                   Scratch& s) const {
    const float* query = s.query;
    size_t work = 0, done = 0;
    for (;;) {
      for (; done < s.lists.lists.size(); ++done) {
        if (done + 1 < s.lists.lists.size()) Prefetch(s.lists.lists[done + 1].list);
        ScanList(s.lists.lists[done], hidden, want.without, top, s);
        const uint32_t list = s.lists.lists[done].list;
        if ((work += codes_.starts[list + 1] - codes_.starts[list]) >= kCancelEvery) {
          RETURN_IF_ERROR(cancel.Check());
          work = 0;
        }
      }
      const size_t enough = spilled_ ? want.rows * 2 : want.rows;
      if (top.size() >= enough || done == codes_.lists.count()) return Status::Ok();
      codes_.lists.Nearest(query, std::min(codes_.lists.count(), done * 4), s.lists);
    }
  }

  void Prefetch(uint32_t list) const {
    constexpr size_t kLines = 32;
    const size_t bytes = codes_.codec.block_bytes();
    const uint8_t* at = codes_.blocks + codes_.block_starts[list] * bytes;
    const size_t end = std::min<size_t>(
        kLines * 64, (codes_.block_starts[list + 1] - codes_.block_starts[list]) * bytes);
    for (size_t i = 0; i < end; i += 64) __builtin_prefetch(at + i);
  }

  void KeepOnce(const std::vector<Hit>& hits, Scratch& s) const {
    const size_t words = (raw_.rows + 63) / 64;
    if (s.met.size() < words) s.met.resize(words, 0);
    s.rows.clear();
    for (const Hit& hit : hits) {
      uint64_t& word = s.met[hit.row / 64];
      const uint64_t bit = uint64_t{1} << (hit.row % 64);
      if ((word & bit) == 0) s.rows.push_back(hit.row);
      word |= bit;
    }
    for (uint32_t row : s.rows) s.met[row / 64] = 0;
  }

  // Adds the rows of one list that may be among the best to `top`.
  void ScanList(const NearList& near, const HiddenBits& hidden, uint32_t without, TopK& top,
                Scratch& s) const {
    const uint32_t start = codes_.starts[near.list];
    const size_t rows = codes_.starts[near.list + 1] - start;
    const bool l2 = metric() == Metric::kL2;
    const float weight = l2 ? 2.0f : 1.0f;
    const float scale = weight * s.tables.scale, base = near.distance + weight * s.tables.base;
    const float least = l2 ? codes_.least_terms[near.list] : 0.0f;
    const uint8_t* blocks =
        codes_.blocks + codes_.block_starts[near.list] * codes_.codec.block_bytes();
    constexpr size_t kRows = kScanBlocks * Pq4::kBlockRows;
    for (size_t first = 0; first < rows; first += kRows) {
      const float room = top.bound() - base - least;
      if (room < 0) return;
      const float sums = scale > 0 ? room / scale : 65535.0f;
      const auto bound = static_cast<uint16_t>(std::min(sums, 65535.0f));
      const size_t n =
          simd::Active().scan4(blocks + first / Pq4::kBlockRows * codes_.codec.block_bytes(),
                               std::min(kRows, rows - first), codes_.codec.lines(),
                               s.tables.bytes.data(), bound, s.places, s.values);
      for (size_t i = 0; i < n; ++i) {
        const size_t place = start + first + s.places[i];
        const uint32_t row = codes_.rows[place];
        const float term = l2 ? codes_.terms[place] : 0.0f;
        if (row != without && !hidden.Hidden(row))
          top.Push(base + scale * static_cast<float>(s.values[i]) + term, row);
      }
    }
  }

  Codes codes_;
  bool spilled_;
  std::vector<Buffer> copies_;
  std::shared_ptr<const void> owner_;
};

Result<std::unique_ptr<IvfPqIndex>> Open(const IndexFileReader& file, VectorView raw,
                                         std::vector<Buffer> copies,
                                         std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(Codes codes, ReadCodes(file));
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(file));
  return std::make_unique<IvfPqIndex>(file.header(), raw, norms, std::move(codes),
                                      std::move(copies), std::move(owner));
}

}  // namespace

Result<std::unique_ptr<VectorIndex>> OpenIvfPq(const IndexFileReader& file, VectorView raw,
                                               std::vector<Buffer> copies,
                                               std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(std::unique_ptr<VectorIndex> index,
                   Open(file, raw, std::move(copies), std::move(owner)));
  return index;
}

Result<Tuning> TuneIvfPq(const IndexFileReader& file, const VectorView& raw) {
  ASSIGN_OR_RETURN(auto index, Open(file, raw, {}, nullptr));
  const SelfTest test{
      .search = [&](uint32_t row, size_t top_k,
                    uint32_t nprobe) { return index->SearchWithout(row, top_k, nprobe); },
      .width_max = file.header().nlist,
      .at_least_top_k = false};
  return FindTuning(raw, file.header().metric, index->inverse_norms(), test);
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
