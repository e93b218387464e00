#include "worker/stream/explain.h"

#include <cmath>

#include "base/json_writer.h"
#include "expr/text.h"

namespace elanus::worker {
namespace {

std::string_view WayName(query::LeafTrace::Way way) {
  switch (way) {
    case query::LeafTrace::Way::kScan: return "scan";
    case query::LeafTrace::Way::kIndex: return "index";
    case query::LeafTrace::Way::kIndexThenScan: return "index, then scan";
  }
  return "";
}

double Part(uint64_t of, uint64_t all) {
  return all == 0 ? 0 : std::round(static_cast<double>(of) / static_cast<double>(all) * 1e6) / 1e6;
}

double Micros(double us) { return std::round(us * 10) / 10; }

void WriteLeaf(JsonWriter& json, const query::LeafTrace& leaf,
               const model::CollectionSchema& schema) {
  json.BeginObject().Key("predicate").Text(expr::TextOf(*leaf.leaf, schema));
  json.Key("by").Text(WayName(leaf.way)).Key("estimated");
  if (leaf.estimated) {
    json.Real(std::round(*leaf.estimated * 1e6) / 1e6);
  } else {
    json.Null();
  }
  json.Key("actual").Real(Part(leaf.rows_kept, leaf.rows_asked));
  json.Key("rows_asked").Int(static_cast<int64_t>(leaf.rows_asked));
  json.Key("rows_kept").Int(static_cast<int64_t>(leaf.rows_kept));
  json.Key("bytes").Int(static_cast<int64_t>(leaf.bytes));
  json.Key("us").Real(Micros(leaf.us)).EndObject();
}

void WriteSegment(JsonWriter& json, const query::SegmentTrace& segment,
                  const model::CollectionSchema& schema) {
  json.BeginObject().Key("segment").Int(segment.id.value);
  json.Key("state").Text(segment.sealed ? "sealed" : "growing");
  json.Key("rows").Int(segment.rows).Key("kept").Int(static_cast<int64_t>(segment.rows_kept));
  if (segment.rows_visible != 0)
    json.Key("visible").Int(static_cast<int64_t>(segment.rows_visible));
  if (segment.filtered) {
    json.Key("filter_us").Real(Micros(segment.filter_us)).Key("filter").BeginArray();
    for (const query::LeafTrace& leaf : segment.leaves) WriteLeaf(json, leaf, schema);
    json.EndArray();
  }
  if (!segment.search_way.empty()) {
    json.Key("search").Text(segment.search_way).Key("distances");
    if (segment.distances) {
      json.Int(static_cast<int64_t>(*segment.distances));
    } else {
      json.Null();
    }
    json.Key("exact").Int(static_cast<int64_t>(segment.exact));
    json.Key("search_us").Real(Micros(segment.search_us));
  }
  json.EndObject();
}

}  // namespace

std::string ExplainText(ShardId shard, const query::ReadTrace& trace,
                        const model::CollectionSchema& schema) {
  JsonWriter json;
  json.BeginObject().Key("shard").Int(shard.value).Key("segments").BeginArray();
  for (const query::SegmentTrace& segment : trace.segments) WriteSegment(json, segment, schema);
  json.EndArray().Key("merge_us").Real(Micros(trace.merge_us));
  json.Key("output_us").Real(Micros(trace.output_us)).EndObject();
  return json.Take();
}

}  // namespace elanus::worker
