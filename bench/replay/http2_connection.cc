#include "bench/replay/http2_connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace elanus::bench {
namespace {

enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kResetStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
};
constexpr uint8_t kEndStream = 1;  // and ACK, of settings and pings
constexpr uint8_t kEndHeaders = 4;
constexpr uint8_t kPadded = 8;
constexpr size_t kFrameHead = 9;
constexpr size_t kMessageHead = 5;
constexpr uint32_t kWindowMax = 0x7FFFFFFF;
constexpr size_t kFrameMax = 1u << 20;  // what we take

uint32_t Read32(std::string_view bytes) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return ntohl(value);
}

void Append32(std::string& out, uint32_t value) {
  value = htonl(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendSetting(std::string& out, uint16_t id, uint32_t value) {
  out.push_back(static_cast<char>(id >> 8));
  out.push_back(static_cast<char>(id));
  Append32(out, value);
}

/// An HPACK string without Huffman coding; RFC 7541, 5.2.
void AppendText(std::string& out, std::string_view text) {
  if (text.size() < 127) {
    out.push_back(static_cast<char>(text.size()));
  } else {
    out.push_back(127);
    size_t rest = text.size() - 127;
    for (; rest >= 128; rest /= 128) out.push_back(static_cast<char>(rest % 128 + 128));
    out.push_back(static_cast<char>(rest));
  }
  out.append(text);
}

}  // namespace

Http2Connection::Http2Connection(const Options& options) : options_(options) {}

Http2Connection::~Http2Connection() {
  if (fd_ >= 0) close(fd_);
}

bool Http2Connection::Open() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(options_.port));
  if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1 ||
      connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return false;
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  out_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  std::string settings;
  AppendSetting(settings, 2, 0);  // no pushes
  AppendSetting(settings, 4, kWindowMax);
  AppendSetting(settings, 5, kFrameMax);
  AppendFrame(kSettings, 0, 0, settings);
  std::string grow;
  Append32(grow, kWindowMax - 65'535);
  AppendFrame(kWindowUpdate, 0, 0, grow);
  Flush();
  return !broken_;
}

void Http2Connection::AppendFrame(uint8_t type, uint8_t flags, uint32_t stream,
                                  std::string_view payload) {
  const size_t size = payload.size();
  const char head[] = {static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                       static_cast<char>(size), static_cast<char>(type), static_cast<char>(flags)};
  out_.append(head, sizeof(head));
  Append32(out_, stream);
  out_.append(payload);
}

void Http2Connection::AppendHeaders() {
  std::string block = "\x83\x86";  // :method POST, :scheme http
  const size_t own = 4 + options_.headers.size();
  if (indexed_) {
    // Entry 62 is the newest one.
    for (size_t i = 0; i < own; ++i) block.push_back(static_cast<char>(0x80 + 61 + own - i));
  } else {
    indexed_ = true;
    block.push_back(0x44);  // :path, put into the table as the following
    AppendText(block, options_.path);
    block.push_back(0x41);  // :authority
    AppendText(block, options_.host + ":" + std::to_string(options_.port));
    block.push_back(0x5F);  // content-type
    AppendText(block, "application/grpc");
    block.push_back(0x40);
    AppendText(block, "te");
    AppendText(block, "trailers");
    for (const auto& [name, value] : options_.headers) {
      block.push_back(0x40);
      AppendText(block, name);
      AppendText(block, value);
    }
  }
  AppendFrame(kHeaders, kEndHeaders, stream_, block);
}

void Http2Connection::Send(std::string_view message) {
  stream_ = stream_ == 0 ? 1 : stream_ + 2;
  stream_window_ = stream_window_start_;
  prefix_.assign(1, '\0');  // not compressed
  Append32(prefix_, static_cast<uint32_t>(message.size()));
  message_ = message;
  sent_ = 0;
  reply_.clear();
  ended_ = false;
  AppendHeaders();
  AppendData();
  Flush();
}

void Http2Connection::AppendData() {
  const size_t size = prefix_.size() + message_.size();
  while (sent_ < size) {
    const int64_t allowed = std::min(window_, stream_window_);
    if (allowed <= 0) return;
    const size_t count = std::min({size - sent_, static_cast<size_t>(allowed), frame_max_});
    std::string payload;
    if (sent_ < prefix_.size()) payload = prefix_.substr(sent_, count);
    const size_t of_message = count - payload.size();
    const size_t begin = sent_ + payload.size() - prefix_.size();
    payload.append(message_.substr(begin, of_message));
    sent_ += count;
    window_ -= static_cast<int64_t>(count);
    stream_window_ -= static_cast<int64_t>(count);
    AppendFrame(kData, sent_ == size ? kEndStream : 0, stream_, payload);
  }
}

void Http2Connection::Flush() {
  std::string_view left = out_;
  while (!left.empty()) {
    const ssize_t count = send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      broken_ = true;
      break;
    }
    left.remove_prefix(static_cast<size_t>(count));
  }
  out_.clear();
}

bool Http2Connection::OnReadable() {
  char buffer[1 << 16];
  const ssize_t count = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count <= 0) {
    broken_ = true;
    return !std::exchange(ended_, true);
  }
  const bool was_ended = ended_;
  in_.append(buffer, static_cast<size_t>(count));
  std::string_view left = in_;
  while (left.size() >= kFrameHead) {
    const size_t size = Read32(left.substr(0, 4)) >> 8;
    if (left.size() < kFrameHead + size) break;
    OnFrame(static_cast<uint8_t>(left[3]), static_cast<uint8_t>(left[4]),
            Read32(left.substr(5, 4)) & kWindowMax, left.substr(kFrameHead, size));
    left.remove_prefix(kFrameHead + size);
  }
  in_.erase(0, in_.size() - left.size());
  if (!out_.empty()) Flush();
  return !was_ended && ended_;
}

void Http2Connection::OnFrame(uint8_t type, uint8_t flags, uint32_t stream,
                              std::string_view payload) {
  switch (type) {
    case kData:
      if (stream == stream_) OnData(flags, payload);
      break;
    case kHeaders:
      if (stream == stream_ && (flags & kEndStream) != 0) End();
      break;
    case kResetStream:
      // After the end it only says that the peer reads no more.
      if (stream == stream_ && !ended_) {
        reply_.clear();
        End();
      }
      break;
    case kSettings: OnSettings(flags, payload); break;
    case kPing:
      if ((flags & kEndStream) == 0) AppendFrame(kPing, kEndStream, 0, payload);
      break;
    case kGoAway: broken_ = true; break;
    case kWindowUpdate: OnWindowUpdate(stream, payload); break;
    default: break;
  }
}

void Http2Connection::OnData(uint8_t flags, std::string_view payload) {
  received_ += static_cast<uint32_t>(payload.size());
  if (received_ > kWindowMax / 2) {
    std::string grow;
    Append32(grow, std::exchange(received_, 0));
    AppendFrame(kWindowUpdate, 0, 0, grow);
  }
  if ((flags & kPadded) != 0 && !payload.empty()) {
    const auto padding = static_cast<uint8_t>(payload[0]);
    payload.remove_prefix(1);
    payload.remove_suffix(std::min<size_t>(padding, payload.size()));
  }
  reply_.append(payload);
  if ((flags & kEndStream) != 0) End();
}

void Http2Connection::OnSettings(uint8_t flags, std::string_view payload) {
  if ((flags & kEndStream) != 0) return;
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    const int id = static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
    const uint32_t value = Read32(payload.substr(2, 4));
    if (id == 4) {
      stream_window_ += int64_t{value} - stream_window_start_;
      stream_window_start_ = value;
    } else if (id == 5) {
      frame_max_ = value;
    }
  }
  AppendFrame(kSettings, kEndStream, 0, {});
  if (!ended_) AppendData();
}

void Http2Connection::OnWindowUpdate(uint32_t stream, std::string_view payload) {
  if (payload.size() < 4) return;
  const int64_t more = Read32(payload) & kWindowMax;
  if (stream == 0) window_ += more;
  if (stream == stream_) stream_window_ += more;
  if (!ended_) AppendData();
}

std::string_view Http2Connection::reply() const {
  if (reply_.size() < kMessageHead) return {};
  return std::string_view(reply_).substr(kMessageHead);
}

}  // namespace elanus::bench
