#include "gateway/grpc_server.h"

#include <absl/synchronization/mutex.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <stop_token>
#include <utility>
#include <vector>

namespace elanus::gateway {
namespace {

std::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

int64_t DeadlineUs(const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  // check: allow system_clock: gRPC gives deadlines on it
  if (deadline == std::chrono::system_clock::time_point::max()) return Cancel::kNoDeadline;
  // check: allow system_clock: gRPC gives deadlines on it
  const auto left = deadline - std::chrono::system_clock::now();
  return SystemClock().MonotonicUs() +
         std::chrono::duration_cast<std::chrono::microseconds>(left).count();
}

CallHeaders HeadersOf(const grpc::CallbackServerContext& context) {
  CallHeaders headers;
  for (const auto& [key, value] : context.client_metadata()) {
    const std::string_view name = View(key);
    if (name == "dbname") {
      headers.database = View(value);
    } else if (name == "authorization") {
      headers.authorization = View(value);
    } else if (name == "identifier") {
      headers.identifier = View(value);
    } else if (name == "client-request-id" || name == "client_request_id") {
      headers.request_id = View(value);
    }
  }
  return headers;
}

void FreeReply(void* reply) { delete static_cast<std::string*>(reply); }

/// The bytes as a gRPC buffer, without a copy.
grpc::ByteBuffer BufferOf(std::string bytes) {
  auto* reply = new std::string(std::move(bytes));
  grpc::Slice slice(reply->data(), reply->size(), FreeReply, reply);
  return grpc::ByteBuffer(&slice, 1);
}

// One unary call. Lives until gRPC is done with it and the Call that answers it is gone.
class UnaryReactor final : public grpc::ServerGenericBidiReactor, public Transport {
 public:
  /// Made with `new` only: gRPC keeps a raw pointer, so the reactor holds itself until OnDone.
  UnaryReactor(Gateway& gateway, const RpcInfo& rpc, grpc::GenericCallbackServerContext& context,
               int send_bytes_max)
      : gateway_(gateway), rpc_(rpc), context_(context), send_bytes_max_(send_bytes_max) {
    self_.reset(this);
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    // Nothing to read: the client went away or its message was too large, of which gRPC told it.
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no request message"));
    std::vector<grpc::Slice> slices;
    if (!request_.Dump(&slices).ok()) {
      return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "request is not readable"));
    }
    slices_ = std::move(slices);
    for (const grpc::Slice& slice : slices_) {
      pieces_.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    Cancel cancel{.stop = stop_.get_token(), .deadline_us = DeadlineUs(context_)};
    gateway_.Start(rpc_, self_, HeadersOf(context_), std::move(cancel));
  }
  void OnCancel() override { stop_.request_stop(); }
  void OnDone() override { self_.reset(); }
  // OnDone and OnCancel do next to nothing: they need no thread of their own, which would be one
  // more switch a call.
  bool InternalInlineable() override { return true; }

  std::span<const std::string_view> request() const override { return pieces_; }
  std::string peer() const override { return context_.peer(); }
  void Send(std::string reply) override {
    if (reply.size() > static_cast<size_t>(send_bytes_max_)) {
      return Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                                 "trying to send message larger than max"));
    }
    reply_ = BufferOf(std::move(reply));
    StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
  }

 private:
  Gateway& gateway_;
  const RpcInfo& rpc_;
  grpc::GenericCallbackServerContext& context_;
  const int send_bytes_max_;
  std::shared_ptr<UnaryReactor> self_;
  std::stop_source stop_;
  grpc::ByteBuffer request_;
  std::vector<grpc::Slice> slices_;
  std::vector<std::string_view> pieces_;
  grpc::ByteBuffer reply_;
};

// Answers with a gRPC status and nothing else.
class RefusingReactor final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusingReactor(grpc::Status status) { Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

class MilvusService final : public grpc::CallbackGenericService {
 public:
  MilvusService(Gateway& gateway, int send_bytes_max)
      : gateway_(gateway), send_bytes_max_(send_bytes_max) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    const RpcInfo* rpc = FindRpc(context->method());
    if (rpc == nullptr || !rpc->works()) {
      const std::string& path = context->method();
      std::string name = path.substr(path.rfind('/') + 1);
      return new RefusingReactor(
          grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "method " + name + " not implemented"));
    }
    return new UnaryReactor(gateway_, *rpc, *context, send_bytes_max_);
  }

 private:
  Gateway& gateway_;
  const int send_bytes_max_;
};

void SetLimits(grpc::ServerBuilder& builder, const GrpcServerOptions& options) {
  builder.SetMaxReceiveMessageSize(options.receive_bytes_max);
  builder.SetMaxSendMessageSize(options.send_bytes_max);
  // pymilvus pings every 10 s, idle or not; a default server would answer GOAWAY after 40 s.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // Two servers on one port would share its connections in silence.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

struct GrpcServer::Impl {
  Impl(Gateway& gateway, int send_bytes_max) : service(gateway, send_bytes_max) {}

  MilvusService service;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                      Gateway& gateway) {
  // Debian's abseil is built with its checks: every lock that gRPC takes would be looked up in a
  // graph of locks, a tenth of the cost of a call.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto impl = std::make_unique<Impl>(gateway, options.send_bytes_max);
  grpc::ServerBuilder builder;
  SetLimits(builder, options);
  auto credentials = grpc::InsecureServerCredentials();
  if (options.address.empty()) {
    impl->acceptor = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  } else {
    builder.AddListeningPort(options.address, credentials, &impl->port);
  }
  builder.RegisterCallbackGenericService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || (!options.address.empty() && impl->port == 0)) {
    return Error(Code::kUnavailable,
                 "cannot listen on " + options.address + ": is another server using the port?");
  }
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcServer::~GrpcServer() { Shutdown(std::chrono::milliseconds(0)); }

int GrpcServer::port() const { return impl_->port; }

void GrpcServer::Adopt(int fd) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = fd;
  impl_->acceptor->HandleNewConnection(&connection);
}

void GrpcServer::Shutdown(std::chrono::milliseconds grace) {
  if (impl_->server == nullptr) return;
  // check: allow system_clock: gRPC takes deadlines on it
  impl_->server->Shutdown(std::chrono::system_clock::now() + grace);
  impl_->server->Wait();
  impl_->server.reset();
}

}  // namespace elanus::gateway
