#include "index/vector/hnsw_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "index/vector/brute_force.h"
#include "index/vector/code_scan.h"
#include "index/vector/flat_index.h"
#include "index/vector/hnsw_graph.h"
#include "index/vector/self_test.h"

namespace elanus::index {
namespace {

// Rough costs in nanoseconds, only for choosing between plans.
constexpr double kCodeNs = 18.0;  // a code in the graph, and each of its cache lines
constexpr double kCodeLineNs = 2.2;
constexpr double kFreshShare = 0.6;  // links of a hop that lead to rows not met before
constexpr double kScannedNs = 1.2;   // a code in a pass over all visible rows, and its lines
constexpr double kScannedLineNs = 1.25;
constexpr double kBitNs = 0.04;  // a row looked for in the filter's bits
constexpr double kRowNs = 4.0;   // a raw row out of order, and each of its bytes
constexpr double kRowByteNs = 0.03;
constexpr double kRowInOrderNs = 2.0;  // the same when rows follow each other
constexpr double kByteInOrderNs = 0.04;
// The exact answer is taken for so little, or for so many times what codes would cost: codes of
// short rows are hardly shorter.
constexpr double kRowsAnyway = 20'000, kExactTimes = 2.5;

// Measured on word vectors at 10, 20 and 50 % visible: with these a filter does not cost recall (at
// 10 % a power of .35 did: .945 of .951).
constexpr double kWidenPower = 0.4;  // of 1 / share of visible rows, for a beam of hidden rows too
constexpr double kRoom = 1.7;        // times as many visible nodes as wanted in it, at least

// Cells: the centre of one ranked, and each cache line of its code; a row looked for in the
// filter's bits; a visible row's code, which lies anywhere, and its lines.
constexpr double kCellNs = 6.0, kCellLineNs = 1.0, kCellRowNs = 0.5;
constexpr double kCellCodeNs = 2.0, kCellCodeLineNs = 2.2;
// Visible rows read at least, and how many more it is on average until nothing near changes.
constexpr double kCellRowsMin = 300, kCellRowsMore = 400;
constexpr size_t kCellQuiet = 2;  // batches of rows without a change, at least

GraphScratch& ThreadScratch() {
  static thread_local GraphScratch scratch;
  return scratch;
}

class HnswIndex final : public VectorIndex {
 public:
  HnswIndex(const IndexHeader& header, VectorView raw, const float* norms, HnswGraph graph,
            std::vector<Buffer> copies, std::shared_ptr<const void> owner)
      : VectorIndex(header, raw, norms),
        graph_(std::move(graph)),
        copies_(std::move(copies)),
        owner_(std::move(owner)) {
    PackLinks();
  }

  Result<std::vector<Hit>> Search(const void* query, const SearchParams& params,
                                  const HiddenBits& hidden, const Cancel& cancel) const override {
    if (params.top_k == 0) return Error(InvalidParameter("top_k must be at least 1"));
    if (params.ef != 0 && static_cast<size_t>(params.ef) < params.top_k) {
      return Error(InvalidParameter(
          fmt::format("ef({}) should be larger than k({})", params.ef, params.top_k)));
    }
    const size_t visible = hidden.CountVisible(raw_.rows);
    const size_t wanted = std::min(params.top_k, visible);
    if (wanted == 0) return std::vector<Hit>{};
    const size_t ef = params.ef != 0 ? static_cast<size_t>(params.ef) : DefaultEf(params.top_k);
    const Task task{.query = query,
                    .ef = ef,
                    .wanted = wanted,
                    .measured = RowsMeasured(wanted, ef, params.reorder_k),
                    .visible = visible,
                    .hidden = hidden,
                    .cancel = cancel};
    Plan plan = Choose(task);
    GraphScratch& s = ThreadScratch();
    // Where the visible rows lie elsewhere than the query's surroundings the next plan takes over.
    if (plan == Plan::kAll) {
      ASSIGN_OR_RETURN(const bool found, SearchAmongAll(task, s));
      if (!found) plan = PlanBeyond(task);
    }
    if (plan == Plan::kRows) return SearchAll(query, wanted, hidden, cancel);
    if (plan == Plan::kCells) RETURN_IF_ERROR(SearchCells(task, s));
    if (plan == Plan::kCodes) RETURN_IF_ERROR(SearchCodes(task, s));
    return Rerank(query, s.rows, wanted);
  }

  std::vector<Hit> SearchWithout(uint32_t row, size_t top_k, uint32_t width) const {
    GraphScratch& s = ThreadScratch();
    BeamWithout(row, width, top_k, s);
    TakeRows(RowsMeasured(top_k, width, 0), [](uint32_t) { return true; }, s);
    FloatRows row_at(raw_);
    return Rerank(row_at(row), s.rows, top_k);
  }

  const HnswGraph* graph() const override { return &graph_; }

  IndexMemory Memory() const override {
    IndexMemory memory;
    memory.resident_bytes = graph_.packed_links.size();
    for (const Buffer& copy : copies_) memory.resident_bytes += copy.size();
    if (copies_.empty())
      memory.mapped_bytes = EstimateIndexBytes(raw_.rows, raw_.dim,
                                               BuildParams{.kind = Kind::kHnsw,
                                                           .metric = metric(),
                                                           .m = static_cast<int>(header_.m),
                                                           .codec = header_.codec});
    return memory;
  }

 private:
  size_t DefaultEf(size_t top_k) const {
    return std::max({header_.tuning.WidthFor(top_k), top_k, size_t{16}});
  }

  // Enough to mend the rounding of the codes, or as many as the caller says, if that is more.
  size_t RowsMeasured(size_t wanted, size_t ef, int reorder_k) const {
    const size_t some =
        graph_.halves ? HalfBytesMeasured(wanted) : std::max(wanted + 10, wanted * 3 / 2);
    if (reorder_k > 0) return std::max(some, static_cast<size_t>(reorder_k));
    return graph_.coded && graph_.coded->coarse() ? std::max(some, ef) : some;
  }

  size_t CodeBytes() const {
    if (graph_.halves) return graph_.halves->codec.stride();
    return graph_.coded ? graph_.coded->codec().code_bytes() : graph_.codec.stride();
  }

  struct Task {
    const void* query;
    size_t ef, wanted;
    size_t measured;  // exactly, in the end
    size_t visible;   // rows
    const HiddenBits& hidden;
    const Cancel& cancel;
  };
  // What a search may do: measure all visible rows, all visible codes, those in the nearest cells,
  // or walk over all nodes in a wider beam.
  enum class Plan { kRows, kCodes, kCells, kAll };

  void Start(size_t ef, size_t wanted, GraphScratch& s) const {
    if (graph_.coded && graph_.coded->coarse()) {  // more than the wanted rows will be measured
      s.pool.Start(ef);
      return s.patience.Off();
    }
    // Half bytes may take a wanted row for one just outside a narrow beam; so wide they find what
    // bytes find at the same ef (768-d, ef 10: .967 and .957).
    if (graph_.halves) ef = std::max(ef, wanted * 5 / 4);
    StartBeam(ef, wanted, s);
  }

  double Pass(const Task& task) const {
    return static_cast<double>(task.visible) / static_cast<double>(raw_.rows);
  }
  // Hidden rows take places in the beam.
  size_t WideEf(const Task& task) const {
    const double pass = Pass(task);
    if (pass >= 1) return task.ef;
    const double wide = static_cast<double>(task.ef) * std::pow(pass, -kWidenPower);
    const double room = kRoom * static_cast<double>(task.wanted) / pass;
    return static_cast<size_t>(std::ceil(std::max(wide, room)));
  }

  // What the plans cost, in nanoseconds.
  double DistancesNs(double share) const {
    const double lines = std::ceil(static_cast<double>(CodeBytes()) / 64);
    return share * static_cast<double>(header_.degree) * (kCodeNs + lines * kCodeLineNs);
  }
  double AllNs(const Task& task) const {
    return static_cast<double>(WideEf(task)) * DistancesNs(kFreshShare);
  }
  double CodesNs(const Task& task) const {
    const double lines = std::ceil(static_cast<double>(CodeBytes()) / 64);
    return static_cast<double>(raw_.rows) * kBitNs +
           static_cast<double>(task.visible) * (kScannedNs + lines * kScannedLineNs);
  }

  // Visible rows to read in the nearest cells: they grow with ef as the beam does, but are no fewer
  // than the self-test found right. Fewer find less than a beam of that ef does: .933 of the
  // nearest ten at 10 % of word vectors, at an ef that finds .95 without a filter.
  double RowsOfCells(const Task& task) const {
    const double pass = Pass(task);
    const double rows = pass * graph_.cells.RowsNear(static_cast<double>(task.wanted) / pass);
    const double wide = static_cast<double>(task.ef) / static_cast<double>(DefaultEf(task.wanted));
    return std::max(rows * std::max(wide, 1.0), kCellRowsMin);
  }
  double CellsNs(const Task& task) const {
    if (graph_.cells.count() == 0) return std::numeric_limits<double>::infinity();
    const double lines = std::ceil(static_cast<double>(CodeBytes()) / 64);
    const double cell_lines = static_cast<double>(graph_.cells.code_bytes()) / 64;
    const double rows = RowsOfCells(task) + kCellRowsMore;
    return static_cast<double>(graph_.cells.count()) * (kCellNs + cell_lines * kCellLineNs) +
           rows / Pass(task) * kCellRowNs + rows * (kCellCodeNs + lines * kCellCodeLineNs);
  }

  double RowsNs(const Task& task) const {
    const auto bytes = static_cast<double>(raw_.row_bytes());
    return task.visible * 2 > raw_.rows
               ? static_cast<double>(raw_.rows) * (kRowInOrderNs + bytes * kByteInOrderNs)
               : static_cast<double>(task.visible) * (kRowNs + bytes * kRowByteNs);
  }

  Plan Choose(const Task& task) const {
    const double codes = CodesNs(task), rows = RowsNs(task), others = std::min(codes, rows);
    if (task.wanted * 2 > task.visible || task.visible <= 2 * task.measured) return Plan::kRows;
    const double all = AllNs(task);
    if (task.visible == raw_.rows) return others < all ? PlanOfScans(codes, rows) : Plan::kAll;
    const double cells = CellsNs(task);
    if (others < std::min(all, cells)) return PlanOfScans(codes, rows);
    return all <= cells ? Plan::kAll : Plan::kCells;
  }
  static Plan PlanOfScans(double codes, double rows) {
    return rows <= std::max(kExactTimes * codes, kRowsAnyway) ? Plan::kRows : Plan::kCodes;
  }
  // When the beam of all nodes has met too few visible ones.
  Plan PlanBeyond(const Task& task) const {
    return CodesNs(task) <= CellsNs(task) ? Plan::kCodes : Plan::kCells;
  }

  template <class Visible>
  static void TakeRows(size_t limit, const Visible& visible, GraphScratch& s) {
    s.rows.clear();
    for (const auto& entry : s.pool.Nearest(limit, visible)) s.rows.push_back(entry.node);
  }

  /// Where the links are a copy of our own it is replaced by a smaller one.
  void PackLinks() {
    const auto* links = reinterpret_cast<const std::byte*>(graph_.links.data());
    const auto copy = std::ranges::find(copies_, links, [](const Buffer& b) { return b.data(); });
    if (copy == copies_.end() || raw_.rows > PackedLinks::kRowsMax) return;
    graph_.packed_links = PackedLinks::Pack(graph_.links);
    graph_.links = {};
    copies_.erase(copy);
  }

  /// Calls `use` with the links of level 0.
  template <class Use>
  void WithLinks(const Use& use) const {
    const Buffer& packed = graph_.packed_links;
    packed.size() != 0 ? use(PackedLinks(packed.As<uint8_t>(), header_.degree))
                       : use(RowLinks(graph_.links.data(), header_.degree));
  }

  // Walks down the levels to a row of level 0 near the query.
  GraphEntry Descend(const FromQuery& distance, GraphScratch& s) const {
    GraphEntry at{graph_.entry(), 0};
    distance(&at.node, 1, &at.distance);
    if (!graph_.levels.empty()) at.node = 0;
    for (size_t level = graph_.levels.size(); level > 0; --level) {
      const UpperLevel& upper = graph_.levels[level - 1];
      const auto upper_distance = [&](const uint32_t* nodes, size_t count, int32_t* out) {
        for (size_t i = 0; i < count; ++i) s.fresh[i] = upper.rows[nodes[i]];
        distance(s.fresh.data(), count, out);
      };
      at = DescendGreedily(RowLinks(upper.links.data(), header_.upper_degree), upper_distance, at,
                           s);
      at.node = upper.down[at.node];
    }
    return at;
  }

  FromQuery Encode(const void* query, GraphScratch& s) const {
    s.Reserve(std::max(header_.degree, header_.upper_degree));
    if (graph_.coded) {
      static thread_local CodedQuery coded;
      graph_.coded->Prepare(static_cast<const float*>(query), coded);
      return {.codes = graph_.codes,
              .query = nullptr,
              .bias = 0,
              .coded = &*graph_.coded,
              .coded_query = &coded};
    }
    if (graph_.halves) {
      static thread_local Sq4::Query halves;
      graph_.halves->codec.Prepare(static_cast<const float*>(query), halves);
      return {.codes = graph_.codes,
              .query = nullptr,
              .bias = 0,
              .halves = &graph_.halves->codes,
              .halves_query = &halves};
    }
    s.query_code.resize(graph_.codec.stride());
    const int32_t bias =
        graph_.codec.EncodeQuery(static_cast<const float*>(query), s.query_code.data());
    return {.codes = graph_.codes, .query = s.query_code.data(), .bias = bias};
  }

  // Leaves the rows worth an exact look in s.rows, those with the nearest codes of all visible
  // ones.
  Status SearchCodes(const Task& task, GraphScratch& s) const {
    const FromQuery distance = Encode(task.query, s);
    AllVisible rows(raw_.rows, task.hidden);
    return Scan(task, distance, rows, s);
  }

  // The same of those in the nearest cells.
  Status SearchCells(const Task& task, GraphScratch& s) const {
    static thread_local GraphCells::Order order;
    const FromQuery distance = Encode(task.query, s);
    graph_.cells.Rank(static_cast<const float*>(task.query), order);
    const uint64_t* hidden = task.hidden.words();
    if (task.hidden.rows() < raw_.rows) {  // those past its end are hidden
      s.visited.Start(raw_.rows, task.hidden);
      hidden = s.visited.words();
    }
    s.patience.Start(std::min(task.wanted, Patience::kWatchedMax), kCellQuiet);
    CellRows rows(graph_.cells, order, hidden, static_cast<size_t>(RowsOfCells(task)), s.patience);
    return Scan(task, distance, rows, s);
  }

  template <class Source>
  static Status Scan(const Task& task, const FromQuery& distance, Source& rows, GraphScratch& s) {
    static thread_local CodeScan scan;
    // A wide beam says that codes tell rows apart badly: more of them are measured.
    const size_t measured = std::max(task.measured, task.ef / 4);
    RETURN_IF_ERROR(scan.Run(distance, rows, measured, task.cancel));
    s.rows.clear();
    for (const auto& found : scan.nearest()) s.rows.push_back(found.row);
    return Status::Ok();
  }

  // The same from a beam of all nodes. False: it has not seen what it should have.
  Result<bool> SearchAmongAll(const Task& task, GraphScratch& s) const {
    const FromQuery distance = Encode(task.query, s);
    const GraphEntry at = Descend(distance, s);
    s.visited.Start(raw_.rows);
    Start(WideEf(task), task.wanted, s);
    s.visited.Insert(at.node);
    s.pool.Insert(at.distance, at.node);
    Status status;
    bool elsewhere = false;
    const auto is_visible = [&](uint32_t row) { return !task.hidden.Hidden(row); };
    WithLinks([&](const auto& links) {
      if (task.visible == raw_.rows)
        return ExpandBeam(links, distance, s, [&] { return (status = task.cancel.Check()).ok(); });
      size_t met = 0, seen = 0;
      const auto count = [&](uint32_t row) {
        const bool visible = is_visible(row);
        ++met;
        seen += static_cast<size_t>(visible);
        return visible;
      };
      const double expected = Pass(task) / 4;
      const auto keep_going = [&] {
        elsewhere = static_cast<double>(seen) < static_cast<double>(met) * expected;
        return !elsewhere && (status = task.cancel.Check()).ok();
      };
      ExpandBeam(links, distance, s, keep_going, count);
    });
    RETURN_IF_ERROR(status);
    const size_t least = task.visible == raw_.rows
                             ? task.wanted
                             : std::min(task.visible, task.wanted + task.wanted / 4);
    if (elsewhere || s.pool.Count(is_visible) < least) return false;
    TakeRows(task.measured, is_visible, s);
    return true;
  }

  // For the self-test: the nearest rows in s.pool, as if `without` were not in the graph.
  void BeamWithout(uint32_t without, size_t ef, size_t wanted, GraphScratch& s) const {
    FloatRows row_at(raw_);
    const FromQuery distance = Encode(row_at(without), s);
    const GraphEntry at = Descend(distance, s);
    s.visited.Start(raw_.rows);
    Start(ef, wanted, s);
    s.visited.Insert(without);
    WithLinks([&](const auto& links) {
      if (at.node == without) {  // start from its neighbours instead
        const size_t count = links.Unseen(without, s.visited, s.nodes.data());
        distance(s.nodes.data(), count, s.distances.data());
        for (size_t i = 0; i < count; ++i) s.pool.Insert(s.distances[i], s.nodes[i]);
      } else {
        s.visited.Insert(at.node);
        s.pool.Insert(at.distance, at.node);
      }
      ExpandBeam(links, distance, s, [] { return true; });
    });
  }

  HnswGraph graph_;
  std::vector<Buffer> copies_;
  std::shared_ptr<const void> owner_;
};

Result<std::unique_ptr<HnswIndex>> Open(const IndexFileReader& file, VectorView raw,
                                        std::vector<Buffer> copies,
                                        std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(HnswGraph graph, ReadHnswGraph(file));
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(file));
  return std::make_unique<HnswIndex>(file.header(), raw, norms, std::move(graph), std::move(copies),
                                     std::move(owner));
}

}  // namespace

Result<std::unique_ptr<VectorIndex>> OpenHnsw(const IndexFileReader& file, VectorView raw,
                                              std::vector<Buffer> copies,
                                              std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(std::unique_ptr<VectorIndex> index,
                   Open(file, raw, std::move(copies), std::move(owner)));
  return index;
}

uint64_t ThreadGraphHops() { return ThreadScratch().hops; }

Result<Tuning> TuneHnsw(const IndexFileReader& file, const VectorView& raw,
                        const SelfSample& sample, int threads) {
  ASSIGN_OR_RETURN(auto index, Open(file, raw, {}, nullptr));
  const SelfTest test{
      .search = [&](uint32_t row, size_t top_k,
                    uint32_t width) { return index->SearchWithout(row, top_k, width); },
      .threads = threads,
      .width_max = static_cast<uint32_t>(std::min<size_t>(raw.rows, 4096)),
      .at_least_top_k = true};
  return FindTuning(raw.rows, sample, test);
}

}  // namespace elanus::index
