#include "index/vector/hnsw_graph.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace elanus::index {
namespace {

std::unexpected<Status> Corrupt(const char* what) {
  return Error(Code::kDataIntegrity, fmt::format("index file: {}", what));
}

bool AllBelow(std::span<const uint32_t> ids, size_t limit, bool none_allowed) {
  bool good = true;
  for (uint32_t id : ids) good &= id < limit || (none_allowed && id == kNoNode);
  return good;
}

Result<std::vector<UpperLevel>> ReadLevels(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  const auto counts_bytes = file.Section(SectionId::kLevelCounts);
  ASSIGN_OR_RETURN(auto counts, file.Values<uint32_t>(SectionId::kLevelCounts,
                                                      counts_bytes.size() / 4, "level counts"));
  uint64_t total = 0;
  for (uint32_t count : counts) total += count;
  ASSIGN_OR_RETURN(auto rows, file.Values<uint32_t>(SectionId::kLevelRows, total, "level rows"));
  ASSIGN_OR_RETURN(auto down, file.Values<uint32_t>(SectionId::kLevelDown, total, "level places"));
  ASSIGN_OR_RETURN(auto links, file.Values<uint32_t>(SectionId::kLevelLinks, total * h.upper_degree,
                                                     "level links"));
  if (!AllBelow(rows, h.rows, false)) return Corrupt("level row out of range");
  std::vector<UpperLevel> levels;
  size_t start = 0, below = h.rows;
  for (uint32_t count : counts) {
    if (count == 0) return Corrupt("empty level");
    UpperLevel level{rows.subspan(start, count), down.subspan(start, count),
                     links.subspan(start * h.upper_degree, size_t{count} * h.upper_degree)};
    if (!AllBelow(level.down, below, false)) return Corrupt("level place out of range");
    if (!AllBelow(level.links, count, true)) return Corrupt("level link out of range");
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t row = start == 0 ? level.down[i] : levels.back().rows[level.down[i]];
      if (row != level.rows[i]) return Corrupt("levels disagree about a row");
    }
    levels.push_back(level);
    start += count;
    below = count;
  }
  return levels;
}

Status ReadCodes(const IndexFileReader& file, HnswGraph& graph) {
  const IndexHeader& h = file.header();
  ASSIGN_OR_RETURN(auto mean, file.Values<float>(SectionId::kMean, h.dim, "mean"));
  if (!std::all_of(mean.begin(), mean.end(), [](float x) { return std::isfinite(x); }))
    return Corrupt("mean is not finite").error();
  graph.codec = Sq8(h.metric, h.dim, h.scale, {mean.begin(), mean.end()});
  ASSIGN_OR_RETURN(
      auto codes,
      file.Values<uint8_t>(SectionId::kCodes, uint64_t{h.rows} * graph.codec.stride(), "codes"));
  const int32_t* terms = nullptr;
  if (h.metric == Metric::kL2 && !graph.codec.term_in_row()) {
    ASSIGN_OR_RETURN(auto values, file.Values<int32_t>(SectionId::kTerms, h.rows, "terms"));
    terms = values.data();
  }
  graph.codes = CodeView(graph.codec, codes.data(), terms);
  return Status::Ok();
}

}  // namespace

Result<HnswGraph> ReadHnswGraph(const IndexFileReader& file) {
  const IndexHeader& h = file.header();
  if (h.degree == 0 || h.upper_degree == 0) return Corrupt("degree out of range");
  HnswGraph graph;
  if (h.codec.kind != CodecKind::kOwn) {
    ASSIGN_OR_RETURN(graph.coded, CodedRows::Read(file));
  } else if (h.codec.bits == kHalfByte) {
    ASSIGN_OR_RETURN(graph.halves, ReadHalfBytes(file));
  } else {
    RETURN_IF_ERROR(ReadCodes(file, graph));
  }
  ASSIGN_OR_RETURN(auto links,
                   file.Values<uint32_t>(SectionId::kLinks, uint64_t{h.rows} * h.degree, "links"));
  if (!AllBelow(links, h.rows, true)) return Corrupt("link out of range");
  graph.links = links;
  ASSIGN_OR_RETURN(graph.levels, ReadLevels(file));
  ASSIGN_OR_RETURN(graph.cells, GraphCells::Read(file));
  return graph;
}

}  // namespace elanus::index
