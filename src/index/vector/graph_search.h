// The beam search of the layered graph (Malkov and Yashunin 2018, algorithms 2 and 5), over any
// source of links and any distance. Used by the build (links that change under it) and by the
// search (links at rest).
//   Links:     size_t Read(uint32_t node, uint32_t* out) const   at most degree() neighbours; out
//              has room for degree() + 16
//              size_t Unseen(uint32_t node, VisitedSet& seen, uint32_t* out) const   those of them
//              that are new, which it marks; where there is a faster way than Read
//              size_t degree() const;  void Prefetch(uint32_t node) const
//   Distance:  void operator()(const uint32_t* nodes, size_t count, int32_t* out) const
// Cost is memory traffic: the new neighbours of a node are gathered and all their codes requested
// while those of the node before it are computed (four at a time, inside the kernel); the links of
// a node that enters the beam are requested at once.
#pragma once

#include <vector>

#include "index/vector/candidate_pool.h"
#include "index/vector/patience.h"
#include "index/vector/search_cost.h"
#include "index/vector/visited_set.h"

namespace elanus::index {

inline constexpr uint32_t kNoNode = 0xFFFFFFFF;

/// What one thread needs to search a graph; kept between searches, so that none allocates.
struct GraphScratch {
  uint64_t hops = 0;  // nodes expanded on level 0 since the start
  VisitedSet visited;
  CandidatePool pool;
  Patience patience;
  std::vector<uint32_t> nodes;
  std::vector<uint32_t> fresh;
  std::vector<uint32_t> later;
  std::vector<int32_t> distances;
  std::vector<int8_t> query_code;
  std::vector<uint32_t> rows;

  void Reserve(size_t degree) {
    if (distances.size() >= degree) return;
    nodes.resize(degree + 16);
    fresh.resize(degree + 16);
    later.resize(degree + 16);
    distances.resize(degree);
  }
};

struct GraphEntry {
  uint32_t node;
  int32_t distance;
};

/// Starts a search for the `wanted` nearest nodes that count where a beam of `ef` counts: one a
/// quarter wider that ends when nothing changes any more finds as much with fewer distances.
/// Measured on word vectors at ef 16 to 1,000; from 64 nodes watched on nearly every hop changes
/// something, and the beam is just `ef` wide.
inline void StartBeam(size_t ef, size_t wanted, GraphScratch& s) {
  constexpr size_t kWatchedMin = 24;
  const size_t watched = std::max(wanted, kWatchedMin);
  if (watched > Patience::kWatchedMax) {
    s.pool.Start(ef);
    s.patience.Off();
    return;
  }
  s.pool.Start(ef + (ef + 3) / 4);
  s.patience.Start(watched, 6 + ef * 3 / 10 + ef * ef / 5000);
}

/// Walks to the nearest node that has no nearer neighbour.
template <class Links, class Distance>
GraphEntry DescendGreedily(const Links& links, const Distance& distance, GraphEntry at,
                           GraphScratch& s) {
  for (bool moved = true; moved;) {
    moved = false;
    const size_t count = links.Read(at.node, s.nodes.data());
    distance(s.nodes.data(), count, s.distances.data());
    for (size_t i = 0; i < count; ++i) {
      if (s.distances[i] < at.distance) {
        at = {s.nodes[i], s.distances[i]};
        moved = true;
      }
    }
  }
  return at;
}

/// Every node is an answer.
struct AllCount {
  bool operator()(uint32_t) const { return true; }
};

/// Measures the s.fresh[0 .. fresh) and lets the near ones into the beam, their links on the way.
template <class Links, class Distance, class Counts>
void AddFresh(const Links& links, const Distance& distance, const Counts& counts, size_t fresh,
              GraphScratch& s) {
  distance(s.fresh.data(), fresh, s.distances.data());
  ++s.hops;
  ThreadSearchCost().codes += fresh;
  for (size_t i = 0; i < fresh; ++i) {
    if (!s.pool.Insert(s.distances[i], s.fresh[i])) continue;
    links.Prefetch(s.fresh[i]);
    if (counts(s.fresh[i])) s.patience.Offer(s.distances[i]);
  }
  s.patience.EndHop();
}

constexpr size_t kAskEvery = 1024;  // links between two looks at keep_going

/// The neighbours of `node` that `visited` does not hold yet, which it then does; their codes on
/// the way.
template <class Links, class Distance>
size_t Gather(const Links& links, const Distance& distance, uint32_t node, VisitedSet& visited,
              std::vector<uint32_t>& out) {
  size_t fresh = 0;
  if constexpr (requires { links.Unseen(node, visited, out.data()); }) {
    fresh = links.Unseen(node, visited, out.data());
  } else {
    const size_t count = links.Read(node, out.data());
    for (size_t i = 0; i < count; ++i) {
      out[fresh] = out[i];
      fresh += visited.Insert(out[i]);
    }
  }
  for (size_t i = 0; i < fresh; ++i) distance.Prefetch(out[i]);
  return fresh;
}

/// Nothing near has turned up for long, and the beam is full.
inline bool Settled(const GraphScratch& s) { return s.patience.Ended() && s.pool.full(); }

/// Fills s.pool with the nearest nodes found from what it holds already. s.visited must know those
/// nodes. One node is always chosen ahead, so that its neighbours travel meanwhile, even if a
/// nearer one turns up now.
/// \param keep_going  asked every thousand links; false ends the search early
/// \param counts      which nodes are answers: the others only lead on
template <class Links, class Distance, class KeepGoing, class Counts = AllCount>
void ExpandBeam(const Links& links, const Distance& distance, GraphScratch& s,
                const KeepGoing& keep_going, const Counts& counts = {}) {
  size_t work = 0;
  uint32_t node;
  if (!s.pool.Pop(&node)) return;
  size_t fresh = Gather(links, distance, node, s.visited, s.fresh);
  for (;;) {
    const bool ahead = s.pool.Pop(&node);
    size_t later = ahead ? Gather(links, distance, node, s.visited, s.later) : 0;
    AddFresh(links, distance, counts, fresh, s);
    if (!ahead) {
      if (!s.pool.Pop(&node)) return;
      later = Gather(links, distance, node, s.visited, s.later);
    }
    if (Settled(s)) return;
    std::swap(s.fresh, s.later);
    fresh = later;
    if ((work += links.degree()) >= kAskEvery) {
      if (!keep_going()) return;
      work = 0;
    }
  }
}

}  // namespace elanus::index
