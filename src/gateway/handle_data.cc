// Writes and reads of rows: decoded and encoded by request_wire and result_wire, no protobuf.
#include <utility>

#include "gateway/call.h"
#include "gateway/handlers.h"
#include "gateway/request_wire.h"
#include "gateway/result_wire.h"
#include "gateway/services.h"

namespace elanus::gateway::handle {
namespace {

/// Answers a write when the proxy is done with it, on whatever thread that is.
service::MutationDone Answer(CallPtr call, Mutation mutation) {
  return [call = std::move(call), mutation](Result<service::MutationReply> reply) mutable {
    if (!reply) return call->Fail(reply.error());
    call->Reply(Code::kOk, WriteMutationResult(*reply, mutation));
  };
}

void Mutate(const Services& services, CallPtr call, service::MutationKind kind) {
  auto request = ReadMutation(call->request(), kind);
  if (!request) return call->Fail(request.error());
  call->UseDatabase(request->database);
  // A copy: the call itself may be gone before Mutate returns.
  const service::CallContext context = call->context();
  const Mutation mutation =
      kind == service::MutationKind::kInsert ? Mutation::kInsert : Mutation::kUpsert;
  services.data->Mutate(context, std::move(request->call), Answer(std::move(call), mutation));
}

}  // namespace

void Insert(const Services& services, CallPtr call) {
  Mutate(services, std::move(call), service::MutationKind::kInsert);
}

void Upsert(const Services& services, CallPtr call) {
  Mutate(services, std::move(call), service::MutationKind::kUpsert);
}

void Delete(const Services& services, CallPtr call) {
  auto request = ReadDelete(call->request());
  if (!request) return call->Fail(request.error());
  call->UseDatabase(request->database);
  const service::CallContext context = call->context();
  services.data->Delete(context, std::move(request->call),
                        Answer(std::move(call), Mutation::kDelete));
}

void Search(const Services& services, CallPtr call) {
  auto request = ReadSearch(call->request());
  if (!request) return call->Fail(request.error());
  call->UseDatabase(request->database);
  auto result = services.data->Search(call->context(), request->call);
  if (!result) return call->Fail(result.error());
  call->Reply(Code::kOk, WriteSearchResults(*result));
}

void HybridSearch(const Services& services, CallPtr call) {
  auto request = ReadHybridSearch(call->request());
  if (!request) return call->Fail(request.error());
  call->UseDatabase(request->database);
  auto result = services.data->HybridSearch(call->context(), request->call);
  if (!result) return call->Fail(result.error());
  call->Reply(Code::kOk, WriteSearchResults(*result));
}

void Query(const Services& services, CallPtr call) {
  auto request = ReadQuery(call->request());
  if (!request) return call->Fail(request.error());
  call->UseDatabase(request->database);
  auto result = services.data->Query(call->context(), request->call);
  if (!result) return call->Fail(result.error());
  call->Reply(Code::kOk, WriteQueryResults(*result));
}

}  // namespace elanus::gateway::handle
