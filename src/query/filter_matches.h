// What the scalar indexes of a run of rows say about the leaves of a filter, each asked once.
// Inside this room only. Threads: one's own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "expr/node.h"
#include "query/filter.h"
#include "query/filter_index.h"

namespace elanus::query {

/// Nodes of a filter that lie deeper are none that was bound here: those are at most
/// expr::kNodeDepthMax deep, bytes from elsewhere may be anything.
inline constexpr int kFilterDepthMax = 2 * expr::kNodeDepthMax;

/// Rows among which all are that a filter keeps.
struct ProposedRows {
  std::vector<uint32_t> rows;  ///< ascending
  bool exact = false;          ///< the filter keeps each of them
  /// Nodes that are true for each of the rows and need not be looked at again.
  std::unordered_set<const expr::Node*> known;
  struct Leaf {
    const expr::Node* node = nullptr;
    const IndexMatch* match = nullptr;
    uint64_t rows = 0;
    double us = 0;
  };
  std::vector<Leaf> leaves;  ///< those that proposed, when they were timed
};

class Matches {
 public:
  /// \param source  outlives it
  Matches(const segment::RowSource& source, const Cancel* cancel, IndexUse use)
      : source_(source), cancel_(cancel), use_(use) {}

  /// nullptr when no index answers the leaf.
  Result<const IndexMatch*> Of(const expr::Node& leaf);

  /// Rows that a tree keeps at most, as far as indexes know.
  Result<uint64_t> RowsAtMost(const expr::Node& node, int depth = 0);

  /// Whether the index is the cheaper way to the leaf's answer for `wanted` rows.
  bool Pays(const IndexMatch& match, const FilterOperator& scan, uint64_t wanted) const;

  /// The rows of a tree out of indexes, without a bit for each of the others; nothing when there
  /// may be more than `most`, or an eighth of that which the filter has to look at.
  /// \param timed  whether to measure how long each leaf takes
  Result<std::optional<ProposedRows>> Propose(const expr::Node& root, uint64_t most, bool timed);

 private:
  struct Proposal {
    uint64_t rows = 0;   ///< at most
    bool exact = false;  ///< the tree keeps each of them
  };
  /// What a tree would propose; nothing when it cannot.
  Result<std::optional<Proposal>> Proposes(const expr::Node& node, int depth);
  /// \pre Proposes(node)
  Status Collect(const expr::Node& node, int depth, bool timed, ProposedRows& out);

  const segment::RowSource& source_;
  const Cancel* cancel_;
  const IndexUse use_;
  std::unordered_map<const expr::Node*, std::optional<IndexMatch>> matches_;
  std::unordered_map<const expr::Node*, std::optional<Proposal>> proposals_;  // of inner nodes
};

}  // namespace elanus::query
