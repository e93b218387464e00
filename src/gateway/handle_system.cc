// Connection, version, health: what clients ask before and beside their data.
#include "gateway/handlers.h"
#include "gateway/services.h"
#include "gateway/unary.h"
#include "milvus.pb.h"

namespace elanus::gateway::handle {

void Connect(const Services& services, CallPtr call) {
  Unary<pb::milvus::ConnectRequest, pb::milvus::ConnectResponse>(
      *call, [&](const auto&, Call& current, auto& reply) -> Status {
        // A client that names a database on its connection learns here that it does not exist.
        RETURN_IF_ERROR(StatusOf(services.catalog->DescribeDatabase(current.context().database)));
        reply.set_identifier(static_cast<int64_t>(services.catalog->AllocTimestamp()));
        auto& info = *reply.mutable_server_info();
        info.set_build_tags(services.version);
        info.set_deploy_mode(services.deploy_mode);
        return Status::Ok();
      });
}

void GetVersion(const Services& services, CallPtr call) {
  Unary<pb::milvus::GetVersionRequest, pb::milvus::GetVersionResponse>(
      *call, [&](const auto&, Call&, auto& reply) {
        reply.set_version(services.version);
        return Status::Ok();
      });
}

void CheckHealth(const Services&, CallPtr call) {
  Unary<pb::milvus::CheckHealthRequest, pb::milvus::CheckHealthResponse>(
      *call, [&](const auto&, Call&, auto& reply) {
        reply.set_ishealthy(true);
        return Status::Ok();
      });
}

void AllocTimestamp(const Services& services, CallPtr call) {
  Unary<pb::milvus::AllocTimestampRequest, pb::milvus::AllocTimestampResponse>(
      *call, [&](const auto&, Call&, auto& reply) {
        reply.set_timestamp(services.catalog->AllocTimestamp());
        return Status::Ok();
      });
}

void GetComponentStates(const Services&, CallPtr call) {
  Unary<pb::milvus::GetComponentStatesRequest, pb::milvus::ComponentStates>(
      *call, [&](const auto&, Call&, auto& reply) {
        auto& state = *reply.mutable_state();
        state.set_nodeid(1);
        state.set_role("standalone");
        state.set_state_code(pb::common::StateCode::Healthy);
        return Status::Ok();
      });
}

void HealthCheck(const Services&, CallPtr call) {
  // grpc.health.v1.HealthCheckResponse{status: SERVING}
  call->Reply(Code::kOk, std::string("\x08\x01", 2));
}

}  // namespace elanus::gateway::handle
