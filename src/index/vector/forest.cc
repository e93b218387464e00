#include "index/vector/forest.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "base/thread.h"
#include "index/vector/flat_index.h"
#include "index/vector/row_lists.h"
#include "index/vector/self_test.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr size_t kLeafRows = 32;
constexpr size_t kMeanSample = 200;  // rows that the two means of a split are taken from
constexpr int kMeanRounds = 4;
constexpr int kTries = 3;  // splits that leave nearly all rows on one side are tried again
constexpr uint32_t kLeaf = uint32_t{1} << 31;
constexpr size_t kCancelEvery = 256;  // nodes between two looks at `cancel`

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, std::string("index file: ") + what);
}

// A plane is float[dim + 2]: the normal, what the extra number of IP counts, the offset.
size_t PlaneFloats(size_t dim) { return dim + 2; }

struct Tree {
  std::vector<uint32_t> children;  // two a node; kLeaf | leaf, or a node behind its parent
  std::vector<float> planes;       // one a node
  std::vector<uint32_t> leaf_starts{0};
  std::vector<uint32_t> leaf_rows;
};

class TreeBuilder {
 public:
  TreeBuilder(const VectorView& vectors, Metric metric, std::span<const float> extras,
              uint64_t seed, const std::stop_token& stop)
      : metric_(metric),
        dim_(vectors.dim),
        rows_(vectors.rows),
        row_at_(vectors),
        extras_(extras),
        random_(seed),
        stop_(stop) {}

  Tree Run() {
    std::vector<uint32_t> rows(rows_);
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
    Grow(rows, kNoParent);
    return std::move(tree_);
  }

 private:
  static constexpr size_t kNoParent = static_cast<size_t>(-1);

  // Nodes come before what lies under them, so that a search cannot run in a circle. Not
  // recursive: a tree over equal rows must not be as deep as there are rows.
  void Grow(std::span<uint32_t> all, size_t parent) {
    struct Part {
      std::span<uint32_t> rows;
      size_t parent_slot;
    };
    std::vector<Part> open{{all, parent}};
    while (!open.empty() && !stop_.stop_requested()) {
      OfferCore();
      const Part part = open.back();
      open.pop_back();
      if (part.rows.size() <= kLeafRows) {
        Enter(part.parent_slot, kLeaf | static_cast<uint32_t>(tree_.leaf_starts.size() - 1));
        std::sort(part.rows.begin(), part.rows.end());
        tree_.leaf_rows.insert(tree_.leaf_rows.end(), part.rows.begin(), part.rows.end());
        tree_.leaf_starts.push_back(static_cast<uint32_t>(tree_.leaf_rows.size()));
        continue;
      }
      const size_t node = tree_.children.size() / 2;
      Enter(part.parent_slot, static_cast<uint32_t>(node));
      tree_.children.resize(2 * node + 2, kLeaf);
      const size_t near = Split(part.rows);
      open.push_back({part.rows.subspan(near), 2 * node + 1});
      open.push_back({part.rows.first(near), 2 * node});
    }
  }

  void Enter(size_t slot, uint32_t child) {
    if (slot != kNoParent) tree_.children[slot] = child;
  }

  // Adds a plane; brings the rows on its positive side to the front and returns how many they are.
  size_t Split(std::span<uint32_t> rows) {
    const size_t at = tree_.planes.size();
    tree_.planes.resize(at + PlaneFloats(dim_));
    for (int i = 0; i < kTries; ++i) {
      MakePlane(rows, &tree_.planes[at]);
      const auto middle = std::partition(rows.begin(), rows.end(), [&](uint32_t row) {
        return Margin(&tree_.planes[at], row_at_(row), Extra(row)) > 0;
      });
      const auto near = static_cast<size_t>(middle - rows.begin());
      if (near >= rows.size() / 50 + 1 && near + rows.size() / 50 + 1 <= rows.size()) return near;
    }
    // Rows that no plane parts: by chance, and a query goes both ways.
    std::fill_n(&tree_.planes[at], PlaneFloats(dim_), 0.0f);
    std::shuffle(rows.begin(), rows.end(), random_);
    return rows.size() / 2;
  }

  float Extra(uint32_t row) const { return extras_.empty() ? 0.0f : extras_[row]; }
  float Margin(const float* plane, const float* x, float extra) const {
    return simd::Active().ip(plane, x, dim_) + plane[dim_] * extra + plane[dim_ + 1];
  }

  // Half-way between two means of some of the rows.
  void MakePlane(std::span<const uint32_t> rows, float* plane) {
    const size_t width = dim_ + 1, count = std::min(kMeanSample, rows.size());
    std::vector<float> sample(count * width), means(2 * width);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = rows[random_() % rows.size()];
      Point(row, &sample[i * width]);
    }
    std::copy_n(&sample[0], width, &means[0]);
    std::copy_n(&sample[(1 + random_() % (count - 1)) * width], width, &means[width]);
    std::vector<double> sums(2 * width);
    for (int round = 0; round < kMeanRounds; ++round) {
      std::fill(sums.begin(), sums.end(), 0.0);
      size_t counts[2] = {0, 0};
      for (size_t i = 0; i < count; ++i) {
        const float* x = &sample[i * width];
        const float a = simd::Active().l2(x, &means[0], width),
                    b = simd::Active().l2(x, &means[width], width);
        const size_t side = b < a ? 1 : 0;
        ++counts[side];
        for (size_t d = 0; d < width; ++d) sums[side * width + d] += x[d];
      }
      for (size_t side = 0; side < 2; ++side) {
        for (size_t d = 0; counts[side] != 0 && d < width; ++d)
          means[side * width + d] =
              static_cast<float>(sums[side * width + d] / static_cast<double>(counts[side]));
      }
    }
    double offset = 0, square = 0;
    for (size_t d = 0; d < width; ++d) {
      plane[d] = means[d] - means[width + d];
      offset -= 0.5 * static_cast<double>(plane[d]) * (means[d] + means[width + d]);
      square += static_cast<double>(plane[d]) * plane[d];
    }
    // Of unit length, so that margins of different planes can be compared. Where directions count
    // the plane goes through the origin.
    const float f = square > 0 ? static_cast<float>(1.0 / std::sqrt(square)) : 0.0f;
    for (size_t d = 0; d < width; ++d) plane[d] *= f;
    plane[width] = metric_ == Metric::kL2 ? static_cast<float>(offset) * f : 0.0f;
  }

  // A row as the means see it: of unit length for COSINE, with its extra number for IP.
  void Point(uint32_t row, float* out) {
    const float* x = row_at_(row);
    const float f = metric_ == Metric::kCosine ? InverseNorm(simd::Active(), x, dim_) : 1.0f;
    for (size_t d = 0; d < dim_; ++d) out[d] = x[d] * f;
    out[dim_] = Extra(row);
  }

  Metric metric_;
  size_t dim_;
  size_t rows_;
  FloatRows row_at_;
  std::span<const float> extras_;
  std::mt19937_64 random_;
  const std::stop_token& stop_;
  Tree tree_;
};

struct Forest {
  std::span<const uint32_t> starts;  // per tree: its first node, first leaf; then the ends
  std::span<const uint32_t> children;
  std::span<const float> planes;
  std::span<const uint32_t> leaf_starts;
  std::span<const uint32_t> leaf_rows;

  size_t trees() const { return starts.size() / 2 - 1; }
};

Status CheckTree(const Forest& f, size_t tree) {
  const uint32_t node = f.starts[2 * tree], leaf = f.starts[2 * tree + 1],
                 node_end = f.starts[2 * tree + 2], leaf_end = f.starts[2 * tree + 3];
  if (node > node_end || leaf >= leaf_end || node_end > f.children.size() / 2 ||
      leaf_end > f.leaf_starts.size() - 1)
    return Corrupt("trees out of order").error();
  for (uint32_t i = node; i < node_end; ++i) {
    for (uint32_t child : f.children.subspan(size_t{2} * i, 2)) {
      const bool good = (child & kLeaf) != 0 ? (child & ~kLeaf) < leaf_end - leaf
                                             : child > i - node && child < node_end - node;
      if (!good) return Corrupt("tree node out of range").error();
    }
  }
  return Status::Ok();
}

Result<Forest> ReadForest(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  const auto count = [&](SectionId id) { return file.Section(id).size() / sizeof(uint32_t); };
  Forest f;
  ASSIGN_OR_RETURN(f.starts, file.Values<uint32_t>(SectionId::kTreeStarts,
                                                   count(SectionId::kTreeStarts), "tree starts"));
  if (f.starts.size() < 4 || f.starts.size() % 2 != 0) return Corrupt("no trees");
  ASSIGN_OR_RETURN(
      f.children, file.Values<uint32_t>(SectionId::kTreeNodes,
                                        uint64_t{2} * f.starts[f.starts.size() - 2], "tree nodes"));
  ASSIGN_OR_RETURN(f.planes,
                   file.Values<float>(SectionId::kTreePlanes,
                                      f.children.size() / 2 * PlaneFloats(h.dim), "tree planes"));
  ASSIGN_OR_RETURN(f.leaf_starts, file.Values<uint32_t>(SectionId::kListStarts,
                                                        uint64_t{f.starts.back()} + 1, "leaves"));
  ASSIGN_OR_RETURN(f.leaf_rows, file.Values<uint32_t>(SectionId::kListRows,
                                                      f.trees() * uint64_t{h.rows}, "leaf rows"));
  for (size_t tree = 0; tree < f.trees(); ++tree) RETURN_IF_ERROR(CheckTree(f, tree));
  if (f.leaf_starts.front() != 0 || f.leaf_starts.back() != f.leaf_rows.size() ||
      !std::ranges::is_sorted(f.leaf_starts))
    return Corrupt("leaves out of order");
  if (std::ranges::any_of(f.leaf_rows, [&](uint32_t row) { return row >= h.rows; }))
    return Corrupt("leaf row out of range");
  return f;
}

struct Scratch {
  std::vector<std::pair<float, uint64_t>> queue;  // how deep, tree and node
  std::vector<uint64_t> met;                      // one bit a row; all zero between searches
  std::vector<uint32_t> rows;
};

Scratch& ThreadScratch() {
  static thread_local Scratch scratch;
  return scratch;
}

class ForestIndex final : public VectorIndex {
 public:
  ForestIndex(const IndexFileReader& file, VectorView raw, const float* norms, Forest forest,
              std::vector<Buffer> copies, std::shared_ptr<const void> owner)
      : VectorIndex(file.header(), raw, norms),
        forest_(forest),
        copies_(std::move(copies)),
        owner_(std::move(owner)),
        file_bytes_(file.SectionBytes()) {}

  Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                  const HiddenBits& hidden, const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    if (params.ef != 0 && static_cast<size_t>(params.ef) < params.top_k) {
      return Error(InvalidParameter(
          fmt::format("search_k({}) should be larger than k({})", params.ef, params.top_k)));
    }
    const size_t visible = hidden.CountVisible(raw_.rows);
    const size_t wanted = std::min(params.top_k, visible);
    if (wanted == 0) return std::vector<Hit>{};
    const size_t search_k =
        params.ef != 0 ? static_cast<size_t>(params.ef) : header_.tuning.WidthFor(params.top_k);
    // Gathered rows are measured one by one out of order: some of all read in order cost as much.
    if (search_k * 3 > visible || wanted * 2 > visible)
      return SearchAll(query, wanted, hidden, cancel);
    Scratch& s = ThreadScratch();
    RETURN_IF_ERROR(Gather(static_cast<const float*>(query), search_k, hidden, kNoRow, cancel, s));
    if (s.rows.size() < wanted) return SearchAll(query, wanted, hidden, cancel);
    return Rerank(query, s.rows, wanted);
  }

  std::vector<Hit> SearchWithout(uint32_t row, size_t top_k, uint32_t search_k) const {
    FloatRows row_at(raw_);
    const float* query = row_at(row);
    Scratch& s = ThreadScratch();
    (void)Gather(query, search_k, {}, row, {}, s).ok();  // a Cancel that never stops
    return Rerank(query, s.rows, top_k);
  }

  IndexMemory Memory() const override {
    IndexMemory memory;
    for (const Buffer& copy : copies_) memory.resident_bytes += copy.size();
    if (copies_.empty()) memory.mapped_bytes = file_bytes_;
    return memory;
  }

 private:
  // Leaves at least `search_k` visible rows in s.rows, each once, unless there are fewer.
  Status Gather(const float* query, size_t search_k, const HiddenBits& hidden, uint32_t without,
                const Cancel& cancel, Scratch& s) const {
    const size_t words = (raw_.rows + 63) / 64, dim = raw_.dim;
    if (s.met.size() < words) s.met.resize(words, 0);
    s.rows.clear();
    s.queue.clear();
    const auto push = [&](float depth, size_t tree, uint32_t node) {
      s.queue.emplace_back(depth, uint64_t{tree} << 32 | node);
      std::push_heap(s.queue.begin(), s.queue.end());
    };
    for (size_t tree = 0; tree < forest_.trees(); ++tree) {
      const bool one_leaf = forest_.starts[2 * tree] == forest_.starts[2 * tree + 2];
      push(std::numeric_limits<float>::max(), tree, one_leaf ? kLeaf : 0);
    }
    size_t work = 0;
    Status status;
    while (!s.queue.empty() && s.rows.size() < search_k) {
      std::pop_heap(s.queue.begin(), s.queue.end());
      const auto [depth, at] = s.queue.back();
      s.queue.pop_back();
      const size_t tree = at >> 32;
      const auto node = static_cast<uint32_t>(at);
      if ((node & kLeaf) != 0) {
        TakeLeaf(forest_.starts[2 * tree + 1] + (node & ~kLeaf), hidden, without, s);
      } else {
        const size_t i = forest_.starts[2 * tree] + size_t{node};
        const float* plane = forest_.planes.data() + i * PlaneFloats(dim);
        const float margin = simd::Active().ip(plane, query, dim) + plane[dim + 1];
        push(std::min(depth, margin), tree, forest_.children[2 * i]);
        push(std::min(depth, -margin), tree, forest_.children[2 * i + 1]);
      }
      if (++work % kCancelEvery == 0 && !(status = cancel.Check()).ok()) break;
    }
    for (uint32_t row : s.rows) s.met[row / 64] = 0;
    return status;
  }

  void TakeLeaf(size_t leaf, const HiddenBits& hidden, uint32_t without, Scratch& s) const {
    for (uint32_t i = forest_.leaf_starts[leaf]; i < forest_.leaf_starts[leaf + 1]; ++i) {
      const uint32_t row = forest_.leaf_rows[i];
      uint64_t& word = s.met[row / 64];
      const uint64_t bit = uint64_t{1} << (row % 64);
      if ((word & bit) != 0 || row == without || hidden.Hidden(row)) continue;
      word |= bit;
      s.rows.push_back(row);
    }
  }

  Forest forest_;
  std::vector<Buffer> copies_;
  std::shared_ptr<const void> owner_;
  uint64_t file_bytes_;
};

Result<std::unique_ptr<ForestIndex>> Open(const IndexFileReader& file, VectorView raw,
                                          std::vector<Buffer> copies,
                                          std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(const Forest forest, ReadForest(file));
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(file));
  return std::make_unique<ForestIndex>(file, raw, norms, forest, std::move(copies),
                                       std::move(owner));
}

// What brings all rows to the length of the longest.
std::vector<float> ExtrasOf(const VectorView& vectors, Metric metric) {
  if (metric != Metric::kIp) return {};
  FloatRows row_at(vectors);
  std::vector<float> squares(vectors.rows);
  for (size_t row = 0; row < vectors.rows; ++row) {
    const float* x = row_at(row);
    squares[row] = simd::Active().ip(x, x, vectors.dim);
  }
  const float most = std::ranges::max(squares);
  for (float& s : squares) s = std::sqrt(std::max(0.0f, most - s));
  return squares;
}

Result<Tuning> Tune(const IndexFileReader& file, const VectorView& raw, int threads) {
  ASSIGN_OR_RETURN(auto index, Open(file, raw, {}, nullptr));
  const SelfTest test{
      .search = [&](uint32_t row, size_t top_k,
                    uint32_t width) { return index->SearchWithout(row, top_k, width); },
      .threads = threads,
      .width_max = static_cast<uint32_t>(raw.rows),
      .at_least_top_k = true};
  return FindTuning(
      raw.rows, TakeSelfSample(raw, file.header().metric, index->inverse_norms(), threads), test);
}

}  // namespace

Result<IndexFile> BuildForest(const VectorView& vectors, const BuildParams& params,
                              const BuildControl& control) {
  const std::vector<float> extras = ExtrasOf(vectors, params.metric);
  // Places in leaves are 32 bits.
  const size_t count =
      std::min(static_cast<size_t>(params.trees), size_t{0xFFFFFFFF} / vectors.rows);
  std::vector<Tree> trees(count);
  std::atomic<size_t> next{0};
  RunWorkers(params.threads, [&](int id) {
    for (size_t i; (i = next.fetch_add(1)) < count && !control.stop.stop_requested();) {
      trees[i] =
          TreeBuilder(vectors, params.metric, extras, params.seed * 1024 + i, control.stop).Run();
      if (id == 0 && control.progress)
        control.progress(0.9 * static_cast<double>(i + 1) / static_cast<double>(count));
    }
  });
  if (control.stop.stop_requested()) return Error(Code::kCanceled, "index build canceled");
  std::vector<uint32_t> starts{0, 0}, children, leaf_starts{0}, leaf_rows;
  std::vector<float> planes;
  for (Tree& tree : trees) {
    children.insert(children.end(), tree.children.begin(), tree.children.end());
    planes.insert(planes.end(), tree.planes.begin(), tree.planes.end());
    const auto base = static_cast<uint32_t>(leaf_rows.size());
    for (size_t i = 1; i < tree.leaf_starts.size(); ++i)
      leaf_starts.push_back(base + tree.leaf_starts[i]);
    leaf_rows.insert(leaf_rows.end(), tree.leaf_rows.begin(), tree.leaf_rows.end());
    starts.push_back(static_cast<uint32_t>(children.size() / 2));
    starts.push_back(static_cast<uint32_t>(leaf_starts.size() - 1));
    tree = {};
  }
  IndexHeader header{.kind = params.kind,
                     .metric = params.metric,
                     .element = vectors.element,
                     .rows = static_cast<uint32_t>(vectors.rows),
                     .dim = static_cast<uint32_t>(vectors.dim),
                     .seed = params.seed};
  IndexFileWriter writer;
  AddInverseNorms(vectors, params.metric, writer);
  writer.Add(SectionId::kTreeStarts, std::span<const uint32_t>(starts));
  writer.Add(SectionId::kTreeNodes, std::span<const uint32_t>(children));
  writer.Add(SectionId::kTreePlanes, std::span<const float>(planes));
  writer.Add(SectionId::kListStarts, std::span<const uint32_t>(leaf_starts));
  writer.Add(SectionId::kListRows, std::span<const uint32_t>(leaf_rows));
  ASSIGN_OR_RETURN(header.tuning, Tune(writer.Peek(header), vectors, params.threads));
  if (control.progress) control.progress(1.0);
  return writer.Finish(header);
}

Result<std::unique_ptr<VectorIndex>> OpenForest(const IndexFileReader& file, VectorView raw,
                                                std::vector<Buffer> copies,
                                                std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(std::unique_ptr<VectorIndex> index,
                   Open(file, raw, std::move(copies), std::move(owner)));
  return index;
}

uint64_t ForestBytes(size_t rows, size_t dim, int trees) {
  // Leaves are about two thirds full; a tree has a node less than leaves.
  const uint64_t leaves = rows * 3 / (kLeafRows * 2) + 1;
  const uint64_t tree =
      leaves * (PlaneFloats(dim) * sizeof(float) + 3 * sizeof(uint32_t)) + rows * sizeof(uint32_t);
  return tree * static_cast<uint64_t>(trees);
}

}  // namespace elanus::index
