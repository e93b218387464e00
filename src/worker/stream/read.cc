#include "worker/stream/read.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "query/boost.h"
#include "query/fetch.h"
#include "query/retrieve.h"
#include "query/row_value.h"
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

/// The timestamp at and below which rows have outlived the collection's time to live; 0 = none.
model::Timestamp ExpiredAt(const model::CollectionInfo& collection, model::Timestamp at) {
  const std::string* text = model::FindValue(collection.properties, "collection.ttl.seconds");
  int64_t seconds = 0;
  if (text == nullptr ||
      std::from_chars(text->data(), text->data() + text->size(), seconds).ec != std::errc() ||
      seconds <= 0) {
    return 0;
  }
  const model::Timestamp span = model::TimestampFromMs(seconds * 1000);
  return at > span ? at - span : 0;
}

/// The field whose time says until when a row lives; null when the collection names none.
const model::FieldSchema* TtlField(const model::CollectionInfo& collection) {
  const std::string* name = model::FindValue(collection.properties, "ttl_field");
  const model::FieldSchema* field = name == nullptr ? nullptr : collection.schema.FindField(*name);
  return field != nullptr && field->type == model::DataType::kTimestamptz ? field : nullptr;
}

/// The filter less the rows whose own time is over; one without a time lives for ever.
expr::BoundFilter Living(const model::FieldSchema& ttl, const expr::BoundFilter& filter,
                         model::Timestamp at) {
  const expr::ColumnRef column{.field = ttl.id, .type = ttl.type};
  expr::Node living{.form = expr::Or{}};
  living.children.push_back({.form = expr::IsNull{column}});
  living.children.push_back({.form = expr::Compare{.column = column,
                                                   .op = expr::CompareOp::kGt,
                                                   .value = {model::TimestampMs(at) * 1000}}});
  expr::BoundFilter both = filter;
  if (filter.root == nullptr) {
    both.root = std::make_shared<const expr::Node>(std::move(living));
    return both;
  }
  expr::Node all{.form = expr::And{}};
  if (std::holds_alternative<expr::And>(filter.root->form)) {
    all = *filter.root;
  } else {
    all.children.push_back(*filter.root);
  }
  all.children.push_back(std::move(living));
  both.root = std::make_shared<const expr::Node>(std::move(all));
  return both;
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

/// What the user sees of a hit.
float ShownScore(model::Metric metric, float distance) {
  const float score = rank::ScoreOf(metric, distance);
  return metric == model::Metric::kCosine ? std::clamp(score, -1.0F, 1.0F) : score;
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

/// A view and the filter that it may have to own.
struct Reading {
  Reading(const model::CollectionInfo& collection, const expr::BoundFilter& filter,
          const ReadScope& scope) {
    view = {.schema = &collection.schema,
            .at = scope.at,
            .expired = ExpiredAt(collection, scope.at),
            .filter = &filter,
            .cancel = &scope.cancel,
            .filters = scope.filters};
    if (const model::FieldSchema* ttl = TtlField(collection)) {
      living = Living(*ttl, filter, scope.at);
      view.filter = &*living;
      view.filters = nullptr;  // another one every millisecond
    }
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  std::optional<expr::BoundFilter> living;
  query::ReadView view;
};

}  // namespace

Result<service::SearchReply> SearchShard(const Shard& shard, const service::SearchRequest& request,
                                         const ReadScope& scope) {
  const service::CollectionPtr collection = shard.collection();
  const model::FieldSchema* field = collection->schema.FindField(request.field);
  if (field == nullptr) return Error(Code::kFieldNotFound, "field not found");
  ASSIGN_OR_RETURN(const model::Column queries, QueryColumn(*field, request));
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  const Reading reading(*collection, request.filter, scope);
  const query::ReadView& view = reading.view;
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
      reply.scores.push_back(ShownScore(request.metric, hit.distance));
      rows.push_back(hit.ref);
    }
  }
  ASSIGN_OR_RETURN(reply.rows, query::Fetch({.segments = &segments,
                                             .schema = &collection->schema,
                                             .fields = request.output_fields,
                                             .cancel = &scope.cancel},
                                            rows));
  ASSIGN_OR_RETURN(
      reply.values,
      query::FetchValues(
          {.segments = &segments, .schema = &collection->schema, .values = request.values}, rows));
  return reply;
}

Result<service::QueryReply> QueryShard(const Shard& shard, const service::QueryRequest& request,
                                       const ReadScope& scope) {
  const service::CollectionPtr collection = shard.collection();
  const std::vector<segment::SegmentPtr> segments =
      Segments(shard, request.partitions, request.ignore_growing);
  const Reading reading(*collection, request.filter, scope);
  const query::ReadView& view = reading.view;
  service::QueryReply reply{.read_at = scope.at};
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
  // A look-up by key evaluates no filter: the same keys are in the filter where the user gave one.
  const bool by_key = request.keys && (!reading.living || request.filter.root == nullptr);
  const query::RetrieveRequest retrieve{.keys = by_key ? &*request.keys : nullptr,
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
                                             .bytes_max = request.bytes_max,
                                             .cancel = &scope.cancel},
                                            found.rows));
  return reply;
}

}  // namespace elanus::worker
