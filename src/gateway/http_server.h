// HTTP/1.1 on sockets that someone accepted: parses requests, writes replies, nothing more. One
// thread moves the bytes; whoever handles a request answers it later from any thread.
// Holds: headers, bodies, waiting times and connections are bounded; a slow or silent client costs
// one socket until its time is up. Boost.Beast is seen by http_server.cc alone.
// Called by port.h (shared port) and server/ (metrics port). Threads: Adopt and replies from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace elanus::gateway {

struct HttpRequest {
  std::string method;
  std::string path;  ///< without the query part
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The first header of that name, in any case; empty when there is none.
  std::string_view Header(std::string_view name) const;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpServerOptions {
  std::string name = "http";  ///< of its thread
  size_t body_bytes_max = 128u << 20;
  uint32_t header_bytes_max = 64u << 10;
  size_t connections_max = 4096;
  /// For one request to arrive, from its first wait to its last byte, and for a reply to leave.
  std::chrono::milliseconds transfer_timeout{60'000};
};

class HttpServer {
 public:
  /// Answers once, from any thread. Dropping it closes the connection.
  using Respond = std::move_only_function<void(HttpReply)>;
  /// Called on the server's thread: must not block.
  using Handler = std::function<void(HttpRequest, Respond)>;

  HttpServer(HttpServerOptions options, Handler handler);
  ~HttpServer();

  /// Takes over a connected socket.
  void Adopt(int fd);
  /// Accepts connections of its own; port 0 = any. Returns the port.
  Result<int> Listen(const std::string& host, int port);
  /// Closes all connections and ends the thread; replies that come later are dropped.
  void Shutdown();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  ///< shared with replies that are still out
};

}  // namespace elanus::gateway
