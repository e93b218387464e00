// The command line: `elanus serve …`. Only this room reads flags, files and the environment.
#include <fmt/core.h>
#include <signal.h>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "base/program_pages.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "gateway/http_server.h"
#include "gateway/ops_http.h"
#include "gateway/port.h"
#include "gateway/rest_api.h"
#include "gateway/rpc_page.h"
#include "server/config.h"
#include "server/gauges.h"
#include "server/health.h"
#include "server/standalone.h"

// jemalloc reads this before main: memory freed by a flush, merge or build goes back to the system
// within a second, by a thread of its own, and not only when somebody happens to allocate.
extern "C" {
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4";
}

namespace elanus {
namespace {

constexpr const char* kVersion = "2.6.6-elanus";

struct ServeFlags {
  std::string data = "./elanus-data";
  std::string host = "0.0.0.0";
  int port = 19530;
  int metrics_port = 9091;
  std::string config;
};

int Fail(const Status& status) {
  fmt::print(stderr, "elanus: {}\n", status.message());
  return 1;
}

/// Blocks the signals that end the server before any thread starts, so that only sigwait sees them.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int Serve(const ServeFlags& flags) {
  const int64_t started_us = SystemClock().MonotonicUs();
  const sigset_t signals = BlockEndSignals();
  Config config;
  if (!flags.config.empty()) {
    auto read = Config::FromFile(flags.config);
    if (!read.has_value()) return Fail(read.error());
    config = std::move(*read);
    if (config.Number("server.log_debug") != 0) SetLogLevel(LogLevel::kDebug);
    for (const std::string& warning : config.warnings()) LogWarn("config {}", warning);
  }
  // Up first, so that a long recovery can be told from a dead server.
  Health health;
  gateway::OpsServer ops(ProcessMetrics(), [&] { return health.Check(); });
  auto ops_port = ops.Listen("127.0.0.1", flags.metrics_port);
  auto standalone = Standalone::Open(PosixFileSystem(), flags.data, config);
  if (!standalone.has_value()) return Fail(standalone.error());  // a folder in use is told first
  if (!ops_port.has_value()) return Fail(ops_port.error());
  const Gauges gauges(ProcessMetrics(), **standalone);

  gateway::Gateway gateway(
      {.data_threads = DataThreads(config),
       .queue_max = static_cast<size_t>(config.Number("gateway.queue_max")),
       .request_bytes_max = static_cast<size_t>(config.Number("gateway.request_bytes_max"))},
      {.catalog = &(*standalone)->catalog(), .data = &(*standalone)->data(), .version = kVersion},
      ProcessMetrics());
  auto grpc_server = gateway::GrpcServer::Start({}, gateway);
  if (!grpc_server.has_value()) return Fail(grpc_server.error());
  gateway::HttpServer http({},
                           [&](gateway::HttpRequest request, gateway::HttpServer::Respond respond) {
                             gateway::HandleRest(gateway, std::move(request), std::move(respond));
                           });
  auto port = gateway::Port::Listen(
      {.host = flags.host, .port = flags.port}, [&](int fd) { (*grpc_server)->Adopt(fd); },
      [&](int fd) { http.Adopt(fd); });
  if (!port.has_value()) return Fail(port.error());
  health.Serves(**standalone);
  if (flags.host == "0.0.0.0")
    LogWarn("listening on every address without authentication host={}", flags.host);
  LogInfo("ready address={}:{} metrics=127.0.0.1:{} version={} ms={}", flags.host, (*port)->port(),
          *ops_port, kVersion, (SystemClock().MonotonicUs() - started_us) / 1000);

  ReleaseProgramPages();
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  LogInfo("stopping signal={}", signal_number);
  health.Stops();
  // No new connections, then no new calls; running ones end before the roles below them do.
  (*port)->Shutdown();
  (*grpc_server)->Shutdown(std::chrono::seconds(2));
  http.Shutdown();
  ops.Shutdown();
  return 0;
}

}  // namespace
}  // namespace elanus

int main(int argc, char** argv) {
  CLI::App app("Elanus: a vector database that speaks Milvus");
  app.require_subcommand(1);
  elanus::ServeFlags flags;
  CLI::App* serve = app.add_subcommand("serve", "start the server");
  serve->add_option("--data", flags.data, "folder of its data")->capture_default_str();
  serve->add_option("--host", flags.host, "address to listen on")->capture_default_str();
  serve->add_option("--port", flags.port, "port for gRPC and REST")->capture_default_str();
  serve->add_option("--metrics-port", flags.metrics_port, "loopback port for health and metrics")
      ->capture_default_str();
  serve->add_option("--config", flags.config, "YAML file of knobs (see `elanus knobs`)");
  app.add_subcommand("knobs", "print every knob as a Markdown page");
  app.add_subcommand("rpcs", "print which RPCs of Milvus are served, as Markdown");
  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand("knobs")) {
    fmt::print("{}", elanus::ConfigPage());
    return 0;
  }
  if (app.got_subcommand("rpcs")) {
    fmt::print("{}", elanus::gateway::RpcPage());
    return 0;
  }
  return elanus::Serve(flags);
}
