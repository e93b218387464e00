#include "worker/stream/read.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "model/expiry.h"
#include "query/boost.h"
#include "query/fetch.h"
#include "query/retrieve.h"
#include "query/row_value.h"
#include "query/search.h"
#include "query/struct_elements.h"
#include "rank/score.h"
#include "worker/stream/explain.h"

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
  // Rounding carries some rows a little beyond a cosine of 1: a range that begins there has them.
  const bool from_best = metric == model::Metric::kCosine && params.range_filter >= 1.0;
  if (params.range_filter && !from_best) {
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

/// What the user sees of a hit. A cosine that rounding carried beyond 1 is 1; a boosted one may be
/// anything.
float ShownScore(const service::SearchRequest& request, float distance) {
  const float score = rank::ScoreOf(request.metric, distance);
  const bool cosine = request.metric == model::Metric::kCosine && !request.boost;
  return cosine ? std::clamp(score, -1.0F, 1.0F) : score;
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

/// The request's vectors as a column. They lay where the wire's bytes lay: a column aligns them.
Result<model::Column> QueryColumn(const model::FieldSchema& field,
                                  const service::SearchRequest& request) {
  const model::DataType type = request.by_element ? field.vector_type() : field.type;
  model::Column column = model::MakeColumn(field.id, type, field.dim());
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

/// \param trace  of an explained read, else nullptr. Such a read takes no answer kept from before.
query::ReadView ViewOf(const model::CollectionInfo& collection, const expr::BoundFilter& filter,
                       const ReadScope& scope, query::ReadTrace* trace) {
  return {.schema = &collection.schema,
          .at = scope.at,
          .expiry = model::ExpiryOf(collection, scope.at),
          .filter = &filter,
          .cancel = &scope.cancel,
          .filters = trace == nullptr ? scope.filters : nullptr,
          .trace = trace,
          .crew = scope.crew};
}

}  // namespace

Result<service::SearchReply> SearchShard(const Shard& shard, const service::SearchRequest& request,
                                         const ReadScope& scope) {
  const service::CollectionPtr collection = shard.collection();
  const model::FieldSchema* field = collection->schema.FindField(request.field);
  if (field == nullptr) return Error(Code::kFieldNotFound, "field not found");
  ASSIGN_OR_RETURN(const model::Column queries, QueryColumn(*field, request));
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  query::ReadTrace trace;
  const query::ReadView view =
      ViewOf(*collection, request.filter, scope, request.explain ? &trace : nullptr);
  const query::SearchRequest search{
      .field = request.field,
      .metric = request.metric,
      .queries = segment::ViewOf(queries),
      .by_element = request.by_element,
      .top_k = static_cast<size_t>(request.top_k),
      .ef = static_cast<int>(std::min<int64_t>(request.params.ef, INT32_MAX)),
      .nprobe = static_cast<int>(std::min<int64_t>(request.params.nprobe, INT32_MAX)),
      .reorder_k = static_cast<int>(std::min<int64_t>(request.params.reorder_k, INT32_MAX)),
      .refine_k = request.params.refine_k,
      .window = WindowOf(request.params, request.metric),
      .whole_ties = request.params.after_score.has_value(),
      .group_by = std::span(request.values).first(GroupColumns(request)),
      .group_size = static_cast<size_t>(std::max<int64_t>(request.group.size, 1)),
      .group_strict = request.group.strict,
      .group_only = request.group.only};
  ASSIGN_OR_RETURN(auto results, query::Search(segments, view, search));
  if (scope.scanned && std::ranges::any_of(segments, &segment::Segment::scanned)) scope.scanned();
  if (request.boost) {
    RETURN_IF_ERROR(query::ApplyBoost(segments, view, *request.boost, results));
  }
  service::SearchReply reply{.read_at = scope.at};
  reply.keys.is_string = model::IsString(collection->schema.primary()->type);
  std::vector<query::RowRef> rows;
  for (const auto& hits : results) {
    RETURN_IF_ERROR(scope.cancel.Check());
    reply.counts.push_back(static_cast<int64_t>(hits.size()));
    for (const query::SearchHit& hit : hits) {
      reply.keys.Append(segments[hit.ref.segment]->KeyAt(hit.ref.row));
      reply.scores.push_back(ShownScore(request, hit.distance));
      if (request.by_element) reply.elements.push_back(hit.element);
      rows.push_back(hit.ref);
    }
  }
  {
    const query::StepTimer timer(request.explain ? &trace.output_us : nullptr);
    ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                               .schema = &collection->schema,
                                               .fields = request.output_fields,
                                               .cancel = &scope.cancel},
                                              rows));
    ASSIGN_OR_RETURN(reply.values, query::FetchValues({.segments = &segments,
                                                       .schema = &collection->schema,
                                                       .values = request.values},
                                                      rows));
  }
  if (request.explain) reply.plan = ExplainText(shard.id(), trace, collection->schema);
  return reply;
}

Result<service::QueryReply> QueryShard(const Shard& shard, const service::QueryRequest& request,
                                       const ReadScope& scope) {
  const service::CollectionPtr collection = shard.collection();
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  query::ReadTrace trace;
  const query::ReadView view =
      ViewOf(*collection, request.filter, scope, request.explain ? &trace : nullptr);
  service::QueryReply reply{.read_at = scope.at};
  reply.keys.is_string = model::IsString(collection->schema.primary()->type);
  if (request.count_only) {
    ASSIGN_OR_RETURN(reply.count, query::CountRows(segments, view));
    if (request.explain) reply.plan = ExplainText(shard.id(), trace, collection->schema);
    return reply;
  }
  if (!request.aggregates.empty() || !request.group_by.empty()) {
    RETURN_IF_ERROR(CheckFields(collection->schema, request));
    rank::Aggregator aggregator({request.group_by, request.aggregates}, collection->schema);
    RETURN_IF_ERROR(query::AggregateRows(segments, view, aggregator));
    reply.rows = aggregator.Partial();
    if (request.explain) reply.plan = ExplainText(shard.id(), trace, collection->schema);
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
  {
    const query::StepTimer timer(request.explain ? &trace.output_us : nullptr);
    ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                               .schema = &collection->schema,
                                               .fields = request.output_fields,
                                               .bytes_max = request.bytes_max,
                                               .cancel = &scope.cancel},
                                              found.rows));
  }
  if (request.filter.elements != nullptr) {
    ASSIGN_OR_RETURN(const auto kept,
                     query::KeptElements(segments, view, *request.filter.elements, found.rows));
    for (const auto& row : kept) {
      reply.element_counts.push_back(static_cast<int64_t>(row.size()));
      reply.elements.insert(reply.elements.end(), row.begin(), row.end());
    }
  }
  if (request.explain) reply.plan = ExplainText(shard.id(), trace, collection->schema);
  return reply;
}

}  // namespace elanus::worker
