// Milvus' gRPC surface: one generic callback service that hands every call to the Gateway.
// Holds: gRPC's threads only move bytes; methods without a handler answer UNIMPLEMENTED with their
// own name. Called by server/. Threads: Shutdown once, from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "gateway/gateway.h"

namespace elanus::gateway {

struct GrpcServerOptions {
  /// host:port to listen on; empty = connections come through Adopt only. Port 0 = any.
  std::string address;
  int receive_bytes_max = 128 << 20;
  int send_bytes_max = 256 << 20;
};

class GrpcServer {
 public:
  static Result<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                   Gateway& gateway);
  ~GrpcServer();

  /// The port listened on; 0 when the address was empty.
  int port() const;
  /// Takes over a connected socket whose first bytes were not read yet.
  void Adopt(int fd);
  /// Takes no new calls, lets running ones end until `grace` has passed, then cancels them.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::gateway
