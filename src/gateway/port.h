// The public port: one listening socket for gRPC and HTTP. Looks at a connection's first bytes
// without taking them, and hands the socket to the server that speaks its language: "PRI" begins
// HTTP/2 and is gRPC, anything else is HTTP/1.1.
// Holds: one thread, no blocking reads; a connection that says nothing is closed when its time is
// up, and at most `undecided_max` of them wait at once (the oldest makes room).
// Called by server/. Threads: Shutdown from any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"

namespace elanus::gateway {

struct PortOptions {
  std::string host = "0.0.0.0";
  int port = 19530;  ///< 0 = any
  std::chrono::milliseconds decide_timeout{10'000};
  size_t undecided_max = 1024;
};

class Port {
 public:
  using Take = std::function<void(int fd)>;  ///< takes over a connected, non-blocking socket

  /// Errors: kUnavailable with the address and the reason.
  static Result<std::unique_ptr<Port>> Listen(const PortOptions& options, Take grpc, Take http);
  ~Port();

  int port() const;
  /// Stops accepting and closes the connections not handed over yet.
  void Shutdown();

 private:
  struct Impl;
  explicit Port(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::gateway
