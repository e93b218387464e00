#include "index/vector/hnsw_build.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/thread.h"
#include "index/vector/coded_rows.h"
#include "index/vector/flat_index.h"
#include "index/vector/graph_cells.h"
#include "index/vector/graph_codes.h"
#include "index/vector/graph_inserter.h"
#include "index/vector/graph_reuse.h"
#include "index/vector/hnsw_index.h"
#include "index/vector/self_test.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

constexpr uint32_t kRowsAtOnce = 16;  // rows a worker takes at a time
constexpr size_t kRepairWidth = 64;
// Over the cells, every second row in each: where a cell came whole, narrow searches found a little
// less.
constexpr uint32_t kPasses = 2;
// Of a code, bytes. Shorter ones gain little (100 dimensions: a twelfth of the build), and in the
// server word vectors then took a tenth more ef for the same recall.
constexpr size_t kStrideMin = 256;

class Builder {
 public:
  Builder(const VectorView& vectors, const BuildParams& params, const BuildControl& control)
      : vectors_(vectors),
        params_(params),
        control_(control),
        n_(static_cast<uint32_t>(vectors.rows)),
        reuse_(GraphReuse::Of(control.start, vectors, params)),
        codes_(Sq8::Train(params.metric, vectors), n_),
        lists_(reuse_ ? reuse_->Levels(params)
                      : GraphLevels(n_, static_cast<size_t>(params.m), params.seed),
               static_cast<size_t>(params.m), HnswDegree(params.m)),
        inserter_(codes_, lists_, static_cast<size_t>(params.ef_construction), params.threads) {}

  Result<IndexFile> Run() {
    Encode();
    if (params_.cells && CellsOf(n_) != 0) {
      ASSIGN_OR_RETURN(cells_, ClusterGraph(codes_.codec(), codes_.view(), n_, params_, control_));
    }
    for (uint32_t row = 0; row < n_; ++row) lists_.Clear(row);
    if (reuse_) {
      Reuse();
    } else if (cells_ && codes_.codec().stride() >= kStrideMin) {
      RETURN_IF_ERROR(OrderByCell());
    }
    RETURN_IF_ERROR(InsertAll());
    RETURN_IF_ERROR(Repair());
    RestoreOrder();
    ASSIGN_OR_RETURN(IndexFile file, FinishHnsw(vectors_, params_, std::move(codes_),
                                                std::move(lists_), control_, std::move(cells_)));
    if (control_.progress) control_.progress(1.0);
    return file;
  }

 private:
  using Worker = GraphInserter::Worker;

  void Encode() {
    std::atomic<uint32_t> next{0};
    RunWorkers(params_.threads, [&](int) {
      constexpr uint32_t kStep = 1024;
      FloatRows row_at(vectors_);
      for (uint32_t first; (first = next.fetch_add(kStep)) < n_;) {
        for (uint32_t node = first; node < std::min(n_, first + kStep); ++node) {
          codes_.Write(node, row_at(row_of_.empty() ? node : row_of_[node]));
        }
      }
    });
  }

  // Cell by cell, and cells that are near each other one after the other.
  Status OrderByCell() {
    const size_t cells = CellsOf(n_);
    const CodeView centres(codes_.codec(), cells_->centres.As<uint8_t>(), nullptr);
    const auto groups = static_cast<size_t>(std::sqrt(static_cast<double>(cells)));
    ASSIGN_OR_RETURN(const CodeClusters grouped,
                     ClusterCodes(codes_.codec(), centres, cells,
                                  {.clusters = groups, .seed = params_.seed}, control_.stop));
    row_of_.resize(n_);
    std::iota(row_of_.begin(), row_of_.end(), 0u);
    std::ranges::sort(row_of_, {}, [&](uint32_t row) {
      const uint32_t cell = cells_->nearest[row];
      return std::tuple(grouped.nearest[cell], cell, row);
    });
    Encode();
    return Status::Ok();
  }

  // From here on nodes have the numbers of their rows.
  void RestoreOrder() {
    if (row_of_.empty()) return;
    lists_.DropDistances();
    lists_ = lists_.Renumbered(row_of_, n_);
    row_of_ = std::vector<uint32_t>();
    Encode();
  }

  void Reuse() {
    std::atomic<uint32_t> next{0};
    RunWorkers(params_.threads, [&](int) {
      constexpr uint32_t kStep = 1024;
      Worker worker = inserter_.NewWorker();
      GraphReuse::Scratch scratch;
      for (uint32_t first; (first = next.fetch_add(kStep)) < n_;) {
        for (uint32_t row = first; row < std::min(n_, first + kStep); ++row) {
          if (reuse_->Has(row)) reuse_->LinkRow(row, inserter_, worker, scratch);
          OfferCore();
        }
      }
    });
    Worker worker = inserter_.NewWorker();
    reuse_->LinkUpperLevels(inserter_, worker);
  }

  Status InsertAll() {
    const uint32_t passes = row_of_.empty() ? 1 : kPasses;
    const uint32_t each = (n_ + passes - 1) / passes, turns = each * passes;
    std::atomic<uint32_t> next{0};
    std::atomic<bool> stopped{false};
    RunWorkers(params_.threads, [&](int id) {
      Worker worker = inserter_.NewWorker();
      uint32_t reported = 0;
      for (uint32_t first; (first = next.fetch_add(kRowsAtOnce)) < turns;) {
        if (stopped.load(std::memory_order_relaxed)) return;
        if (control_.stop.stop_requested()) stopped = true;
        for (uint32_t turn = first; turn < std::min(turns, first + kRowsAtOnce); ++turn) {
          const uint32_t node = turn % each * passes + turn / each;
          if (node < n_ && node != entry() && !(reuse_ && reuse_->Has(node)))
            inserter_.Insert(node, n_, worker);
          OfferCore();
        }
        if (id == 0 && control_.progress && first - reported >= 1024) {
          reported = first;
          control_.progress(0.95 * first / turns);
        }
      }
    });
    if (stopped) return Status(Code::kCanceled, "index build canceled");
    return Status::Ok();
  }

  // Every row must be reachable from the entry on level 0: duplicates and far outliers may lose all
  // links to them.
  Status Repair() {
    std::vector<uint8_t> reached(n_, 0);
    Worker w = inserter_.NewWorker();
    lists_.MarkReached(entry(), reached);
    for (uint32_t row = 0; row < n_; ++row) {
      if (reached[row] != 0) continue;
      if (control_.stop.stop_requested()) return Status(Code::kCanceled, "index build canceled");
      LinkUnreached(row, w);
      lists_.MarkReached(row, reached);
    }
    if (control_.progress) control_.progress(0.97);
    return Status::Ok();
  }

  // Gives `row` a link from the nearest reachable row that has room, or takes the place of the
  // nearest one's last link and hands that link on: nothing reachable is lost.
  void LinkUnreached(uint32_t row, Worker& w) {
    const GrowingLinks links = lists_.Level(0);
    const GraphInserter::FromRow distance = inserter_.From(row, w.query);
    const size_t degree = lists_.degree();
    const uint32_t start = entry();
    GraphScratch& g = w.graph;
    g.visited.Start(n_);
    g.pool.Start(kRepairWidth);
    int32_t d;
    distance(&start, 1, &d);
    g.visited.Insert(start);
    g.pool.Insert(d, start);
    ExpandBeam(links, distance, g, [] { return true; });
    const auto found = g.pool.Nearest(kRepairWidth);
    for (const auto& entry : found) {
      uint32_t* list = links.List(entry.node);
      uint32_t* room = std::find(list, list + degree, kNoNode);
      if (room == list + degree) continue;
      *room = row;
      links.Distances(entry.node)[room - list] = entry.distance;
      return;
    }
    const auto nearest = found.front();
    uint32_t* last = links.List(nearest.node) + degree - 1;
    uint32_t* list = links.List(row);
    uint32_t* room = std::min(std::find(list, list + degree, kNoNode), list + degree - 1);
    *room = *last;
    links.Distances(row)[room - list] = links.Distances(nearest.node)[degree - 1];
    *last = row;
    links.Distances(nearest.node)[degree - 1] = nearest.distance;
  }

  uint32_t entry() const { return lists_.levels().entry; }

  const VectorView vectors_;
  const BuildParams params_;
  const BuildControl& control_;
  const uint32_t n_;
  const std::optional<GraphReuse> reuse_;
  std::optional<CodeClusters> cells_;
  // Of the nodes of the graph in the making, cell by cell: what is near lies near in memory, and
  // is linked while it is in the cache. Empty: a node has the number of its row.
  std::vector<uint32_t> row_of_;
  CodeTable codes_;
  GraphLists lists_;
  GraphInserter inserter_;
};

}  // namespace

Result<IndexFile> FinishHnsw(const VectorView& vectors, const BuildParams& params, CodeTable codes,
                             GraphLists lists, const BuildControl& control,
                             std::optional<CodeClusters> cells) {
  IndexHeader header{.kind = params.kind,
                     .metric = params.metric,
                     .element = vectors.element,
                     .rows = static_cast<uint32_t>(vectors.rows),
                     .dim = static_cast<uint32_t>(vectors.dim),
                     .scale = codes.codec().scale(),
                     .degree = static_cast<uint32_t>(lists.degree()),
                     .upper_degree = static_cast<uint32_t>(lists.m()),
                     .m = static_cast<uint32_t>(params.m),
                     .ef_construction = static_cast<uint32_t>(params.ef_construction),
                     .seed = params.seed};
  const Sq8 codec = codes.codec();
  const CodeView view = codes.view();  // lives as long as `codes`, or in the file
  IndexFileWriter writer;
  AddInverseNorms(vectors, params.metric, writer);
  if (params.codec.kind == CodecKind::kOwn) {
    ASSIGN_OR_RETURN(const bool halves,
                     AddHalfBytes(vectors, params, codec, lists, writer, header));
    if (halves) {
      header.codec.bits = kHalfByte;
    } else {
      codes.MoveTo(writer);
    }
  } else {
    // The graph was made on int8 codes: one made on coarser ones would be worse for good.
    const std::vector<float> mean(codec.mean().begin(), codec.mean().end());
    RETURN_IF_ERROR(AddCodedRows(vectors, params, mean, {}, writer, header));
  }
  lists.MoveTo(writer);
  ASSIGN_OR_RETURN(const float* norms, ReadInverseNorms(writer.Peek(header)));
  const SelfSample sample = TakeSelfSample(vectors, params.metric, norms, params.threads);
  if (params.cells && CellsOf(vectors.rows) != 0) {
    if (!cells) {
      ASSIGN_OR_RETURN(cells, ClusterGraph(codec, view, vectors.rows, params, control));
    }
    RETURN_IF_ERROR(AddCells(vectors, std::move(*cells), sample, writer, header));
  }
  codes = CodeTable(Sq8(), 0);
  ASSIGN_OR_RETURN(header.tuning, TuneHnsw(writer.Peek(header), vectors, sample, params.threads));
  return writer.Finish(header);
}

Result<IndexFile> BuildHnsw(const VectorView& vectors, const BuildParams& params,
                            const BuildControl& control) {
  return Builder(vectors, params, control).Run();
}

}  // namespace elanus::index
