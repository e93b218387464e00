#include "proxy/query_path.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/limits.h"
#include "proxy/output_fields.h"
#include "proxy/query_params.h"
#include "proxy/read_scope.h"
#include "proxy/router.h"
#include "proxy/value_text.h"
#include "rank/merge.h"

namespace elanus::proxy {

namespace {

using service::QueryReply;
using service::QueryRequest;
using service::QueryResult;

model::RowBatch MergeRows(const std::vector<QueryReply>& replies, rank::Slice slice) {
  std::vector<rank::KeyedRows> sources;
  std::vector<const model::RowBatch*> rows;
  for (const auto& reply : replies) {
    sources.push_back({.keys = &reply.keys, .timestamps = reply.timestamps});
    rows.push_back(&reply.rows);
  }
  return rank::TakeRows(rows, rank::MergeByKey(sources, slice));
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
    ASSIGN_OR_RETURN(output_,
                     PlanOutput(collection_->schema, query_.output_fields, ReadKind::kQuery));
    ASSIGN_OR_RETURN(request_.partitions, NamedPartitions(*collection_, query_.partitions));
    ASSIGN_OR_RETURN(time_form_, TimeFormOf(*collection_, query_.params));
    ASSIGN_OR_RETURN(request_.filter,
                     BindFilter(*collection_, query_.filter, query_.templates, time_form_.zone));
    if (output_.count_only && plan_.limit >= 0) {
      return Error(InvalidParameter("count entities with pagination is not allowed"));
    }
    if (request_.filter.root == nullptr && plan_.limit < 0 && !output_.count_only) {
      return Error(InvalidParameter("empty expression should be used with limit"));
    }
    if (Status status = Execute(); !status.ok()) return Error(status.Wrap("failed to query"));
    auto result = Finish();
    if (!result.has_value()) return Error(result.error().Wrap("failed to query"));
    return result;
  }

 private:
  Status Execute() {
    RETURN_IF_ERROR(CheckLoaded(*collection_, output_.fields, request_.partitions));
    request_.collection = collection_->id;
    request_.output_fields = output_.fields;
    request_.count_only = output_.count_only;
    request_.limit = plan_.limit < 0 ? -1 : plan_.limit + plan_.offset;
    request_.ignore_growing = plan_.ignore_growing;
    request_.bytes_max = kReplyBytesMax;
    request_.read =
        ReadPointOf(*collection_, query_.consistency, plan_.iterator, backends_.clock.Next());
    request_.keys = expr::PrimaryKeysOf(request_.filter, collection_->schema);
    ASSIGN_OR_RETURN(replies_, request_.keys.has_value()
                                   ? AskByKey(backends_, *collection_, request_, call_.cancel)
                                   : AskAll(backends_, *collection_, request_, call_.cancel));
    return Status::Ok();
  }

  Result<QueryResult> Finish() {
    QueryResult result{.collection = collection_, .output_fields = output_.names};
    for (const auto& reply : replies_)
      result.session_ts = std::max(result.session_ts, reply.read_at);
    if (output_.count_only) {
      int64_t count = 0;
      for (const auto& reply : replies_) count += reply.count;
      model::Column column = model::MakeColumn(FieldId{}, model::DataType::kInt64);
      column.Append(count);
      result.columns.push_back({.name = output_.names.front(), .column = std::move(column)});
      return result;
    }
    model::RowBatch rows = MergeRows(replies_, {.offset = plan_.offset, .limit = plan_.limit});
    RETURN_IF_ERROR(CheckReplySize(rows));
    result.columns = OutputColumns(collection_->schema, output_, std::move(rows));
    RETURN_IF_ERROR(TellAsText(time_form_, result.columns));
    return result;
  }

  const Backends& backends_;
  const service::CallContext& call_;
  const service::QueryCall& query_;
  service::CollectionPtr collection_;
  QueryPlan plan_;
  OutputPlan output_;
  TimeForm time_form_;
  QueryRequest request_;
  std::vector<QueryReply> replies_;
};

}  // namespace

Result<QueryResult> QueryPath::Run(const service::CallContext& call,
                                   const service::QueryCall& query) const {
  return Query(backends_, call, query).Run();
}

Result<std::vector<QueryReply>> AskByKey(const Backends& backends,
                                         const model::CollectionInfo& collection,
                                         const QueryRequest& request, const Cancel& cancel) {
  std::vector<QueryReply> replies;
  const auto split = SplitByShard(*request.keys, collection.shards.size());
  for (size_t i = 0; i < split.size(); ++i) {
    // One shard is asked even for no key at all: its reply says when it was read.
    if (split[i].empty() && !(request.keys->empty() && i == 0)) continue;
    QueryRequest own = request;
    own.shard = collection.shards[i];
    own.keys = TakeKeys(*request.keys, split[i]);
    ASSIGN_OR_RETURN(auto reply, backends.shards.Query(own, cancel));
    replies.push_back(std::move(reply));
  }
  return replies;
}

Result<std::vector<QueryReply>> AskAll(const Backends& backends,
                                       const model::CollectionInfo& collection,
                                       const QueryRequest& request, const Cancel& cancel) {
  std::vector<QueryReply> replies;
  for (ShardId shard : collection.shards) {
    QueryRequest own = request;
    own.shard = shard;
    ASSIGN_OR_RETURN(auto reply, backends.shards.Query(own, cancel));
    replies.push_back(std::move(reply));
  }
  return replies;
}

}  // namespace elanus::proxy
