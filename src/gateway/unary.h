// A handler made of protobuf messages: parse the request, call a function of it, answer. For the
// calls whose bytes are few; Insert, Upsert, Search and Query have their own codec.
// Called by handle_*.cc only: whoever includes this pays for milvus.pb.h (precompiled in this
// room).
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "common.pb.h"
#include "gateway/call.h"
#include "gateway/status_wire.h"

namespace elanus::gateway {

namespace pb = milvus::proto;

/// Fills common.Status; an ok status leaves it empty (but present).
void FillStatus(const Status& status, pb::common::Status& out);

/// The status of a reply: the reply itself when it is a common.Status.
inline pb::common::Status& StatusIn(pb::common::Status& reply) { return reply; }
template <class Reply>
  requires requires(Reply& r) { r.mutable_status(); }
pb::common::Status& StatusIn(Reply& reply) {
  return *reply.mutable_status();
}
/// Of the one reply that names it otherwise.
template <class Reply>
  requires requires(Reply& r) { r.mutable_alter_status(); }
pb::common::Status& StatusIn(Reply& reply) {
  return *reply.mutable_alter_status();
}

template <class Message>
Status ParseRequest(const Call& call, Message& request) {
  std::string storage;
  std::string_view bytes = call.ContiguousRequest(storage);
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return InvalidParameter("the request is not a readable " + request.GetTypeName());
  }
  return Status::Ok();
}

/// Answers with a message: its status is filled here, present even when ok.
template <class Reply>
void SendReply(Call& call, const Status& status, Reply& reply) {
  FillStatus(status, StatusIn(reply));
  std::string bytes;
  if (!reply.SerializeToString(&bytes)) {
    return call.Fail(Status(Code::kInternal, "the reply is too large: service internal error"));
  }
  call.Reply(status.code(), std::move(bytes));
}

/// Parses a Request, runs `body(request, call, reply) -> Status`, answers.
template <class Request, class Reply, class Body>
void Unary(Call& call, Body&& body) {
  Request request;
  if (Status status = ParseRequest(call, request); !status.ok()) return call.Fail(status);
  if constexpr (requires { request.db_name(); }) call.UseDatabase(request.db_name());
  Reply reply;
  Status status;
  try {
    status = body(std::as_const(request), call, reply);
  } catch (const std::exception& e) {
    status = Status(Code::kInternal, std::string(e.what()) + ": service internal error");
  }
  // A failed call carries its status alone.
  if (!status.ok()) return call.Fail(status);
  SendReply(call, status, reply);
}

}  // namespace elanus::gateway
