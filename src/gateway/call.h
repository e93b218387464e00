// One call on its way through the gateway: request bytes in, one reply out.
// Holds: exactly one reply is sent; a Call that is dropped without one answers code 5, so that no
// client waits for ever. The request bytes stay valid until the reply.
// Called by handlers; made by gateway.h. Threads: one at a time; it may move between threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "gateway/rpc_table.h"
#include "service/call.h"

namespace elanus::gateway {

/// Where a call came from and where its reply goes: a gRPC stream, an HTTP request, a test.
class Transport {
 public:
  virtual ~Transport() = default;
  /// The request in pieces, in order; valid while the transport lives.
  virtual std::span<const std::string_view> request() const = 0;
  /// Sends the reply; called once, from any thread.
  virtual void Send(std::string reply) = 0;
  /// The bytes of a reply that carries nothing but an error; protobuf unless overridden.
  virtual std::string EncodeError(const RpcInfo& rpc, const Status& status);
  virtual std::string peer() const { return {}; }
};

/// What is known of a finished call, for metrics and the access log.
struct CallRecord {
  const RpcInfo* rpc = nullptr;
  Code code = Code::kOk;
  uint64_t latency_us = 0;
  size_t request_bytes = 0;
  size_t reply_bytes = 0;
};

class Call {
 public:
  using OnReply = std::function<void(const Call&, const CallRecord&)>;

  /// \param on_reply  told once, just before the reply is sent
  Call(const RpcInfo& rpc, std::shared_ptr<Transport> transport, service::CallContext context,
       int64_t started_us, OnReply on_reply);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const RpcInfo& rpc() const { return rpc_; }
  std::span<const std::string_view> request() const { return transport_->request(); }
  size_t request_bytes() const { return request_bytes_; }
  /// The request in one piece: a view when it came so, else a copy kept in `storage`.
  std::string_view ContiguousRequest(std::string& storage) const;
  const service::CallContext& context() const { return context_; }
  /// The database a request names wins over the one of the connection's header.
  void UseDatabase(const std::string& name) {
    if (!name.empty()) context_.database = name;
  }
  std::string peer() const { return transport_->peer(); }
  /// The connection's number, as Connect gave it; 0 when the client sent none.
  int64_t client_id = 0;

  /// Sends the reply's bytes. \param outcome  only for metrics and the log
  void Reply(Code outcome, std::string bytes);
  /// Sends a reply that carries nothing but the status.
  void Fail(const Status& status);
  bool replied() const { return replied_; }

 private:
  const RpcInfo& rpc_;
  std::shared_ptr<Transport> transport_;
  service::CallContext context_;
  const int64_t started_us_;
  OnReply on_reply_;
  size_t request_bytes_ = 0;
  bool replied_ = false;
};

}  // namespace elanus::gateway
