// Indexes: what is wanted, and how far it is built.
#include "gateway/handlers.h"
#include "gateway/schema_wire.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"

namespace elanus::gateway::handle {
namespace {

pb::common::IndexState StateOf(const service::IndexDescription& index) {
  if (!index.fail_reason.empty()) return pb::common::IndexState::Failed;
  return index.finished ? pb::common::IndexState::Finished : pb::common::IndexState::InProgress;
}

void FillIndex(const service::IndexDescription& index, pb::milvus::IndexDescription& out) {
  out.set_index_name(index.info.name);
  out.set_indexid(index.info.id.value);
  PairsToPb(index.info.params, *out.mutable_params());
  out.set_field_name(index.field_name);
  out.set_indexed_rows(index.indexed_rows);
  out.set_total_rows(index.total_rows);
  out.set_pending_index_rows(index.pending_rows);
  out.set_state(StateOf(index));
  out.set_index_state_fail_reason(index.fail_reason);
}

/// The indexes a request means; never an empty list: kIndexNotFound instead.
template <class Request>
Result<std::vector<service::IndexDescription>> Find(const Services& services, const Call& call,
                                                    const Request& request,
                                                    const std::string& field) {
  ASSIGN_OR_RETURN(auto found,
                   services.catalog->DescribeIndex(call.context(), request.collection_name(), field,
                                                   request.index_name()));
  if (found.empty()) {
    return Error(Code::kIndexNotFound,
                 "index not found[collection=" + request.collection_name() + "]");
  }
  return found;
}

}  // namespace

void CreateIndex(const Services& services, CallPtr call) {
  Unary<pb::milvus::CreateIndexRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) -> Status {
        ASSIGN_OR_RETURN(auto params, IndexParamsFromPb(request.extra_params()));
        return services.catalog->Ddl(current.context(),
                                     service::CreateIndex{.database = current.context().database,
                                                          .collection = request.collection_name(),
                                                          .field = request.field_name(),
                                                          .index_name = request.index_name(),
                                                          .params = std::move(params)});
      });
}

void AlterIndex(const Services& services, CallPtr call) {
  Unary<pb::milvus::AlterIndexRequest, pb::common::Status>(
      *call, [&](const auto& request, Call& current, auto&) -> Status {
        service::AlterIndex change{.database = current.context().database,
                                   .collection = request.collection_name(),
                                   .index_name = request.index_name(),
                                   .params = PairsFromPb(request.extra_params())};
        change.delete_keys = {request.delete_keys().begin(), request.delete_keys().end()};
        return services.catalog->Ddl(current.context(), std::move(change));
      });
}

void DropIndex(const Services& services, CallPtr call) {
  Unary<pb::milvus::DropIndexRequest, pb::common::Status>(*call, [&](const auto& request,
                                                                     Call& current, auto&) {
    return services.catalog->Ddl(
        current.context(), service::DropIndex{current.context().database, request.collection_name(),
                                              request.field_name(), request.index_name()});
  });
}

void DescribeIndex(const Services& services, CallPtr call) {
  Unary<pb::milvus::DescribeIndexRequest, pb::milvus::DescribeIndexResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto found, Find(services, current, request, request.field_name()));
        for (const auto& index : found) FillIndex(index, *reply.add_index_descriptions());
        return Status::Ok();
      });
}

void GetIndexStatistics(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetIndexStatisticsRequest, pb::milvus::GetIndexStatisticsResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto found, Find(services, current, request, {}));
        for (const auto& index : found) FillIndex(index, *reply.add_index_descriptions());
        return Status::Ok();
      });
}

void GetIndexState(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetIndexStateRequest, pb::milvus::GetIndexStateResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto found, Find(services, current, request, request.field_name()));
        reply.set_state(StateOf(found.front()));
        reply.set_fail_reason(found.front().fail_reason);
        return Status::Ok();
      });
}

void GetIndexBuildProgress(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetIndexBuildProgressRequest, pb::milvus::GetIndexBuildProgressResponse>(
      *call, [&](const auto& request, Call& current, auto& reply) -> Status {
        ASSIGN_OR_RETURN(auto found, Find(services, current, request, request.field_name()));
        reply.set_indexed_rows(found.front().indexed_rows);
        reply.set_total_rows(found.front().total_rows);
        return Status::Ok();
      });
}

}  // namespace elanus::gateway::handle
