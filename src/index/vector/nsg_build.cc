#include "index/vector/nsg_build.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/thread.h"
#include "index/vector/graph_inserter.h"
#include "index/vector/hnsw_build.h"
#include "index/vector/row_lists.h"
#include "index/vector/workers.h"

namespace elanus::index {
namespace {

using Link = GraphInserter::Link;

constexpr size_t kListRows = 128;     // of a list of the graph of neighbours, about
constexpr size_t kListsAround = 8;    // whose rows are compared with those of one list
constexpr size_t kStripes = 4096;     // locks over the lists of links
constexpr uint32_t kRowsAtOnce = 64;  // that a worker takes at a time

bool NearerLink(const Link& a, const Link& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
}

// Neighbours of a fixed number a row; kNoNode ends a shorter list.
class NeighbourLists {
 public:
  NeighbourLists(size_t rows, size_t degree) : degree_(degree), rows_(rows * degree, kNoNode) {}
  size_t degree() const { return degree_; }
  uint32_t* List(uint32_t row) { return rows_.data() + row * degree_; }
  size_t Read(uint32_t row, uint32_t* out) const {
    const uint32_t* list = rows_.data() + row * degree_;
    size_t n = 0;
    for (; n < degree_ && list[n] != kNoNode; ++n) out[n] = list[n];
    return n;
  }
  void Prefetch(uint32_t row) const { __builtin_prefetch(rows_.data() + row * degree_); }

 private:
  size_t degree_;
  std::vector<uint32_t> rows_;
};

class Builder {
 public:
  Builder(const VectorView& vectors, const BuildParams& params, const BuildControl& control)
      : vectors_(vectors),
        params_(params),
        control_(control),
        n_(static_cast<uint32_t>(vectors.rows)),
        codes_(Sq8::Train(params.metric, vectors), n_),
        near_(n_, std::min<size_t>(static_cast<size_t>(params.nsg.knng), n_ - 1)) {}

  Result<IndexFile> Run() {
    FloatRows row_at(vectors_);
    for (uint32_t row = 0; row < n_; ++row) codes_.Write(row, row_at(row));
    RETURN_IF_ERROR(FindNeighbours());
    FindMiddle();
    std::vector<uint8_t> tops(n_, 0);
    tops[middle_] = 1;
    lists_.emplace(GraphLevels(std::move(tops)), kUpperLinks, NsgDegree(params_.nsg.out_degree));
    for (uint32_t row = 0; row < n_; ++row) lists_->Clear(row);
    RETURN_IF_ERROR(LinkAll());
    RETURN_IF_ERROR(Repair());
    BuildParams params = params_;
    params.m = kUpperLinks;
    ASSIGN_OR_RETURN(IndexFile file,
                     FinishHnsw(vectors_, params, std::move(codes_), std::move(*lists_), control_));
    Progress(1.0);
    return file;
  }

 private:
  static constexpr int kUpperLinks = 2;  // of the one row above, which has none

  struct Worker {
    GraphScratch graph;
    std::vector<int8_t> query, candidate;
    std::vector<Link> met, chosen, list;
    std::vector<uint32_t> chosen_rows;
    std::vector<int32_t> distances;
  };

  // Distances that are noted down with their rows: the way of a search.
  struct Noting {
    GraphInserter::FromRow from;
    std::vector<Link>* met;
    void operator()(const uint32_t* rows, size_t count, int32_t* out) const {
      from(rows, count, out);
      for (size_t i = 0; i < count; ++i) met->push_back({out[i], rows[i]});
    }
    void Prefetch(uint32_t row) const { from.Prefetch(row); }
  };

  GraphInserter::FromRow From(uint32_t row, std::vector<int8_t>& query) const {
    const Sq8& codec = codes_.codec();
    query.resize(codec.stride());
    const int32_t bias = codec.RowAsQuery(view_.Row(row), query.data());
    return {view_,           query.data(),   bias,
            view_.Term(row), codec.weight(), (codec.dim() + 63) / 64 * 64};
  }

  void Progress(double done) const {
    if (control_.progress) control_.progress(done);
  }
  Status Stopped() const {
    return control_.stop.stop_requested() ? Status(Code::kCanceled, "index build canceled")
                                          : Status::Ok();
  }

  // The graph of neighbours: each row's nearest among the rows of the lists around its own.
  Status FindNeighbours() {
    view_ = codes_.view();
    BuildParams lists = params_;
    lists.nlist = static_cast<int>(std::clamp<size_t>(n_ / kListRows, 1, 65536));
    ASSIGN_OR_RETURN(const MadeLists made, MakeLists(vectors_, lists, false, control_, 0.2));
    const IvfLists around(params_.metric, vectors_.dim, made.centroids);
    std::atomic<uint32_t> next{0};
    const auto count = static_cast<uint32_t>(made.count());
    RunWorkers(params_.threads, [&](int id) {
      ListScratch s;
      std::vector<uint32_t> candidates;
      std::vector<int32_t> distances;
      std::vector<int8_t> query;
      for (uint32_t list; (list = next.fetch_add(1)) < count && !control_.stop.stop_requested();) {
        candidates.clear();
        // So many lists that there are enough rows, however small they are.
        for (size_t wanted = std::min<size_t>(kListsAround, count);;
             wanted = std::min<size_t>(2 * wanted, count)) {
          around.Nearest(&made.centroids[list * vectors_.dim], wanted, s);
          candidates.clear();
          for (const NearList& near : s.lists) {
            candidates.insert(candidates.end(), made.rows.begin() + made.starts[near.list],
                              made.rows.begin() + made.starts[near.list + 1]);
          }
          if (candidates.size() > near_.degree() || wanted == count) break;
        }
        distances.resize(candidates.size());
        for (uint32_t place = made.starts[list]; place < made.starts[list + 1]; ++place) {
          const uint32_t row = made.rows[place];
          From(row, query)(candidates.data(), candidates.size(), distances.data());
          TopK top(near_.degree());
          for (size_t i = 0; i < candidates.size(); ++i) {
            if (candidates[i] != row) top.Push(static_cast<float>(distances[i]), candidates[i]);
          }
          uint32_t* out = near_.List(row);
          for (const Hit& hit : top.Take()) *out++ = hit.row;
          OfferCore();
        }
        if (id == 0) Progress(0.2 + 0.4 * list / count);
      }
    });
    return Stopped();
  }

  // The row nearest to the mean: every search starts there.
  void FindMiddle() {
    const simd::Kernels& kernels = simd::Active();
    FloatRows row_at(vectors_);
    const auto mean = codes_.codec().mean();
    float least = 0;
    for (uint32_t row = 0; row < n_; ++row) {
      const float* x = row_at(row);
      const float f =
          params_.metric == Metric::kCosine ? InverseNorm(kernels, x, vectors_.dim) : 1.0f;
      const float distance =
          f * f * kernels.ip(x, x, vectors_.dim) - 2 * f * kernels.ip(x, mean.data(), vectors_.dim);
      if (row == 0 || distance < least) {
        least = distance;
        middle_ = row;
      }
    }
  }

  Status LinkAll() {
    locks_ = std::make_unique<std::mutex[]>(kStripes);
    std::atomic<uint32_t> next{0};
    RunWorkers(params_.threads, [&](int id) {
      Worker w;
      w.graph.Reserve(std::max(near_.degree(), lists_->degree()));
      for (uint32_t first;
           (first = next.fetch_add(kRowsAtOnce)) < n_ && !control_.stop.stop_requested();) {
        for (uint32_t row = first; row < std::min(n_, first + kRowsAtOnce); ++row) {
          LinkRow(row, w);
          OfferCore();
        }
        if (id == 0) Progress(0.6 + 0.3 * first / n_);
      }
    });
    return Stopped();
  }

  // What a search for the row meets on its way over the graph of neighbours, nearest first.
  void Walk(uint32_t row, Worker& w) {
    GraphScratch& g = w.graph;
    w.met.clear();
    const Noting distance{From(row, w.query), &w.met};
    g.visited.Start(n_);
    g.pool.Start(static_cast<size_t>(params_.nsg.search_length));
    g.visited.Insert(row);
    int32_t d;
    const uint32_t* list = near_.List(row);
    const size_t count = near_.Read(row, g.nodes.data());
    size_t fresh = 0;
    for (size_t i = 0; i < count; ++i) {  // its own neighbours are met in any case
      g.fresh[fresh] = list[i];
      fresh += g.visited.Insert(list[i]);
    }
    distance(g.fresh.data(), fresh, g.distances.data());
    if (g.visited.Insert(middle_) != 0) {
      distance(&middle_, 1, &d);
      g.pool.Insert(d, middle_);
    }
    ExpandBeam(near_, distance, g, [] { return true; });
    std::sort(w.met.begin(), w.met.end(), NearerLink);
  }

  // Keeps of `links` (sorted) those that no nearer kept one makes needless: into w.chosen.
  void Prune(const std::vector<Link>& links, Worker& w) const {
    constexpr size_t kBatch = 8;
    w.chosen.clear();
    w.chosen_rows.clear();
    w.distances.resize(kBatch);
    const auto most = std::min(links.size(), static_cast<size_t>(params_.nsg.candidate_pool));
    for (size_t j = 0; j < most && w.chosen.size() < lists_->degree(); ++j) {
      const auto distance = From(links[j].row, w.candidate);
      bool needless = false;
      for (size_t i = 0; i < w.chosen_rows.size() && !needless; i += kBatch) {
        const size_t count = std::min(kBatch, w.chosen_rows.size() - i);
        distance(w.chosen_rows.data() + i, count, w.distances.data());
        for (size_t k = 0; k < count; ++k) needless |= w.distances[k] < links[j].distance;
      }
      if (needless) continue;
      w.chosen.push_back(links[j]);
      w.chosen_rows.push_back(links[j].row);
    }
  }

  void Write(uint32_t row, const std::vector<Link>& chosen) {
    const GrowingLinks links = lists_->Level(0);
    for (size_t i = 0; i < links.degree(); ++i) {
      GrowingLinks::Store(links.List(row) + i, i < chosen.size() ? chosen[i].row : kNoNode);
      if (i < chosen.size()) links.Distances(row)[i] = chosen[i].distance;
    }
  }

  // The links that a row has: with what others linked to it before.
  void ReadOwn(uint32_t row, std::vector<Link>& out) {
    const GrowingLinks links = lists_->Level(0);
    out.clear();
    for (size_t i = 0; i < links.degree() && links.List(row)[i] != kNoNode; ++i)
      out.push_back({links.Distances(row)[i], links.List(row)[i]});
  }

  void LinkRow(uint32_t row, Worker& w) {
    Walk(row, w);
    std::vector<Link> own;
    {
      std::lock_guard lock(locks_[row % kStripes]);
      ReadOwn(row, w.list);
      Merge(w.list, w.met);
      Prune(w.met, w);
      Write(row, w.chosen);
      own = w.chosen;
    }
    for (const Link& link : own) {
      std::lock_guard lock(locks_[link.row % kStripes]);
      ReadOwn(link.row, w.list);
      w.met.assign(1, {link.distance, row});
      const size_t before = w.list.size();
      Merge(w.list, w.met);
      if (w.met.size() == before) continue;  // linked already
      if (w.met.size() <= lists_->degree()) {
        Write(link.row, w.met);
        continue;
      }
      Prune(w.met, w);
      Write(link.row, w.chosen);
    }
  }

  // Adds `more` to `links`: sorted, each row once.
  static void Merge(const std::vector<Link>& more, std::vector<Link>& links) {
    links.insert(links.end(), more.begin(), more.end());
    std::sort(links.begin(), links.end(), NearerLink);
    const auto same = [](const Link& a, const Link& b) { return a.row == b.row; };
    links.erase(std::unique(links.begin(), links.end(), same), links.end());
  }

  // The tree that spans all rows: one that cannot be reached is linked from the nearest reached
  // row a search meets that has room, else takes the place of the last link of the nearest one and
  // hands that link on.
  Status Repair() {
    Worker w;
    w.graph.Reserve(lists_->degree());
    std::vector<uint8_t> reached(n_, 0);
    lists_->MarkReached(middle_, reached);
    for (uint32_t row = 0; row < n_; ++row) {
      if (reached[row] != 0) continue;
      RETURN_IF_ERROR(Stopped());
      GraphScratch& g = w.graph;
      w.met.clear();
      const Noting distance{From(row, w.query), &w.met};
      g.visited.Start(n_);
      g.pool.Start(static_cast<size_t>(params_.nsg.search_length));
      int32_t d;
      distance(&middle_, 1, &d);
      g.visited.Insert(middle_);
      g.pool.Insert(d, middle_);
      ExpandBeam(lists_->Level(0), distance, g, [] { return true; });
      std::sort(w.met.begin(), w.met.end(), NearerLink);
      Attach(row, w);
      lists_->MarkReached(row, reached);
    }
    Progress(0.95);
    return Status::Ok();
  }

  void Attach(uint32_t row, Worker& w) {
    for (const Link& met : w.met) {
      ReadOwn(met.row, w.list);
      if (w.list.size() == lists_->degree()) continue;
      w.list.push_back({met.distance, row});
      return Write(met.row, w.list);
    }
    const Link nearest = w.met.front();
    ReadOwn(nearest.row, w.list);
    const Link last = w.list.back();
    w.list.back() = {nearest.distance, row};
    Write(nearest.row, w.list);
    ReadOwn(row, w.list);
    if (w.list.size() == lists_->degree()) w.list.pop_back();
    w.list.push_back(last);
    Write(row, w.list);
  }

  const VectorView vectors_;
  const BuildParams& params_;
  const BuildControl& control_;
  const uint32_t n_;
  CodeTable codes_;
  CodeView view_;
  NeighbourLists near_;
  uint32_t middle_ = 0;
  std::optional<GraphLists> lists_;
  std::unique_ptr<std::mutex[]> locks_;
};

}  // namespace

size_t NsgDegree(int out_degree) { return (static_cast<size_t>(out_degree) + 15) / 16 * 16; }

Result<IndexFile> BuildNsg(const VectorView& vectors, const BuildParams& params,
                           const BuildControl& control) {
  return Builder(vectors, params, control).Run();
}

}  // namespace elanus::index
