// Sends the request bytes of a real client again, over some connections at once, each with one call
// under way, and says how fast they were answered and what processor time the server took for it.
//   replay --port P --path /package.Service/Method --requests FILE
//          [--clients 8] [--seconds 10] [--server PID] [--replies FILE] [--header name=value]…
// FILE holds messages: uint32 length (little endian), bytes. First every request is sent once, not
// timed; then they are sent round and round for --seconds. With --seconds 0 they are sent once, and
// timed. The last reply to each goes to --replies in the same form and order (length 0: failed).
// One line of JSON comes out. --server counts all processes of the session that PID leads.
#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/http2_connection.h"

namespace elanus::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  Http2Connection::Options connection;
  std::string requests, replies;
  size_t clients = 8;
  double seconds = 10;
  int server = 0;
};

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "replay: {}\n", why);
  std::exit(1);
}

double Number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    Die(fmt::format("{} is not a number", text));
  }
  return value;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--port") {
      options.connection.port = static_cast<int>(Number(value));
    } else if (name == "--path") {
      options.connection.path = value;
    } else if (name == "--header") {
      const size_t equals = std::min(value.find('='), value.size() - 1);
      options.connection.headers.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    } else if (name == "--requests") {
      options.requests = value;
    } else if (name == "--replies") {
      options.replies = value;
    } else if (name == "--clients") {
      options.clients = static_cast<size_t>(Number(value));
    } else if (name == "--seconds") {
      options.seconds = Number(value);
    } else if (name == "--server") {
      options.server = static_cast<int>(Number(value));
    } else {
      Die(fmt::format("unknown option {}", name));
    }
  }
  if (options.connection.port == 0 || options.connection.path.empty() || options.requests.empty()) {
    Die("--port, --path and --requests are needed");
  }
  return options;
}

std::vector<std::string> ReadMessages(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> messages;
  uint32_t size = 0;
  while (file.read(reinterpret_cast<char*>(&size), sizeof(size))) {
    std::string& message = messages.emplace_back(size, '\0');
    if (!file.read(message.data(), size)) Die(path + " ends inside a message");
  }
  if (messages.empty()) Die(path + " holds no message");
  return messages;
}

void WriteMessages(const std::string& path, const std::vector<std::string>& messages) {
  std::ofstream file(path, std::ios::binary);
  for (const std::string& message : messages) {
    const auto size = static_cast<uint32_t>(message.size());
    file.write(reinterpret_cast<const char*>(&size), sizeof(size));
    file.write(message.data(), size);
  }
  if (!file.flush()) Die("cannot write " + path);
}

/// User and system time of every process of a session, from /proc.
double SessionCpuSeconds(int leader) {
  namespace fs = std::filesystem;
  uint64_t ticks = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string text(std::istreambuf_iterator<char>(file), {});
    const size_t after_name = text.rfind(')');
    if (after_name == std::string::npos) continue;  // gone meanwhile
    int session = 0;
    unsigned long long user = 0, system = 0;
    // state ppid pgrp session, seven more, utime stime
    std::sscanf(text.c_str() + after_name + 1,
                " %*c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &session, &user, &system);
    if (session == leader) ticks += user + system;
  }
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The connections and the calls under way on them.
class Clients {
 public:
  Clients(const Options& options, const std::vector<std::string>& requests)
      : requests_(requests), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (size_t i = 0; i < options.clients; ++i) {
      clients_.push_back({std::make_unique<Http2Connection>(options.connection)});
      Http2Connection& connection = *clients_.back().connection;
      if (!connection.Open()) Die(fmt::format("nothing listens on {}", options.connection.port));
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd(), &event);
    }
  }
  ~Clients() { close(epoll_); }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Sends while next() gives a request's number; done(number, reply, seconds) for each reply.
  template <class Next, class Done>
  void Run(Next&& next, Done&& done) {
    size_t busy = 0;
    const auto start = [&](Client& client) {
      const std::optional<size_t> number = next();
      if (!number) return false;
      client.request = *number;
      client.began = Clock::now();
      client.connection->Send(requests_[*number]);
      return true;
    };
    for (Client& client : clients_) busy += start(client) ? 1 : 0;
    while (busy != 0) {
      epoll_event events[64];
      const int count = epoll_wait(epoll_, events, 64, 60'000);
      if (count == 0) Die("no reply within a minute");
      for (int i = 0; i < count; ++i) {
        Client& client = clients_[events[i].data.u64];
        const bool ended = client.connection->OnReadable();
        if (client.connection->broken()) Die("the server closed a connection");
        if (!ended) continue;
        const std::chrono::duration<double> took = Clock::now() - client.began;
        done(client.request, client.connection->reply(), took.count());
        if (!start(client)) --busy;
      }
    }
  }

 private:
  struct Client {
    std::unique_ptr<Http2Connection> connection;
    size_t request = 0;
    Clock::time_point began{};
  };
  const std::vector<std::string>& requests_;
  const int epoll_;
  std::vector<Client> clients_;
};

/// Milliseconds that a share of the calls took at most.
double Percentile(const std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[at]) * 1000;
}

void Measure(Clients& clients, const Options& options, std::vector<std::string>& replies) {
  std::vector<float> seconds;
  seconds.reserve(1 << 20);
  size_t failed = 0, sent = 0;
  const double server_cpu = options.server == 0 ? 0 : SessionCpuSeconds(options.server);
  const double own_cpu = OwnCpuSeconds();
  const auto began = Clock::now();
  const auto end = began + std::chrono::duration<double>(options.seconds);
  clients.Run(
      [&]() -> std::optional<size_t> {
        const bool over = options.seconds == 0 ? sent == replies.size() : Clock::now() >= end;
        if (over) return std::nullopt;
        return sent++ % replies.size();
      },
      [&](size_t number, std::string_view reply, double took) {
        replies[number] = reply;
        failed += reply.empty() ? 1 : 0;
        seconds.push_back(static_cast<float>(took));
      });
  const std::chrono::duration<double> took = Clock::now() - began;
  const double count = std::max<double>(1, static_cast<double>(seconds.size()));
  const double own_us = (OwnCpuSeconds() - own_cpu) / count * 1e6;
  const double server_us =
      options.server == 0 ? 0 : (SessionCpuSeconds(options.server) - server_cpu) / count * 1e6;
  std::sort(seconds.begin(), seconds.end());
  fmt::print(
      "{{\"calls\": {}, \"failed\": {}, \"seconds\": {:.3f}, \"qps\": {:.1f}, \"p50_ms\": {:.4f}, "
      "\"p99_ms\": {:.4f}, "
      "\"server_cpu_us\": {:.1f}, \"client_cpu_us\": {:.1f}}}\n",
      seconds.size(), failed, took.count(), count / took.count(), Percentile(seconds, .5),
      Percentile(seconds, .99), server_us, own_us);
}

/// Sends every request once: a server answers its first calls more slowly than the others.
void WarmUp(Clients& clients, std::vector<std::string>& replies) {
  size_t sent = 0;
  clients.Run(
      [&]() -> std::optional<size_t> {
        if (sent == replies.size()) return std::nullopt;
        return sent++;
      },
      [&](size_t number, std::string_view reply, double) { replies[number] = reply; });
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const std::vector<std::string> requests = ReadMessages(options.requests);
  Clients clients(options, requests);
  std::vector<std::string> replies(requests.size());
  if (options.seconds > 0) WarmUp(clients, replies);
  Measure(clients, options, replies);
  if (!options.replies.empty()) WriteMessages(options.replies, replies);
  return 0;
}

}  // namespace
}  // namespace elanus::bench

int main(int argc, char** argv) { return elanus::bench::Main(argc, argv); }
