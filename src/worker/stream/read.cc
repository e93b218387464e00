#include "worker/stream/read.h"

#include <algorithm>
#include <cmath>

#include "query/fetch.h"
#include "query/retrieve.h"
#include "query/search.h"
#include "rank/score.h"

namespace elanus::worker {
namespace {

std::vector<segment::SegmentPtr> Segments(const Shard& shard,
                                          const std::vector<PartitionId>& partitions,
                                          bool ignore_growing) {
  std::vector<segment::SegmentPtr> segments = shard.View();
  std::erase_if(segments, [&](const segment::SegmentPtr& s) {
    if (ignore_growing && !s->sealed()) return true;
    return !partitions.empty() && std::ranges::find(partitions, s->partition()) == partitions.end();
  });
  return segments;
}

/// The user's range in distances: [near, far) for L2's radius, (radius, range_filter] for
/// similarities.
index::Window WindowOf(const service::VectorSearchParams& params, model::Metric metric) {
  index::Window window;
  if (params.radius) {
    window.upper = rank::DistanceOf(metric, static_cast<float>(*params.radius));
  }
  if (params.range_filter) {
    // The near end belongs to the range: everything beyond the float just before it.
    const float near = rank::DistanceOf(metric, static_cast<float>(*params.range_filter));
    window.lower = std::nextafter(near, -std::numeric_limits<float>::infinity());
    window.after_row = std::numeric_limits<int64_t>::max();
  }
  if (params.after_score) {
    const float after = rank::DistanceOf(metric, *params.after_score);
    if (after >= window.lower) {
      window.lower = after;
      window.after_row = std::numeric_limits<int64_t>::max();
    }
  }
  return window;
}

/// The request's vectors as a column. They lay where the wire's bytes lay: a column aligns them.
Result<model::Column> QueryColumn(const model::FieldSchema& field,
                                  const service::SearchRequest& request) {
  model::Column column = model::MakeColumn(field.id, field.type, field.dim());
  column.rows = static_cast<uint64_t>(request.nq);
  if (column.IsFixed()) {
    column.fixed = request.vectors;
  } else {
    column.bytes = request.vectors;
    column.offsets = request.vector_offsets;
  }
  if (!model::IsVector(field.type) || !column.Validate().ok()) {
    return Error(InvalidParameter("vector dimension mismatch"));
  }
  return column;
}

}  // namespace

Result<service::SearchReply> SearchShard(const Shard& shard, const service::SearchRequest& request,
                                         model::Timestamp at, const Cancel& cancel) {
  const service::CollectionPtr collection = shard.collection();
  const model::FieldSchema* field = collection->schema.FindField(request.field);
  if (field == nullptr) return Error(Code::kFieldNotFound, "field not found");
  ASSIGN_OR_RETURN(const model::Column queries, QueryColumn(*field, request));
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  const query::ReadView view{
      .schema = &collection->schema, .at = at, .filter = &request.filter, .cancel = &cancel};
  const query::SearchRequest search{
      .field = request.field,
      .metric = request.metric,
      .queries = segment::ViewOf(queries),
      .top_k = static_cast<size_t>(request.top_k),
      .ef = static_cast<int>(std::min<int64_t>(request.params.ef, INT32_MAX)),
      .nprobe = static_cast<int>(std::min<int64_t>(request.params.nprobe, INT32_MAX)),
      .reorder_k = static_cast<int>(std::min<int64_t>(request.params.reorder_k, INT32_MAX)),
      .refine_k = request.params.refine_k,
      .window = WindowOf(request.params, request.metric),
      .whole_ties = request.params.after_score.has_value()};
  ASSIGN_OR_RETURN(auto results, query::Search(segments, view, search));
  service::SearchReply reply{.read_at = at};
  reply.keys.is_string = model::IsString(collection->schema.primary()->type);
  std::vector<query::RowRef> rows;
  for (const auto& hits : results) {
    RETURN_IF_ERROR(cancel.Check());
    reply.counts.push_back(static_cast<int64_t>(hits.size()));
    for (const query::SearchHit& hit : hits) {
      reply.keys.Append(segments[hit.ref.segment]->KeyAt(hit.ref.row));
      reply.scores.push_back(rank::ScoreOf(request.metric, hit.distance));
      rows.push_back(hit.ref);
    }
  }
  ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                             .schema = &collection->schema,
                                             .fields = request.output_fields,
                                             .cancel = &cancel},
                                            rows));
  return reply;
}

Result<service::QueryReply> QueryShard(const Shard& shard, const service::QueryRequest& request,
                                       model::Timestamp at, const Cancel& cancel) {
  const service::CollectionPtr collection = shard.collection();
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  const query::ReadView view{
      .schema = &collection->schema, .at = at, .filter = &request.filter, .cancel = &cancel};
  service::QueryReply reply{.read_at = at};
  reply.keys.is_string = model::IsString(collection->schema.primary()->type);
  if (request.count_only) {
    ASSIGN_OR_RETURN(reply.count, query::CountRows(segments, view));
    return reply;
  }
  const query::RetrieveRequest retrieve{.keys = request.keys ? &*request.keys : nullptr,
                                        .limit = request.limit};
  ASSIGN_OR_RETURN(query::Retrieved found, query::Retrieve(segments, view, retrieve));
  reply.keys = std::move(found.keys);
  reply.timestamps = std::move(found.timestamps);
  ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                             .schema = &collection->schema,
                                             .fields = request.output_fields,
                                             .bytes_max = request.bytes_max,
                                             .cancel = &cancel},
                                            found.rows));
  return reply;
}

}  // namespace elanus::worker
