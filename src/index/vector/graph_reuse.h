// Goes on with the graph of an index over part of a build's rows: the links among the rows that are
// still there are kept, only the others need be inserted.
// Holds: a row that lost neighbours is offered theirs. Threads: immutable once made.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "index/vector/graph_inserter.h"
#include "index/vector/hnsw_graph.h"
#include "index/vector/vector_index.h"

namespace elanus::index {

class GraphReuse {
 public:
  /// Nothing when `start` is no graph of these parameters, or too little of it is left to gain by.
  static std::optional<GraphReuse> Of(const BuildStart& start, const VectorView& vectors,
                                      const BuildParams& params);

  /// Those of the kept rows are as before; new rows stand on none above.
  GraphLevels Levels(const BuildParams& params) const;
  bool Has(uint32_t row) const { return old_row_[row] != kNoNode; }
  size_t kept() const { return kept_; }

  /// What one thread needs; kept between rows.
  struct Scratch {
    std::vector<uint32_t> links, beyond, kept, offered;
  };
  /// Links a kept row on level 0. \pre all codes are written, its list is clear
  void LinkRow(uint32_t row, GraphInserter& inserter, GraphInserter::Worker& worker,
               Scratch& s) const;
  /// Links all kept rows on the levels above.
  void LinkUpperLevels(GraphInserter& inserter, GraphInserter::Worker& worker) const;

 private:
  GraphReuse(const HnswGraph& graph, size_t degree, size_t upper_degree,
             std::span<const uint32_t> new_row, size_t rows);

  size_t ReadLinks(uint32_t old_row, uint32_t* out) const;
  std::vector<uint8_t> OldTops() const;

  const HnswGraph& graph_;
  size_t degree_, upper_degree_;
  std::span<const uint32_t> new_row_;
  std::vector<uint32_t> old_row_;  // of each row; kNoNode: the graph had it not
  size_t kept_ = 0;
};

}  // namespace elanus::index
