// The beam search of the layered graph (Malkov and Yashunin 2018, algorithms 2 and 5), over any
// source of links and any distance. Used by the build (links that change under it) and by the
// search (links at rest).
//   Links:     size_t Read(uint32_t node, uint32_t* out) const   at most degree() neighbours
//              size_t degree() const;  void Prefetch(uint32_t node) const
//   Distance:  void operator()(const uint32_t* nodes, size_t count, int32_t* out) const
// Cost is memory traffic: neighbours are gathered first, then all their codes are requested, then
// computed four at a time (inside the kernel); the links of a node that enters the beam are
// requested at once.
#pragma once

#include <vector>

#include "index/vector/candidate_pool.h"
#include "index/vector/visited_set.h"

namespace elanus::index {

inline constexpr uint32_t kNoNode = 0xFFFFFFFF;

/// What one thread needs to search a graph; kept between searches, so that none allocates.
struct GraphScratch {
  uint64_t hops = 0;            // nodes expanded on level 0 since the start
  uint64_t distances_done = 0;  // codes compared there
  VisitedSet visited;
  CandidatePool pool;
  std::vector<uint32_t> nodes;
  std::vector<uint32_t> fresh;
  std::vector<int32_t> distances;
  std::vector<int8_t> query_code;
  std::vector<uint32_t> rows;

  void Reserve(size_t degree) {
    if (nodes.size() >= degree) return;
    nodes.resize(degree);
    fresh.resize(degree);
    distances.resize(degree);
  }
};

struct GraphEntry {
  uint32_t node;
  int32_t distance;
};

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

/// Fills s.pool with the nearest nodes found from what it holds already. s.visited must know those
/// nodes.
/// \param keep_going  asked every few thousand distances; false ends the search early
template <class Links, class Distance, class KeepGoing>
void ExpandBeam(const Links& links, const Distance& distance, GraphScratch& s,
                const KeepGoing& keep_going) {
  constexpr size_t kAskEvery = 4096;
  size_t work = 0;
  uint32_t node;
  while (s.pool.Pop(&node)) {
    const size_t count = links.Read(node, s.nodes.data());
    size_t fresh = 0;
    for (size_t i = 0; i < count; ++i) {
      s.fresh[fresh] = s.nodes[i];
      fresh += s.visited.Insert(s.nodes[i]);
    }
    for (size_t i = 0; i < fresh; ++i) distance.Prefetch(s.fresh[i]);
    // The node that comes next, unless a nearer one turns up now: its neighbours travel while these
    // are computed.
    if (s.pool.Peek(&node)) {
      const size_t later = links.Read(node, s.nodes.data());
      for (size_t i = 0; i < later; ++i) {
        if (!s.visited.Has(s.nodes[i])) distance.Prefetch(s.nodes[i]);
      }
    }
    distance(s.fresh.data(), fresh, s.distances.data());
    ++s.hops;
    s.distances_done += fresh;
    for (size_t i = 0; i < fresh; ++i) {
      if (s.distances[i] < s.pool.bound() && s.pool.Insert(s.distances[i], s.fresh[i])) {
        links.Prefetch(s.fresh[i]);
      }
    }
    if ((work += count) >= kAskEvery) {
      if (!keep_going()) return;
      work = 0;
    }
  }
}

}  // namespace elanus::index
