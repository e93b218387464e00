// The chain that every call passes, gRPC or REST alike: database, identity, deadline, admission,
// then its handler on a pool of ours, then metrics and the access log. Nothing of it blocks or
// computes on the transport's threads.
// Holds: a full queue or too many request bytes in flight answer code 4; no exception leaves a
// handler (code 5); a call that expired while it waited is answered without work.
// Called by grpc_server and rest_server. Threads: Start from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "gateway/call.h"
#include "gateway/rpc_table.h"
#include "gateway/services.h"

namespace elanus::gateway {

struct GatewayOptions {
  size_t data_threads = 2;     ///< writes and reads: they compute
  size_t control_threads = 4;  ///< everything else: it may wait for I/O
  size_t queue_max = 1024;     ///< calls that wait, in each pool (Milvus: proxy.maxTaskNum)
  size_t request_bytes_max = 512u << 20;  ///< of calls between arrival and reply
  /// Told of every finished call; may be empty. Must be quick.
  std::function<void(const Call&, const CallRecord&)> access_log;
};

/// What a transport knows of a call when it begins.
struct CallHeaders {
  std::string_view database;       ///< header `dbname`
  std::string_view authorization;  ///< base64 of user:password or of an API key
  std::string_view identifier;
  std::string_view request_id;
};

class Gateway {
 public:
  Gateway(GatewayOptions options, Services services, MetricRegistry& metrics);
  /// Waits for the calls that are under way: none may be answered by a gateway that is gone.
  ~Gateway();

  /// Takes a call through the chain; its reply goes to `transport`, at once when it is refused.
  /// `rpc` must have a handler.
  void Start(const RpcInfo& rpc, std::shared_ptr<Transport> transport, const CallHeaders& headers,
             Cancel cancel);
  /// The same with a handler other than the RPC's own: REST routes.
  void Start(const RpcInfo& rpc, std::shared_ptr<Transport> transport, const CallHeaders& headers,
             Cancel cancel, std::move_only_function<void(const Services&, CallPtr)> handler);

  size_t request_bytes_in_flight() const { return bytes_in_flight_.load(); }
  const Services& services() const { return services_; }

 private:
  struct RpcMetrics;

  void OnReply(const Call& call, const CallRecord& record) EXCLUDES(mutex_);
  void Run(CallPtr call, std::move_only_function<void(const Services&, CallPtr)>& handler);

  const GatewayOptions options_;
  const Services services_;
  std::vector<std::unique_ptr<RpcMetrics>> rpc_metrics_;  ///< as RpcTable(); null: not served
  Counter& refused_;
  std::atomic<size_t> bytes_in_flight_{0};
  std::atomic<int64_t> calls_{0};  ///< between Start and the end of OnReply
  Mutex mutex_;
  CondVar idle_;
  std::unique_ptr<Executor> control_;
  std::unique_ptr<Executor> data_;
};

/// The user of an authorization header; empty when there is none or it is no user:password.
std::string UserOfAuthorization(std::string_view authorization);

}  // namespace elanus::gateway
