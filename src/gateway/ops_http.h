// The port of the operators: /healthz, /livez, /metrics. No authentication: it listens on loopback
// unless told otherwise. Called by server/.
#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "gateway/http_server.h"

namespace elanus::gateway {

class OpsServer {
 public:
  /// \param registry  outlives the server
  OpsServer(const MetricRegistry& registry, std::function<Status()> health);

  Result<int> Listen(const std::string& host, int port) { return http_.Listen(host, port); }
  void Shutdown() { http_.Shutdown(); }

 private:
  HttpReply Answer(const HttpRequest& request) const;

  const MetricRegistry& registry_;
  const std::function<Status()> health_;  ///< ok while the server can serve
  HttpServer http_;
};

}  // namespace elanus::gateway
