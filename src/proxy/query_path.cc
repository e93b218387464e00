#include "proxy/query_path.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "proxy/explain.h"
#include "proxy/limits.h"
#include "proxy/namespaces.h"
#include "proxy/output_fields.h"
#include "proxy/query_params.h"
#include "proxy/read_scope.h"
#include "proxy/shard_calls.h"
#include "proxy/value_text.h"
#include "rank/merge.h"

namespace elanus::proxy {

namespace {

using service::QueryReply;
using service::QueryRequest;
using service::QueryResult;

std::vector<rank::SourceRow> MergeRows(const std::vector<QueryReply>& replies, rank::Slice slice) {
  std::vector<rank::KeyedRows> sources;
  for (const auto& reply : replies) {
    sources.push_back({.keys = &reply.keys, .timestamps = reply.timestamps});
  }
  return rank::MergeByKey(sources, slice);
}

model::RowBatch TakeRows(const std::vector<QueryReply>& replies,
                         const std::vector<rank::SourceRow>& wanted) {
  std::vector<const model::RowBatch*> rows;
  for (const auto& reply : replies) rows.push_back(&reply.rows);
  return rank::TakeRows(rows, wanted);
}

/// The elements that each of the rows was kept for.
std::vector<std::vector<int64_t>> ElementsOf(const std::vector<QueryReply>& replies,
                                             const std::vector<rank::SourceRow>& wanted) {
  std::vector<std::vector<size_t>> begins;  // [reply][row]
  for (const auto& reply : replies) {
    std::vector<size_t>& begin = begins.emplace_back(1, 0);
    for (int64_t count : reply.element_counts) {
      begin.push_back(begin.back() + static_cast<size_t>(count));
    }
  }
  std::vector<std::vector<int64_t>> elements;
  for (const rank::SourceRow& at : wanted) {
    const auto& all = replies[at.source].elements;
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(begins[at.source][at.row]);
    const auto last = all.begin() + static_cast<std::ptrdiff_t>(begins[at.source][at.row + 1]);
    elements.emplace_back(first, last);
  }
  return elements;
}

Status CheckReplySize(const model::RowBatch& rows) {
  uint64_t bytes = 0;
  for (const auto& column : rows.columns) bytes += column.fixed.size() + column.bytes.size();
  if (bytes <= kReplyBytesMax) return Status::Ok();
  return InvalidParameter(
      fmt::format("query results exceed the maxOutputSize Limit {}", kReplyBytesMax));
}

/// One query while it runs.
class Query {
 public:
  Query(const Backends& backends, const service::CallContext& call, const service::QueryCall& query)
      : backends_(backends), call_(call), query_(query) {}

  Result<QueryResult> Run() {
    ASSIGN_OR_RETURN(collection_, Resolve(backends_.coordinator, call_, query_.collection));
    ASSIGN_OR_RETURN(plan_, PlanQuery(*collection_, query_));
    ASSIGN_OR_RETURN(const auto partitions,
                     PartitionsOfRead(*collection_, query_.name_space, query_.partitions));
    ASSIGN_OR_RETURN(request_.partitions, NamedPartitions(*collection_, partitions));
    ASSIGN_OR_RETURN(time_form_, TimeFormOf(*collection_, query_.params));
    ASSIGN_OR_RETURN(request_.filter,
                     BindFilter(*collection_, query_.filter, query_.templates, time_form_.zone));
    const OutputPlan& output = plan_.output;
    if (output.count_only() && plan_.limit >= 0) {
      return Error(InvalidParameter("count entities with pagination is not allowed"));
    }
    if (request_.filter.keeps_all() && plan_.limit < 0 && !output.aggregated()) {
      return Error(InvalidParameter("empty expression should be used with limit"));
    }
    RETURN_IF_ERROR(KeepToNamespace(*collection_, query_.name_space, request_.filter));
    if (Status status = Execute(); !status.ok()) return Error(status.Wrap("failed to query"));
    auto result = Finish();
    if (!result.has_value()) return Error(result.error().Wrap("failed to query"));
    return result;
  }

 private:
  Status Execute() {
    const OutputPlan& output = plan_.output;
    RETURN_IF_ERROR(CheckLoaded(*collection_, request_.partitions));
    request_.collection = collection_->id;
    request_.output_fields = output.fields;
    request_.count_only = output.count_only();
    // The row that an iterator stopped in may have no more elements to give.
    request_.limit = plan_.limit < 0 ? -1 : plan_.limit + plan_.offset + (plan_.after ? 1 : 0);
    if (!request_.count_only && output.aggregated()) {
      request_.aggregates = output.aggregates;
      request_.group_by = output.group_by;
    } else if (!request_.count_only) {
      request_.order = plan_.order.values;
      request_.directions = plan_.order.directions;
    }
    request_.ignore_growing = plan_.ignore_growing;
    request_.explain = plan_.explain;
    request_.bytes_max = kReplyBytesMax;
    ASSIGN_OR_RETURN(request_.read,
                     ReadPointNow(backends_, *collection_, query_.consistency, plan_.iterator));
    // Counts and aggregates go over rows, a look-up finds keys.
    if (!output.aggregated()) {
      request_.keys = expr::PrimaryKeysOf(request_.filter, collection_->schema);
    }
    begun_us_ = SystemClock().MonotonicUs();
    const Asked asked{.backends = backends_,
                      .collection = *collection_,
                      .cancel = call_.cancel,
                      .only = ShardOfNamespace(*collection_, query_.name_space)};
    ASSIGN_OR_RETURN(replies_, request_.keys.has_value() ? QueryKeys(asked, request_)
                                                         : QueryAll(asked, request_));
    return Status::Ok();
  }

  Result<QueryResult> Finish() {
    const OutputPlan& output = plan_.output;
    QueryResult result{.collection = collection_, .output_fields = output.names};
    for (const auto& reply : replies_)
      result.session_ts = std::max(result.session_ts, reply.read_at);
    if (plan_.explain) return Explained(std::move(result));
    if (output.count_only()) {
      int64_t count = 0;
      for (const auto& reply : replies_) count += reply.count;
      model::Column column = model::MakeColumn(FieldId{}, model::DataType::kInt64);
      column.Append(count);
      result.columns.push_back({.name = output.names.front(), .column = std::move(column)});
      return result;
    }
    if (output.aggregated()) {
      ASSIGN_OR_RETURN(model::RowBatch groups, MergeGroups());
      result.columns = AggregateColumns(collection_->schema, output, std::move(groups));
      RETURN_IF_ERROR(TellAsText(time_form_, result.columns));
      return result;
    }
    const rank::Slice page{.offset = plan_.offset, .limit = plan_.limit};
    auto wanted = plan_.order.empty() ? MergeRows(replies_, page) : MergeInOrder(page);
    if (request_.filter.elements != nullptr) {
      if (plan_.after)
        wanted = MergeRows(replies_, {.offset = plan_.offset, .limit = request_.limit});
      result.elements = ElementsOf(replies_, wanted);
      if (plan_.after) SkipSeen(wanted, *result.elements);
    }
    model::RowBatch rows = TakeRows(replies_, wanted);
    RETURN_IF_ERROR(CheckReplySize(rows));
    result.columns = OutputColumns(collection_->schema, output, std::move(rows));
    RETURN_IF_ERROR(TellAsText(time_form_, result.columns));
    return result;
  }

  /// Leaves out the elements that earlier pages of an iterator gave, and a row that has no others.
  void SkipSeen(std::vector<rank::SourceRow>& wanted,
                std::vector<std::vector<int64_t>>& elements) const {
    for (size_t i = 0; i < wanted.size(); ++i) {
      const model::PrimaryKeys& keys = replies_[wanted[i].source].keys;
      if (model::PrimaryKeyText(keys.At(wanted[i].row)) != plan_.after->key) continue;
      std::erase_if(elements[i], [&](int64_t element) { return element <= plan_.after->element; });
      if (!elements[i].empty()) continue;
      wanted.erase(wanted.begin() + static_cast<std::ptrdiff_t>(i));
      elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    const size_t rows = plan_.limit < 0 ? wanted.size() : static_cast<size_t>(plan_.limit);
    if (wanted.size() > rows) wanted.resize(rows);
    if (elements.size() > rows) elements.resize(rows);
  }

  QueryResult Explained(QueryResult result) const {
    std::vector<std::string> plans;
    for (const auto& reply : replies_) plans.push_back(reply.plan);
    const auto us = static_cast<double>(SystemClock().MonotonicUs() - begun_us_);
    result.output_fields = {std::string(kExplainColumn)};
    result.columns = {PlanColumn(collection_->schema, request_.filter, plans, us)};
    return result;
  }

  std::vector<rank::SourceRow> MergeInOrder(rank::Slice page) const {
    std::vector<const model::PrimaryKeys*> keys;
    std::vector<const model::RowBatch*> values;
    for (const auto& reply : replies_) {
      keys.push_back(&reply.keys);
      values.push_back(&reply.order_values);
    }
    const rank::RowOrder order(plan_.order.directions, 0, values);
    return rank::MergeOrdered(keys, order, page);
  }

  Result<model::RowBatch> MergeGroups() const {
    rank::Aggregator merged({plan_.output.group_by, plan_.output.aggregates}, collection_->schema);
    for (const auto& reply : replies_) RETURN_IF_ERROR(merged.Merge(reply.rows));
    const model::RowBatch groups = merged.Finish();
    model::RowBatch keys{.rows = groups.rows};
    for (const auto& value : plan_.order.values) keys.columns.push_back(*groups.Find(value.field));
    const model::RowBatch* sources[] = {&keys};
    rank::MergedLists lists{.counts = {static_cast<int64_t>(groups.rows)}};
    for (uint32_t row = 0; row < groups.rows; ++row) lists.rows.push_back({0, row});
    rank::SortLists(lists, rank::RowOrder(plan_.order.directions, 0, sources),
                    {.offset = plan_.offset, .limit = plan_.limit});
    const model::RowBatch* batches[] = {&groups};
    return rank::TakeRows(batches, lists.rows);
  }

  const Backends& backends_;
  const service::CallContext& call_;
  const service::QueryCall& query_;
  service::CollectionPtr collection_;
  QueryPlan plan_;
  TimeForm time_form_;
  QueryRequest request_;
  std::vector<QueryReply> replies_;
  int64_t begun_us_ = 0;
};

}  // namespace

Result<QueryResult> QueryPath::Run(const service::CallContext& call,
                                   const service::QueryCall& query) const {
  return Query(backends_, call, query).Run();
}

}  // namespace elanus::proxy
