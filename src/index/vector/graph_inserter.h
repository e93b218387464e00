// Inserts rows into a layered graph on int8 codes: the build of a whole index, and the graph over
// rows that still arrive.
// Holds: which levels a row stands on depends on seed and number alone; the entry goes first and
// stays the entry for good. Threads: any number insert at the same time, each with a Worker of its
// own, and searches may read meanwhile. Source: Malkov and Yashunin 2018, algorithms 1 and 4.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "index/vector/graph_search.h"
#include "index/vector/index_file.h"
#include "index/vector/sq8.h"

namespace elanus::index {

/// Links a row on level 0: 2M, up to a full cache line.
size_t HnswDegree(int m);

/// The codes of a graph's rows, each written before it is linked.
class CodeTable {
 public:
  CodeTable(Sq8 codec, size_t rows)
      : codec_(std::move(codec)),
        codes_(rows * codec_.stride()),
        terms_(codec_.term_in_row() ? 0 : rows * sizeof(int32_t)) {}

  const Sq8& codec() const { return codec_; }
  void Write(size_t row, const float* x) {
    const int32_t term = codec_.EncodeRow(x, codes_.As<uint8_t>() + row * codec_.stride());
    if (!codec_.term_in_row()) terms_.As<int32_t>()[row] = term;
  }
  /// Copies a row of another table of the same codec.
  void Copy(size_t row, const CodeTable& from, size_t from_row) {
    const size_t stride = codec_.stride();
    std::memcpy(codes_.As<uint8_t>() + row * stride, from.codes_.As<uint8_t>() + from_row * stride,
                stride);
    if (!codec_.term_in_row()) terms_.As<int32_t>()[row] = from.terms_.As<int32_t>()[from_row];
  }
  /// Borrows the memory.
  CodeView view() const {
    return CodeView(codec_, codes_.As<uint8_t>(),
                    codec_.term_in_row() ? nullptr : terms_.As<int32_t>());
  }
  /// Adds what a reader of the file finds: kMean, kCodes, kTerms. Empties this object.
  void MoveTo(IndexFileWriter& writer);

 private:
  Sq8 codec_;
  Buffer codes_, terms_;
};

/// What is known of a list of links from when it was last pruned: the first `chosen` are none
/// needless because of another, those from there to `known` are, and later ones came since.
struct ListState {
  uint16_t chosen, known;
};

/// Links that change while they are read. A reader may see a list half old, half new: every id in
/// it is a row whose code was written before.
class GrowingLinks {
 public:
  /// \param place  null: a row's list is at its own number
  GrowingLinks(uint32_t* links, int32_t* distances, ListState* states, const uint32_t* place,
               size_t degree)
      : links_(links), distances_(distances), states_(states), place_(place), degree_(degree) {}

  size_t degree() const { return degree_; }
  uint32_t* List(uint32_t row) const { return links_ + Place(row) * degree_; }
  int32_t* Distances(uint32_t row) const { return distances_ + Place(row) * degree_; }
  ListState& State(uint32_t row) const { return states_[Place(row)]; }

  size_t Read(uint32_t row, uint32_t* out) const {
    uint32_t* list = List(row);
    size_t n = 0;
    for (; n < degree_; ++n) {
      out[n] = std::atomic_ref(list[n]).load(std::memory_order_acquire);
      if (out[n] == kNoNode) break;
    }
    return n;
  }
  void Prefetch(uint32_t row) const {
    const char* list = reinterpret_cast<const char*>(List(row));
    for (size_t byte = 0; byte < degree_ * sizeof(uint32_t); byte += 64)
      __builtin_prefetch(list + byte);
  }
  void PrefetchDistances(uint32_t row) const {
    const char* list = reinterpret_cast<const char*>(Distances(row));
    for (size_t byte = 0; byte < degree_ * sizeof(int32_t); byte += 64)
      __builtin_prefetch(list + byte);
  }
  static void Store(uint32_t* at, uint32_t row) {
    std::atomic_ref(*at).store(row, std::memory_order_release);
  }

 private:
  size_t Place(uint32_t row) const { return place_ == nullptr ? row : place_[row]; }

  uint32_t* links_;
  int32_t* distances_;
  ListState* states_;
  const uint32_t* place_;
  size_t degree_;
};

/// The highest level of each row, and where its lists above level 0 lie.
struct GraphLevels {
  std::vector<uint8_t> top;
  std::vector<uint32_t> first_place;  ///< of a row with upper levels: its list on level 1
  uint32_t places = 0;                ///< lists above level 0
  uint32_t entry = 0;                 ///< a row of the highest level

  GraphLevels(uint32_t rows, size_t m, uint64_t seed);
  explicit GraphLevels(std::vector<uint8_t> tops);
  /// \pre no top is above that of `first`
  GraphLevels(std::vector<uint8_t> tops, uint32_t first);
};

/// The links of a layered graph in memory. The lists of a row's upper levels follow each other.
class GraphLists {
 public:
  /// Lists of level 0 are not touched: Clear empties that of one row. Those above are empty.
  GraphLists(GraphLevels levels, size_t m, size_t degree);

  GrowingLinks Level(int level) {
    if (level == 0)
      return GrowingLinks(links_.As<uint32_t>(), distances_.As<int32_t>(), states_.As<ListState>(),
                          nullptr, degree_);
    const auto above = static_cast<size_t>(level - 1);
    return GrowingLinks(upper_links_.data() + above * m_, upper_distances_.data() + above * m_,
                        upper_states_.data() + above, levels_.first_place.data(), m_);
  }
  /// Marks the rows that level 0 leads to from a row, and that row. \param reached  by row
  void MarkReached(uint32_t from, std::vector<uint8_t>& reached);
  /// Empties its list on level 0.
  void Clear(uint32_t row) {
    std::fill_n(links_.As<uint32_t>() + row * degree_, degree_, kNoNode);
    states_.As<ListState>()[row] = {};
  }

  /// The same links among rows of other numbers. What is known of a list, and how far its links go,
  /// is not taken along.
  /// \param new_row  of each of the first rows; kNoNode: it is gone, and the links to it
  /// \param rows     of the result; each is the new number of one row
  GraphLists Renumbered(std::span<const uint32_t> new_row, size_t rows);
  /// Gives back the memory of what Renumbered does not take along: from now on links are only read.
  void DropDistances() {
    distances_ = Buffer();
    states_ = Buffer();
  }

  const GraphLevels& levels() const { return levels_; }
  int top() const { return levels_.top[levels_.entry]; }
  size_t rows() const { return levels_.top.size(); }
  size_t m() const { return m_; }
  size_t degree() const { return degree_; }

  /// Adds what a reader of the file finds: kLinks and the levels above. Empties this object.
  void MoveTo(IndexFileWriter& writer);

 private:
  void AddUpperLevels(IndexFileWriter& writer);

  GraphLevels levels_;
  size_t m_;
  size_t degree_;
  Buffer links_, distances_, states_;  // uint32[rows][degree], how far each goes; ListState[rows]
  std::vector<uint32_t> upper_links_;
  std::vector<int32_t> upper_distances_;
  std::vector<ListState> upper_states_;
};

class GraphInserter {
 public:
  struct Link {
    int32_t distance;
    uint32_t row;
  };
  /// What one thread needs; kept between rows.
  struct Worker {
    GraphScratch graph;
    std::vector<int8_t> query;       // code of the row being inserted
    std::vector<int8_t> candidate;   // code of a row whose links are being chosen
    std::vector<Link> links, known;  // to choose from; those of `known` need each other all
    std::vector<uint32_t> known_rows;
    std::vector<Link> chosen, refused;
    std::vector<uint32_t> chosen_rows;
    std::vector<int32_t> distances;
    struct Found {
      std::vector<Link> links;
      ListState state;
    };
    std::vector<Found> found;  // per level
  };
  /// Distances from one row to others, in code units.
  struct FromRow {
    const CodeView& codes;
    const int8_t* query;
    int32_t bias, term, weight;
    size_t padded;
    void operator()(const uint32_t* rows, size_t count, int32_t* out) const {
      simd::Active().dot_s8u8_rows(query, codes.Row(0), codes.stride(), rows, count, padded, out);
      for (size_t i = 0; i < count; ++i) {
        out[i] = term + codes.Term(rows[i]) - weight * (out[i] - bias);
      }
    }
    void Prefetch(uint32_t row) const { codes.Prefetch(row); }
  };

  /// \param codes, lists  outlive this object
  /// \param threads       that insert at the same time
  GraphInserter(const CodeTable& codes, GraphLists& lists, size_t ef_construction, int threads);

  Worker NewWorker() const;
  FromRow From(uint32_t row, std::vector<int8_t>& query) const;

  /// Links a row. \pre its code is written, its list on level 0 is clear, it is not the entry
  /// \param below  no row at or past this is linked yet, by any thread
  /// Cost: ef_construction * degree distances.
  void Insert(uint32_t row, uint32_t below, Worker& worker);

  /// Gives a row whose list is empty links to some rows, and to such of `more` as pruning keeps.
  /// \param to  at most as many as a list holds
  void SetLinks(uint32_t row, int level, std::span<const uint32_t> to,
                std::span<const uint32_t> more, Worker& worker);

 private:
  ListState Choose(size_t most, Worker& w) const;
  bool Needless(const FromRow& distance, int32_t limit, Worker& w) const;
  void KeepAmongKnown(const FromRow& distance, size_t first, Worker& w) const;
  void Connect(uint32_t row, int level, Worker& w);
  void AddReverse(const GrowingLinks& links, uint32_t of, Link added, Worker& w);
  void Prune(const GrowingLinks& links, uint32_t of, Link added, Worker& w);
  std::mutex& LockOf(uint32_t row) { return locks_[row % stripes_]; }

  const Sq8& codec_;
  const CodeView codes_;
  GraphLists& lists_;
  const size_t ef_construction_;
  const size_t stripes_;  // locks over the lists of links
  std::unique_ptr<std::mutex[]> locks_;
};

}  // namespace elanus::index
