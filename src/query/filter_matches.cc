#include "query/filter_matches.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace elanus::query {
namespace {

/// Where rows must be in several sets, those of the smallest are proposed when they are this few:
/// else bits of all sets leave less to look at.
constexpr uint64_t kOfSeveralSetsMax = 256;
/// Rows that an index only proposes are this much fewer than those that it knows.
constexpr uint64_t kLookedAtPart = 8;

bool Is(const expr::Node& node, auto form) {
  return std::holds_alternative<decltype(form)>(node.form);
}

}  // namespace

Result<const IndexMatch*> Matches::Of(const expr::Node& leaf) {
  if (use_ == IndexUse::kNever) return nullptr;
  auto found = matches_.find(&leaf);
  if (found == matches_.end()) {
    ASSIGN_OR_RETURN(auto match, MatchIndex(leaf, source_, cancel_));
    found = matches_.emplace(&leaf, std::move(match)).first;
  }
  return found->second ? &*found->second : nullptr;
}

Result<uint64_t> Matches::RowsAtMost(const expr::Node& node, int depth) {
  uint64_t rows = source_.rows();
  if (depth > kFilterDepthMax) return rows;
  const bool is_or = Is(node, expr::Or{});
  if (is_or || Is(node, expr::And{})) {
    uint64_t sum = 0;
    for (const expr::Node& child : node.children) {
      ASSIGN_OR_RETURN(const uint64_t of_child, RowsAtMost(child, depth + 1));
      if (is_or) {
        sum += of_child;
      } else {
        rows = std::min(rows, of_child);
      }
    }
    return is_or ? std::min(rows, sum) : rows;
  }
  if (!node.children.empty()) return rows;
  ASSIGN_OR_RETURN(const IndexMatch* match, Of(node));
  return match == nullptr ? rows : match->rows_max;
}

bool Matches::Pays(const IndexMatch& match, const FilterOperator& scan, uint64_t wanted) const {
  if (use_ == IndexUse::kWheneverPossible) return true;
  const double looked_at = match.exact ? 0 : static_cast<double>(match.rows_max) * scan.cost();
  // Scans of numbers go by whole words, whatever is wanted.
  const auto scanned = static_cast<double>(std::min<uint64_t>(wanted * 64, source_.rows()));
  return match.lookup_ns + looked_at < scanned * scan.cost();
}

Result<std::optional<Matches::Proposal>> Matches::Proposes(const expr::Node& node, int depth) {
  std::optional<Proposal> proposal;
  if (depth > kFilterDepthMax) return proposal;
  if (node.children.empty()) {
    ASSIGN_OR_RETURN(const IndexMatch* match, Of(node));
    if (match == nullptr) return proposal;
    const bool one = match->sets.size() == 1;
    const auto rows = match->rows_of_fewest;
    if (rows && (one || *rows <= kOfSeveralSetsMax)) proposal = {*rows, match->exact && one};
    return proposal;
  }
  if (const auto found = proposals_.find(&node); found != proposals_.end()) return found->second;
  if (Is(node, expr::Or{})) {
    proposal = {.rows = 0, .exact = true};
    for (const expr::Node& child : node.children) {
      ASSIGN_OR_RETURN(const auto of_child, Proposes(child, depth + 1));
      if (!of_child) {
        proposal.reset();
        break;
      }
      proposal->rows += of_child->rows;
      proposal->exact &= of_child->exact;
    }
  } else if (Is(node, expr::And{})) {
    for (const expr::Node& child : node.children) {
      ASSIGN_OR_RETURN(const auto of_child, Proposes(child, depth + 1));
      if (of_child && (!proposal || of_child->rows < proposal->rows)) proposal = of_child;
    }
    if (proposal) proposal->exact &= node.children.size() == 1;
  }
  proposals_.emplace(&node, proposal);
  return proposal;
}

Status Matches::Collect(const expr::Node& node, int depth, bool timed, ProposedRows& out) {
  ASSIGN_OR_RETURN(const auto proposal, Proposes(node, depth));
  out.exact = proposal->exact;
  if (Is(node, expr::Or{})) {
    for (const expr::Node& child : node.children) {
      ProposedRows of_child;  // what is known of its rows is not of the others'
      RETURN_IF_ERROR(Collect(child, depth + 1, timed, of_child));
      std::ranges::move(of_child.leaves, std::back_inserter(out.leaves));
      std::ranges::move(of_child.rows, std::back_inserter(out.rows));
    }
    SortRows(source_.rows(), out.rows);
  } else if (Is(node, expr::And{})) {
    for (const expr::Node& child : node.children) {
      ASSIGN_OR_RETURN(const auto of_child, Proposes(child, depth + 1));
      if (!of_child || of_child->rows != proposal->rows) continue;
      RETURN_IF_ERROR(Collect(child, depth + 1, timed, out));
      if (out.exact) out.known.insert(&child);
      break;
    }
    out.exact = proposal->exact;
  } else {
    ASSIGN_OR_RETURN(const IndexMatch* match, Of(node));
    double us = 0;
    {
      const StepTimer timer(timed ? &us : nullptr);
      CollectFewest(*match, out.rows);
    }
    if (timed) out.leaves.push_back({&node, match, out.rows.size(), us});
  }
  return Status::Ok();
}

Result<std::optional<ProposedRows>> Matches::Propose(const expr::Node& root, uint64_t most,
                                                     bool timed) {
  std::optional<ProposedRows> proposed;
  ASSIGN_OR_RETURN(const auto proposal, Proposes(root, 0));
  if (!proposal || proposal->rows > (proposal->exact ? most : most / kLookedAtPart))
    return proposed;
  RETURN_IF_ERROR(Collect(root, 0, timed, proposed.emplace()));
  return proposed;
}

}  // namespace elanus::query
