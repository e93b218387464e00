// One HTTP/2 connection that carries gRPC calls, one at a time, with next to no work of its own: a
// benchmark that shares two cores with the server it measures must not be what it measures.
// Holds: the bytes of a message travel as they are given; header blocks are as short as those of a
// real client (indexed after the first call) and headers of replies are not decoded: a call that
// ends without a message counts as failed. Speaks plain text only.
// Called by replay. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace elanus::bench {

class Http2Connection {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    int port = 0;
    std::string path;  ///< of the method, for example /package.Service/Method
    std::vector<std::pair<std::string, std::string>> headers;
  };

  explicit Http2Connection(const Options& options);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  /// Connects and sends the preface. False: nothing listens there.
  bool Open();
  int fd() const { return fd_; }

  /// Starts a call; the one before must have ended. `message` stays valid until this one has.
  void Send(std::string_view message);

  /// Reads what has come. True when the call ended.
  bool OnReadable();
  /// The reply's message; empty when the call failed. Valid until the next Send.
  std::string_view reply() const;
  /// The peer closed the connection or broke the protocol.
  bool broken() const { return broken_; }

 private:
  void AppendFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);
  void AppendHeaders();
  /// Puts as much of the message into frames as the peer's windows allow.
  void AppendData();
  void Flush();
  void OnFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);
  void OnSettings(uint8_t flags, std::string_view payload);
  void OnData(uint8_t flags, std::string_view payload);
  void OnWindowUpdate(uint32_t stream, std::string_view payload);
  void End() { ended_ = true; }

  const Options options_;
  int fd_ = -1;
  bool broken_ = false;
  std::string out_;
  std::string in_;

  // What the peer said it takes.
  int64_t window_ = 65'535;  // of the connection
  int64_t stream_window_start_ = 65'535;
  size_t frame_max_ = 16'384;

  // The call that is under way.
  uint32_t stream_ = 0;
  bool indexed_ = false;  // the headers are in the peer's table
  int64_t stream_window_ = 0;
  std::string prefix_;  // gRPC's five bytes before the message
  std::string_view message_;
  size_t sent_ = 0;
  std::string reply_;
  bool ended_ = true;
  uint32_t received_ = 0;  // since the last window update
};

}  // namespace elanus::bench
