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
  VisitedSet opened;  // hidden nodes whose list has been read from behind, and all visible ones
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
    doors.resize(degree + 16);
    fresh.resize(2 * degree + 16);
    later.resize(2 * degree + 16);
    distances.resize(2 * degree);
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

/// The neighbours of `node` that `marked` does not hold yet, which it then does.
template <class Links>
size_t Unmarked(const Links& links, uint32_t node, VisitedSet& marked, uint32_t* out) {
  if constexpr (requires { links.Unseen(node, marked, out); }) {
    return links.Unseen(node, marked, out);
  } else {
    const size_t count = links.Read(node, out);
    size_t fresh = 0;
    for (size_t i = 0; i < count; ++i) {
      out[fresh] = out[i];
      fresh += marked.Insert(out[i]);
    }
    return fresh;
  }
}

/// The new neighbours of `node`, their codes on the way.
template <class Links, class Distance>
size_t Gather(const Links& links, const Distance& distance, uint32_t node, VisitedSet& visited,
              std::vector<uint32_t>& out) {
  const size_t fresh = Unmarked(links, node, visited, out.data());
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

/// The visible nodes next to one node, and behind its hidden neighbours, the doors, those of
/// theirs. s.visited counts hidden nodes as seen from the start, s.opened visible ones as opened.
template <class Links, class Distance>
class VisibleNeighbours {
 public:
  /// \param enough  doors are opened, nearest first, until about so many have come together
  VisibleNeighbours(const Links& links, const Distance& distance, size_t enough, GraphScratch& s)
      : links_(links), distance_(distance), enough_(enough), s_(s) {}

  /// Finds the new ones next to `node` and the doors, and asks for what lies behind these. `found`
  /// has room for `enough` + 2 degrees.
  void Look(uint32_t node, std::vector<uint32_t>& found) {
    found_ = &found;
    fresh_ = Gather(links_, distance_, node, s_.visited, found);
    doors_ = fresh_ >= enough_ ? 0 : Unmarked(links_, node, s_.opened, s_.doors.data());
    for (size_t d = 0; d < doors_ && d < kDoorsAhead; ++d) links_.Prefetch(s_.doors[d]);
  }

  /// Opens doors; returns how many nodes `found` holds now, their codes on the way.
  size_t Open() {
    size_t d = 0;
    for (; d < doors_ && fresh_ < enough_; ++d) {
      if (d + kDoorsAhead < doors_) links_.Prefetch(s_.doors[d + kDoorsAhead]);
      const size_t before = fresh_;
      fresh_ += Unmarked(links_, s_.doors[d], s_.visited, found_->data() + fresh_);
      for (size_t i = before; i < fresh_; ++i) distance_.Prefetch((*found_)[i]);
    }
    for (; d < doors_; ++d) s_.opened.Erase(s_.doors[d]);
    return fresh_;
  }

 private:
  const Links& links_;
  const Distance& distance_;
  size_t enough_;
  GraphScratch& s_;
  std::vector<uint32_t>* found_ = nullptr;
  size_t fresh_ = 0, doors_ = 0;
};

/// ExpandBeam over the visible nodes alone: hidden ones are only stepped over. Good while a step of
/// two reaches enough of them. One node is chosen ahead here too: lists behind its doors travel
/// while distances are computed. Source: the idea of ACORN (Patel et al. 2024), with lists opened
/// only as far as needed.
/// \param start   a node to begin at, hidden or not
/// \param begin   called with how many visible ones, of about `enough`, lie around it; starts the
///                pool and may fill it; false: not worth it
template <class Links, class Distance, class Begin, class KeepGoing>
void ExpandVisibleBeam(const Links& links, const Distance& distance, uint32_t start, size_t enough,
                       GraphScratch& s, const Begin& begin, const KeepGoing& keep_going) {
  VisibleNeighbours<Links, Distance> neighbours(links, distance, enough, s);
  neighbours.Look(start, s.fresh);
  size_t work = 0, fresh = neighbours.Open();
  if (!begin(fresh)) return;
  for (uint32_t node;;) {
    const bool ahead = s.pool.Pop(&node);
    if (ahead) neighbours.Look(node, s.later);
    AddFresh(links, distance, AllCount{}, fresh, s);
    if (!ahead) {
      if (!s.pool.Pop(&node)) return;
      neighbours.Look(node, s.later);
    }
    if (Settled(s)) return;
    fresh = neighbours.Open();
    std::swap(s.fresh, s.later);
    if ((work += links.degree() * 4) >= kAskEvery) {
      if (!keep_going()) return;
      work = 0;
    }
  }
}

}  // namespace elanus::index
