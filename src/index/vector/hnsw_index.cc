#include "index/vector/hnsw_index.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "index/vector/brute_force.h"
#include "index/vector/coded_rows.h"
#include "index/vector/flat_index.h"
#include "index/vector/graph_codes.h"
#include "index/vector/self_test.h"

namespace elanus::index {
namespace {

// Rough costs in nanoseconds, only for choosing between plans.
constexpr double kRowNs = 4.0;  // a raw row out of order, and each of its bytes
constexpr double kByteNs = 0.03;
constexpr double kRowInOrderNs = 2.0;  // the same when rows follow each other
constexpr double kByteInOrderNs = 0.04;
constexpr double kCodeNs = 12.0;  // a code in the graph
constexpr double kCodeByteNs = 0.06;
constexpr double kLinkNs = 1.5;      // a link of a hidden row looked at
constexpr double kFreshShare = 0.6;  // links of a hop that lead to rows not met before

// Measured on word vectors at 5 to 90 % visible: with these a filter does not cost recall.
constexpr double kWidenPower =
    0.5;  // of 1 / share of visible rows, for a beam that holds hidden rows too
constexpr double kVisibleOnlyBelow =
    0.4;  // share of visible rows from which stepping over hidden ones is dearer

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

struct Graph {
  Sq8 codec;
  CodeView codes;
  std::optional<HalfBytes> halves;  // instead of these two
  std::optional<CodedRows> coded;   // likewise
  std::span<const uint32_t> links;
  Buffer packed_links;             // in their place
  std::vector<UpperLevel> levels;  // level 1 first

  uint32_t entry() const { return levels.empty() ? 0 : levels.back().rows[0]; }
};

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, fmt::format("index file: {}", what));
}

bool AllBelow(std::span<const uint32_t> ids, size_t limit, bool none_allowed) {
  bool good = true;
  for (uint32_t id : ids) good &= id < limit || (none_allowed && id == kNoNode);
  return good;
}

Result<std::vector<UpperLevel>> ReadLevels(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  const auto counts_bytes = file.Section(SectionId::kLevelCounts);
  ASSIGN_OR_RETURN(auto counts, file.Values<uint32_t>(SectionId::kLevelCounts,
                                                      counts_bytes.size() / 4, "level counts"));
  uint64_t total = 0;
  for (uint32_t count : counts) total += count;
  ASSIGN_OR_RETURN(auto rows, file.Values<uint32_t>(SectionId::kLevelRows, total, "level rows"));
  ASSIGN_OR_RETURN(auto down, file.Values<uint32_t>(SectionId::kLevelDown, total, "level places"));
  ASSIGN_OR_RETURN(auto links, file.Values<uint32_t>(SectionId::kLevelLinks, total * h.upper_degree,
                                                     "level links"));
  if (!AllBelow(rows, h.rows, false)) return Corrupt("level row out of range");
  std::vector<UpperLevel> levels;
  size_t start = 0, below = h.rows;
  for (uint32_t count : counts) {
    if (count == 0) return Corrupt("empty level");
    UpperLevel level{rows.subspan(start, count), down.subspan(start, count),
                     links.subspan(start * h.upper_degree, size_t{count} * h.upper_degree)};
    if (!AllBelow(level.down, below, false)) return Corrupt("level place out of range");
    if (!AllBelow(level.links, count, true)) return Corrupt("level link out of range");
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = start == 0 ? level.down[i] : levels.back().rows[level.down[i]];
      if (row != level.rows[i]) return Corrupt("levels disagree about a row");
    }
    levels.push_back(level);
    start += count;
    below = count;
  }
  return levels;
}

Status ReadCodes(const IndexFileReader& file, Graph& graph) {
  const IndexHeader& h = file.header();
  ASSIGN_OR_RETURN(auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  if (!std::all_of(mean.begin(), mean.end(), [](float x) { return std::isfinite(x); }))
    return Corrupt("mean is not finite").error();
  graph.codec = Sq8(h.metric, h.dim, h.scale, {mean.begin(), mean.end()});
  ASSIGN_OR_RETURN(
      auto codes,
      file.Values<uint8_t>(SectionId::kCodes, uint64_t{h.rows} * graph.codec.stride(), "codes"));
  const int32_t* terms = nullptr;
  if (h.metric == Metric::kL2 && !graph.codec.term_in_row()) {
    ASSIGN_OR_RETURN(auto values, file.Values<int32_t>(SectionId::kTerms, h.rows, "terms"));
    terms = values.data();
  }
  graph.codes = CodeView(graph.codec, codes.data(), terms);
  return Status::Ok();
}

Result<Graph> ReadGraph(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  if (h.degree == 0 || h.upper_degree == 0) return Corrupt("degree out of range");
  Graph graph;
  if (h.codec.kind != CodecKind::kOwn) {
    ASSIGN_OR_RETURN(graph.coded, CodedRows::Read(file));
  } else if (h.codec.bits == kHalfByte) {
    ASSIGN_OR_RETURN(graph.halves, ReadHalfBytes(file));
  } else {
    RETURN_IF_ERROR(ReadCodes(file, graph));
  }
  ASSIGN_OR_RETURN(auto links,
                   file.Values<uint32_t>(SectionId::kLinks, uint64_t{h.rows} * h.degree, "links"));
  if (!AllBelow(links, h.rows, true)) return Corrupt("link out of range");
  graph.links = links;
  ASSIGN_OR_RETURN(graph.levels, ReadLevels(file));
  return graph;
}

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
  void Prefetch(uint32_t row) const {
    if (halves != nullptr) return halves->Prefetch(row);
    if (coded != nullptr) return coded->Prefetch(row);
    codes.Prefetch(row);
  }
};

GraphScratch& ThreadScratch() {
  static thread_local GraphScratch scratch;
  return scratch;
}

class HnswIndex final : public VectorIndex {
 public:
  HnswIndex(const IndexHeader& header, VectorView raw, const float* norms, Graph graph,
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
    const double pass = static_cast<double>(visible) / static_cast<double>(raw_.rows);
    const size_t ef = params.ef != 0 ? static_cast<size_t>(params.ef) : DefaultEf(params.top_k);
    const Plan plan = Choose(visible, ef);
    GraphScratch& s = ThreadScratch();
    if (plan == Plan::kBruteForce || wanted * 2 > visible)
      return SearchAll(query, wanted, hidden, cancel);
    if (plan == Plan::kVisibleOnly) {
      RETURN_IF_ERROR(VisibleBeam(query, {ef, wanted}, hidden, cancel, s));
    } else {
      // Hidden rows take places in the beam: widen it.
      const double width = std::ceil(static_cast<double>(ef) * std::pow(pass, -kWidenPower));
      RETURN_IF_ERROR(Beam(query, {static_cast<size_t>(width), wanted, pass}, kNoNode, cancel, s));
    }
    // The visible rows lie elsewhere than the query's surroundings: the beam has not seen what it
    // should have.
    const auto is_visible = [&](uint32_t row) { return !hidden.Hidden(row); };
    const size_t expected = std::min(ef, visible), seen = s.pool.Count(is_visible);
    if (seen < wanted || seen < (plan == Plan::kVisibleOnly ? expected : expected / 4)) {
      return SearchAll(query, wanted, hidden, cancel);
    }
    TakeRows(RowsMeasured(wanted, ef, params.reorder_k), is_visible, s);
    return Rerank(query, s.rows, wanted);
  }

  std::vector<Hit> SearchWithout(uint32_t row, size_t top_k, uint32_t width) const {
    GraphScratch& s = ThreadScratch();
    FloatRows row_at(raw_);
    const float* query = row_at(row);
    (void)Beam(query, {width, top_k}, row, {}, s).ok();  // a Cancel that never stops
    TakeRows(RowsMeasured(top_k, width, 0), [](uint32_t) { return true; }, s);
    return Rerank(query, s.rows, top_k);
  }

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

  struct Effort {
    size_t ef, wanted;
    double pass = 1;  // of the nodes that may enter the beam, those that count
  };
  void Start(Effort effort, GraphScratch& s) const {
    if (graph_.coded && graph_.coded->coarse()) {  // more than the wanted rows will be measured
      s.pool.Start(effort.ef);
      return s.patience.Off();
    }
    // Half bytes may take a wanted row for one just outside a narrow beam.
    if (graph_.halves) effort.ef = std::max(effort.ef, effort.wanted * 7 / 4);
    StartBeam(effort.ef, effort.wanted, effort.pass, s);
  }

  enum class Plan { kBruteForce, kVisibleOnly, kAll };

  // Compares what the plans would cost, in nanoseconds.
  Plan Choose(size_t visible, size_t ef) const {
    const double rows = static_cast<double>(raw_.rows), seen = static_cast<double>(visible);
    const double row_bytes = static_cast<double>(raw_.dim * sizeof(float));
    const double brute = visible * 2 > raw_.rows
                             ? rows * (kRowInOrderNs + row_bytes * kByteInOrderNs)
                             : seen * (kRowNs + row_bytes * kByteNs);
    const double degree = static_cast<double>(header_.degree), pass = seen / rows;
    const double hops = std::min(static_cast<double>(ef), seen);
    const double code = kCodeNs + static_cast<double>(CodeBytes()) * kCodeByteNs;
    // Lists of hidden neighbours opened a hop to find about `degree` visible ones.
    const double doors = std::min(degree * (1 - pass), (1 - pass) / pass);
    const double graph = hops * (degree * kFreshShare * code + doors * degree * kLinkNs);
    if (brute < graph) return Plan::kBruteForce;
    return pass < kVisibleOnlyBelow ? Plan::kVisibleOnly : Plan::kAll;
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

  // Leaves the nearest rows in s.pool, hidden ones too. `without` is treated as if it were not in
  // the graph.
  Status Beam(const void* query, const Effort& effort, uint32_t without, const Cancel& cancel,
              GraphScratch& s) const {
    const FromQuery distance = Encode(query, s);
    const GraphEntry at = Descend(distance, s);
    s.visited.Start(raw_.rows);
    Start(effort, s);
    if (without != kNoNode) s.visited.Insert(without);
    Status status;
    WithLinks([&](const auto& links) {
      if (at.node == without) {  // start from its neighbours instead
        const size_t count = links.Unseen(without, s.visited, s.nodes.data());
        distance(s.nodes.data(), count, s.distances.data());
        for (size_t i = 0; i < count; ++i) s.pool.Insert(s.distances[i], s.nodes[i]);
      } else {
        s.visited.Insert(at.node);
        s.pool.Insert(at.distance, at.node);
      }
      ExpandBeam(links, distance, s, [&] { return (status = cancel.Check()).ok(); });
    });
    return status;
  }

  // Leaves the nearest visible rows in s.pool.
  Status VisibleBeam(const void* query, const Effort& effort, const HiddenBits& hidden,
                     const Cancel& cancel, GraphScratch& s) const {
    const FromQuery distance = Encode(query, s);
    const GraphEntry at = Descend(distance, s);
    s.visited.Start(raw_.rows, hidden);
    s.opened.Start(raw_.rows);
    Start(effort, s);
    const auto is_hidden = [&](uint32_t row) { return hidden.Hidden(row); };
    if (s.visited.Insert(at.node) != 0) s.pool.Insert(at.distance, at.node);
    Status status;
    WithLinks([&](const auto& links) {
      ExpandVisibleBeam(links, distance, is_hidden, at.node, header_.degree * 3 / 4, s,
                        [&] { return (status = cancel.Check()).ok(); });
    });
    return status;
  }

  Graph graph_;
  std::vector<Buffer> copies_;
  std::shared_ptr<const void> owner_;
};

Result<std::unique_ptr<HnswIndex>> Open(const IndexFileReader& file, VectorView raw,
                                        std::vector<Buffer> copies,
                                        std::shared_ptr<const void> owner) {
  ASSIGN_OR_RETURN(Graph graph, ReadGraph(file));
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

Result<Tuning> TuneHnsw(const IndexFileReader& file, const VectorView& raw) {
  ASSIGN_OR_RETURN(auto index, Open(file, raw, {}, nullptr));
  const SelfTest test{
      .search = [&](uint32_t row, size_t top_k,
                    uint32_t width) { return index->SearchWithout(row, top_k, width); },
      .width_max = static_cast<uint32_t>(std::min<size_t>(raw.rows, 4096)),
      .at_least_top_k = true};
  return FindTuning(raw, file.header().metric, index->inverse_norms(), test);
}

}  // namespace elanus::index
