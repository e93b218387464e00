#include "index/vector/graph_reuse.h"

#include <algorithm>

namespace elanus::index {
namespace {

constexpr size_t kKeptMin = 1024;  // rows

}  // namespace

std::optional<GraphReuse> GraphReuse::Of(const BuildStart& start, const VectorView& vectors,
                                         const BuildParams& params) {
  if (start.index == nullptr || start.index->graph() == nullptr) return std::nullopt;
  const IndexHeader& header = start.index->header();
  const HnswGraph& graph = *start.index->graph();
  if (header.kind != Kind::kHnsw || params.kind != Kind::kHnsw || header.metric != params.metric ||
      header.dim != vectors.dim || header.m != static_cast<uint32_t>(params.m) ||
      header.upper_degree != header.m || header.degree != HnswDegree(params.m) ||
      header.ef_construction < static_cast<uint32_t>(params.ef_construction) ||
      graph.levels.empty() || start.new_row.size() != header.rows)
    return std::nullopt;
  GraphReuse reuse(graph, header.degree, header.upper_degree, start.new_row, vectors.rows);
  // Many gaps are not worth mending; and few rows are inserted soon, better among all others.
  if (reuse.kept_ < kKeptMin || reuse.kept_ < header.rows / 4 * 3 || reuse.kept_ < vectors.rows / 4)
    return std::nullopt;
  return reuse;
}

GraphReuse::GraphReuse(const HnswGraph& graph, size_t degree, size_t upper_degree,
                       std::span<const uint32_t> new_row, size_t rows)
    : graph_(graph),
      degree_(degree),
      upper_degree_(upper_degree),
      new_row_(new_row),
      old_row_(rows, kNoNode) {
  for (uint32_t row = 0; row < new_row.size(); ++row) {
    if (new_row[row] == kRowGone) continue;
    old_row_[new_row[row]] = row;
    ++kept_;
  }
}

std::vector<uint8_t> GraphReuse::OldTops() const {
  std::vector<uint8_t> tops(new_row_.size(), 0);
  for (size_t level = 0; level < graph_.levels.size(); ++level) {
    for (uint32_t row : graph_.levels[level].rows) tops[row] = static_cast<uint8_t>(level + 1);
  }
  return tops;
}

GraphLevels GraphReuse::Levels(const BuildParams& params) const {
  const std::vector<uint8_t> before = OldTops();
  const auto rows = static_cast<uint32_t>(old_row_.size());
  std::vector<uint8_t> tops = GraphLevels(rows, static_cast<size_t>(params.m), params.seed).top;
  uint32_t entry = kNoNode;
  for (uint32_t row = 0; row < rows; ++row) {
    if (!Has(row)) continue;
    tops[row] = before[old_row_[row]];
    if (entry == kNoNode || tops[row] > tops[entry]) entry = row;
  }
  for (uint8_t& top : tops) top = std::min(top, tops[entry]);
  return GraphLevels(std::move(tops), entry);
}

size_t GraphReuse::ReadLinks(uint32_t old_row, uint32_t* out) const {
  if (graph_.packed_links.size() != 0)
    return PackedLinks(graph_.packed_links.As<uint8_t>(), degree_).Read(old_row, out);
  return RowLinks(graph_.links.data(), degree_).Read(old_row, out);
}

void GraphReuse::LinkRow(uint32_t row, GraphInserter& inserter, GraphInserter::Worker& worker,
                         Scratch& s) const {
  constexpr size_t kRoom = 16;  // that kernels write beyond a list's end
  s.links.resize(degree_ + kRoom);
  s.beyond.resize(degree_ + kRoom);
  s.kept.clear();
  s.offered.clear();
  const size_t count = ReadLinks(old_row_[row], s.links.data());
  for (size_t i = 0; i < count; ++i) {
    if (const uint32_t to = new_row_[s.links[i]]; to != kRowGone) {
      s.kept.push_back(to);
      continue;
    }
    const size_t further = ReadLinks(s.links[i], s.beyond.data());
    for (size_t j = 0; j < further; ++j) {
      if (const uint32_t to = new_row_[s.beyond[j]]; to != kRowGone) s.offered.push_back(to);
    }
  }
  inserter.SetLinks(row, 0, s.kept, s.offered, worker);
}

void GraphReuse::LinkUpperLevels(GraphInserter& inserter, GraphInserter::Worker& worker) const {
  for (size_t l = 0; l < graph_.levels.size(); ++l) {
    const UpperLevel& level = graph_.levels[l];
    const auto list_of = [&](uint32_t place) {
      const auto list = level.links.subspan(size_t{place} * upper_degree_, upper_degree_);
      return list.first(static_cast<size_t>(std::ranges::find(list, kNoNode) - list.begin()));
    };
    std::vector<uint32_t> kept, offered;
    for (uint32_t place = 0; place < level.rows.size(); ++place) {
      const uint32_t row = new_row_[level.rows[place]];
      if (row == kRowGone) continue;
      kept.clear();
      offered.clear();
      for (uint32_t other : list_of(place)) {
        if (const uint32_t to = new_row_[level.rows[other]]; to != kRowGone) {
          kept.push_back(to);
          continue;
        }
        for (uint32_t beyond : list_of(other)) {
          if (const uint32_t to = new_row_[level.rows[beyond]]; to != kRowGone)
            offered.push_back(to);
        }
      }
      inserter.SetLinks(row, static_cast<int>(l) + 1, kept, offered, worker);
    }
  }
}

}  // namespace elanus::index
