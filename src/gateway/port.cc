#include "gateway/port.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

namespace elanus::gateway {
namespace {

constexpr std::string_view kHttp2 = "PRI";
// How long accepting pauses when the process has no file descriptors left.
constexpr int64_t kPauseUs = 100'000;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

enum class Speaks { kUnknown, kGrpc, kHttp, kGone };

/// Looks at what a connection sent so far, without taking it.
Speaks Peek(int fd) {
  char bytes[kHttp2.size()];
  const ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
  if (n == 0) return Speaks::kGone;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Speaks::kUnknown : Speaks::kGone;
  const std::string_view seen(bytes, static_cast<size_t>(n));
  if (seen != kHttp2.substr(0, seen.size())) return Speaks::kHttp;
  return seen.size() == kHttp2.size() ? Speaks::kGrpc : Speaks::kUnknown;
}

Status Refused(const PortOptions& options, std::string_view reason) {
  return {Code::kUnavailable,
          fmt::format("cannot listen on {}:{}: {}", options.host, options.port, reason)};
}

Result<Fd> ListeningSocket(const PortOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(options.port);
  if (int error = getaddrinfo(options.host.c_str(), service.c_str(), &hints, &found); error != 0) {
    return Error(Refused(options, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  Fd fd(socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int one = 1;
  // Not SO_REUSEPORT: a second server on this port must be refused, not share its connections.
  if (fd.get() < 0 || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
      bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || listen(fd.get(), 1024) != 0) {
    return Error(Refused(options, std::strerror(errno)));
  }
  return fd;
}

int BoundPort(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  const bool v6 = address.ss_family == AF_INET6;
  return ntohs(v6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                  : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

}  // namespace

struct Port::Impl {
  PortOptions options;
  Take grpc;
  Take http;
  Fd listener;
  Fd epoll{epoll_create1(EPOLL_CLOEXEC)};
  Fd wake{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  int port = 0;
  std::unordered_map<int, Fd> undecided;
  std::deque<std::pair<int64_t, int>> deadlines;  ///< (when, fd) by time; stale ones are skipped
  std::unordered_map<int, int64_t> deadline_of;
  int64_t paused_until_us = 0;
  Thread thread;

  void Watch(int fd, uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
  }
  void Run();
  void AcceptAll();
  void Admit(Fd fd);
  void Decide(int fd);
  void CloseExpired(int64_t until_us);
  int TimeoutMs(int64_t now_us) const;
  bool HandOver(Fd& fd);
};

// True when the connection needs no further watching.
bool Port::Impl::HandOver(Fd& fd) {
  switch (Peek(fd.get())) {
    case Speaks::kUnknown: return false;
    case Speaks::kGone: fd = Fd(); break;
    case Speaks::kGrpc: grpc(fd.Release()); break;
    case Speaks::kHttp: http(fd.Release()); break;
  }
  return true;
}

void Port::Impl::Admit(Fd fd) {
  const int one = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (HandOver(fd)) return;
  // The one that waited longest makes room: silent clients must not shut the door to others.
  while (undecided.size() >= options.undecided_max) CloseExpired(deadlines.front().first);
  const int number = fd.get();
  const int64_t deadline =
      SystemClock().MonotonicUs() + std::chrono::microseconds(options.decide_timeout).count();
  undecided.emplace(number, std::move(fd));
  deadlines.emplace_back(deadline, number);
  deadline_of[number] = deadline;
  // Edge-triggered: bytes that were looked at but not taken must not wake us again.
  Watch(number, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

void Port::Impl::AcceptAll() {
  for (;;) {
    Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() >= 0) {
      Admit(std::move(fd));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      LogWarn("accepting pauses reason={}", std::strerror(errno));
      paused_until_us = SystemClock().MonotonicUs() + kPauseUs;
      epoll_ctl(epoll.get(), EPOLL_CTL_DEL, listener.get(), nullptr);
    }
    return;
  }
}

void Port::Impl::Decide(int fd) {
  auto it = undecided.find(fd);
  if (it == undecided.end()) return;
  // Leaves epoll before another thread owns the socket; back in when there was too little to see.
  if (Peek(fd) == Speaks::kUnknown) return;
  epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
  Fd owned = std::move(it->second);
  undecided.erase(it);
  deadline_of.erase(fd);
  HandOver(owned);
}

// Closes what should have spoken by `until_us`.
void Port::Impl::CloseExpired(int64_t until_us) {
  while (!deadlines.empty() && deadlines.front().first <= until_us) {
    const auto [deadline, fd] = deadlines.front();
    deadlines.pop_front();
    auto it = deadline_of.find(fd);
    // The number may belong to a later connection by now.
    if (it == deadline_of.end() || it->second != deadline) continue;
    deadline_of.erase(it);
    undecided.erase(fd);
  }
  if (paused_until_us != 0 && SystemClock().MonotonicUs() >= paused_until_us) {
    paused_until_us = 0;
    Watch(listener.get(), EPOLLIN);
  }
}

int Port::Impl::TimeoutMs(int64_t now_us) const {
  int64_t next_us = -1;
  if (!deadlines.empty()) next_us = deadlines.front().first;
  if (paused_until_us != 0 && (next_us < 0 || paused_until_us < next_us)) next_us = paused_until_us;
  if (next_us < 0) return -1;
  return next_us <= now_us ? 0 : static_cast<int>((next_us - now_us) / 1000 + 1);
}

void Port::Impl::Run() {
  epoll_event events[64];
  for (;;) {
    const int64_t now_us = SystemClock().MonotonicUs();
    const int n = epoll_wait(epoll.get(), events, 64, TimeoutMs(now_us));
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake.get()) return;
      if (fd == listener.get()) {
        AcceptAll();
      } else {
        Decide(fd);
      }
    }
    CloseExpired(SystemClock().MonotonicUs());
  }
}

Result<std::unique_ptr<Port>> Port::Listen(const PortOptions& options, Take grpc, Take http) {
  ASSIGN_OR_RETURN(Fd listener, ListeningSocket(options));
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->grpc = std::move(grpc);
  impl->http = std::move(http);
  impl->listener = std::move(listener);
  impl->port = BoundPort(impl->listener.get());
  impl->Watch(impl->listener.get(), EPOLLIN);
  impl->Watch(impl->wake.get(), EPOLLIN);
  impl->thread = Thread("port", [raw = impl.get()] { raw->Run(); });
  return std::unique_ptr<Port>(new Port(std::move(impl)));
}

Port::Port(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Port::~Port() { Shutdown(); }

int Port::port() const { return impl_->port; }

void Port::Shutdown() {
  if (!impl_->thread.joinable()) return;
  const uint64_t one = 1;
  // Cannot fail: the counter is far from its maximum.
  (void)!write(impl_->wake.get(), &one, sizeof(one));
  impl_->thread.Join();
  impl_->undecided.clear();
  impl_->listener = Fd();
}

}  // namespace elanus::gateway
