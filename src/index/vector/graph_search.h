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
inline constexpr size_t kDoorsAhead = 12;  // lists of hidden nodes requested before they are opened

/// What one thread needs to search a graph; kept between searches, so that none allocates.
struct GraphScratch {
  uint64_t hops = 0;  // nodes expanded on level 0 since the start
  VisitedSet visited;
  VisitedSet opened;
  CandidatePool pool;
  Patience patience;
  std::vector<uint32_t> nodes;
  std::vector<uint32_t> fresh;
  std::vector<uint32_t> later;
  std::vector<uint32_t> doors;
  std::vector<int32_t> distances;
  std::vector<int8_t> query_code;
  std::vector<uint32_t> rows;

  void Reserve(size_t degree) {
    if (doors.size() >= degree) return;
    nodes.resize(degree + 16);
    doors.resize(degree);
    fresh.resize(2 * degree + 16);
    later.resize(2 * degree + 16);
    distances.resize(2 * degree);
  }
};

struct GraphEntry {
  uint32_t node;
  int32_t distance;
};

/// Starts a search for the `wanted` nearest of the nodes of which `pass` are visible, where a beam
/// of `ef` nodes counts: one a quarter wider that ends when nothing changes any more finds as much
/// with fewer distances. Measured on word vectors at ef 16 to 1,000; from 64 nodes watched on
/// nearly every hop changes something, and the beam is just `ef` wide.
inline void StartBeam(size_t ef, size_t wanted, double pass, GraphScratch& s) {
  constexpr size_t kWatchedMin = 24;
  const auto watched =
      static_cast<size_t>(static_cast<double>(std::max(wanted, kWatchedMin)) / pass);
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

/// Measures the s.fresh[0 .. fresh) and lets the near ones into the beam, their links on the way.
template <class Links, class Distance>
void AddFresh(const Links& links, const Distance& distance, size_t fresh, GraphScratch& s) {
  distance(s.fresh.data(), fresh, s.distances.data());
  ++s.hops;
  ThreadSearchCost().codes += fresh;
  for (size_t i = 0; i < fresh; ++i) {
    if (!s.pool.Insert(s.distances[i], s.fresh[i])) continue;
    links.Prefetch(s.fresh[i]);
    s.patience.Offer(s.distances[i]);
  }
  s.patience.EndHop();
}

constexpr size_t kAskEvery = 4096;  // links between two looks at keep_going

/// The new neighbours of `node`, their codes on the way.
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
/// \param keep_going  asked every few thousand links; false ends the search early
template <class Links, class Distance, class KeepGoing>
void ExpandBeam(const Links& links, const Distance& distance, GraphScratch& s,
                const KeepGoing& keep_going) {
  size_t work = 0;
  uint32_t node;
  if (!s.pool.Pop(&node)) return;
  size_t fresh = Gather(links, distance, node, s.visited, s.fresh);
  for (;;) {
    const bool ahead = s.pool.Pop(&node);
    size_t later = ahead ? Gather(links, distance, node, s.visited, s.later) : 0;
    AddFresh(links, distance, fresh, s);
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

/// Collects into s.fresh the visible nodes next to `node` that are new, and behind its hidden
/// neighbours those of theirs, nearest first, until about `enough` have come together. Returns how
/// many; at most `enough` + degree - 1. s.visited counts hidden nodes as seen from the start;
/// s.opened says whose list has been read from behind.
template <class Links, class Hidden>
size_t GatherVisible(const Links& links, const Hidden& hidden, uint32_t node, size_t enough,
                     GraphScratch& s) {
  const size_t count = links.Read(node, s.nodes.data());
  size_t fresh = 0, doors = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t next = s.nodes[i];
    s.fresh[fresh] = next;
    fresh += s.visited.Insert(next);
    s.doors[doors] = next;
    doors += static_cast<size_t>(hidden(next)) & static_cast<size_t>(!s.opened.Has(next));
  }
  for (size_t d = 0; d < doors && d < kDoorsAhead; ++d) links.Prefetch(s.doors[d]);
  for (size_t d = 0; d < doors && fresh < enough; ++d) {
    if (d + kDoorsAhead < doors) links.Prefetch(s.doors[d + kDoorsAhead]);
    s.opened.Insert(s.doors[d]);
    const size_t behind = links.Read(s.doors[d], s.nodes.data());
    for (size_t i = 0; i < behind; ++i) {
      s.fresh[fresh] = s.nodes[i];
      fresh += s.visited.Insert(s.nodes[i]);
    }
  }
  return fresh;
}

/// ExpandBeam over the visible nodes alone: hidden ones are only stepped over. Good while a step of
/// two reaches enough of them. Source: the idea of ACORN (Patel et al. 2024), with lists opened
/// only as far as needed.
/// \param start  a node to begin at, hidden or not; the pool may be empty
template <class Links, class Distance, class Hidden, class KeepGoing>
void ExpandVisibleBeam(const Links& links, const Distance& distance, const Hidden& hidden,
                       uint32_t start, size_t enough, GraphScratch& s,
                       const KeepGoing& keep_going) {
  size_t work = 0;
  uint32_t node = start;
  do {
    const size_t fresh = GatherVisible(links, hidden, node, enough, s);
    for (size_t i = 0; i < fresh; ++i) distance.Prefetch(s.fresh[i]);
    AddFresh(links, distance, fresh, s);
    if ((work += links.degree() * 4) >= kAskEvery) {
      if (!keep_going()) return;
      work = 0;
    }
  } while (!Settled(s) && s.pool.Pop(&node));
}

}  // namespace elanus::index
