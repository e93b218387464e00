#include "worker/stream/read.h"

#include <algorithm>
#include <cmath>

#include "query/fetch.h"
#include "query/retrieve.h"
#include "query/row_value.h"
#include "query/search.h"
#include "worker/build/index_spec.h"

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
index::Window WindowOf(const service::VectorSearchParams& params, index::Metric metric) {
  index::Window window;
  if (params.radius) {
    window.upper = index::DistanceFromScore(metric, static_cast<float>(*params.radius));
  }
  if (params.range_filter) {
    // The near end belongs to the range: everything beyond the float just before it.
    const float near = index::DistanceFromScore(metric, static_cast<float>(*params.range_filter));
    window.lower = std::nextafter(near, -std::numeric_limits<float>::infinity());
    window.after_row = std::numeric_limits<int64_t>::max();
  }
  if (params.after_score) {
    const float after = index::DistanceFromScore(metric, *params.after_score);
    if (after >= window.lower) {
      window.lower = after;
      window.after_row = std::numeric_limits<int64_t>::max();
    }
  }
  return window;
}

Status CheckFields(const model::CollectionSchema& schema, const service::QueryRequest& request) {
  auto known = [&](FieldId id) { return schema.FindField(id) != nullptr; };
  const bool ok = std::ranges::all_of(request.group_by, known) &&
                  std::ranges::all_of(request.aggregates, [&](const rank::Aggregate& a) {
                    return a.counts_rows() || known(a.field);
                  });
  return ok ? Status::Ok() : Status(Code::kFieldNotFound, "field not found");
}

size_t GroupColumns(const service::SearchRequest& request) {
  const auto columns = static_cast<size_t>(std::max<int64_t>(request.group.columns, 0));
  return std::min(columns, request.values.size());
}

}  // namespace

Result<service::SearchReply> SearchShard(const Shard& shard, const service::SearchRequest& request,
                                         model::Timestamp at, const Cancel& cancel) {
  const service::CollectionPtr collection = shard.collection();
  const model::FieldSchema* field = collection->schema.FindField(request.field);
  if (field == nullptr) return Error(Code::kFieldNotFound, "field not found");
  const auto dim = static_cast<size_t>(field->dim());
  const auto nq = static_cast<size_t>(request.nq);
  if (request.vectors.size() != nq * dim * sizeof(float)) {
    return Error(InvalidParameter("vector dimension mismatch"));
  }
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  const index::Metric metric = IndexMetric(request.metric);
  // Query vectors lie where the wire's bytes lay: give them the alignment of floats.
  std::vector<float> queries(nq * dim);
  std::memcpy(queries.data(), request.vectors.data(), request.vectors.size());
  const query::ReadView view{
      .schema = &collection->schema, .at = at, .filter = &request.filter, .cancel = &cancel};
  const query::SearchRequest search{
      .field = request.field,
      .metric = metric,
      .queries = queries.data(),
      .nq = nq,
      .dim = dim,
      .top_k = static_cast<size_t>(request.top_k),
      .ef = static_cast<int>(std::min<int64_t>(request.params.ef, INT32_MAX)),
      .nprobe = static_cast<int>(std::min<int64_t>(request.params.nprobe, INT32_MAX)),
      .window = WindowOf(request.params, metric),
      .whole_ties = request.params.after_score.has_value(),
      .group_by = std::span(request.values).first(GroupColumns(request)),
      .group_size = static_cast<size_t>(std::max<int64_t>(request.group.size, 1)),
      .group_strict = request.group.strict};
  ASSIGN_OR_RETURN(auto results, query::Search(segments, view, search));
  service::SearchReply reply{.read_at = at};
  reply.keys.is_string = model::IsString(collection->schema.primary()->type);
  std::vector<query::RowRef> rows;
  for (const auto& hits : results) {
    reply.counts.push_back(static_cast<int64_t>(hits.size()));
    for (const query::SearchHit& hit : hits) {
      reply.keys.Append(segments[hit.ref.segment]->KeyAt(hit.ref.row));
      reply.scores.push_back(index::ScoreFromDistance(metric, hit.distance));
      rows.push_back(hit.ref);
    }
  }
  ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                             .schema = &collection->schema,
                                             .fields = request.output_fields},
                                            rows));
  ASSIGN_OR_RETURN(
      reply.values,
      query::FetchValues(
          {.segments = &segments, .schema = &collection->schema, .values = request.values}, rows));
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
  if (!request.aggregates.empty() || !request.group_by.empty()) {
    RETURN_IF_ERROR(CheckFields(collection->schema, request));
    rank::Aggregator aggregator({request.group_by, request.aggregates}, collection->schema);
    RETURN_IF_ERROR(query::AggregateRows(segments, view, aggregator));
    reply.rows = aggregator.Partial();
    return reply;
  }
  const query::RetrieveRequest retrieve{.keys = request.keys ? &*request.keys : nullptr,
                                        .limit = request.limit,
                                        .order = request.order,
                                        .directions = request.directions};
  ASSIGN_OR_RETURN(query::Retrieved found, query::Retrieve(segments, view, retrieve));
  reply.keys = std::move(found.keys);
  reply.timestamps = std::move(found.timestamps);
  reply.order_values = std::move(found.order_values);
  ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                             .schema = &collection->schema,
                                             .fields = request.output_fields,
                                             .bytes_max = request.bytes_max},
                                            found.rows));
  return reply;
}

}  // namespace elanus::worker
