// The command line: `elanus serve …`. Only this room reads flags, files and the environment.
#include <fmt/core.h>
#include <signal.h>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "server/config.h"
#include "server/standalone.h"

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
    for (const std::string& warning : config.warnings()) LogWarn("config {}", warning);
  }
  auto standalone = Standalone::Open(PosixFileSystem(), flags.data, config);
  if (!standalone.has_value()) return Fail(standalone.error());

  gateway::Gateway gateway(
      {.data_threads = static_cast<size_t>(config.Number("gateway.data_threads")),
       .queue_max = static_cast<size_t>(config.Number("gateway.queue_max")),
       .request_bytes_max = static_cast<size_t>(config.Number("gateway.request_bytes_max"))},
      {.catalog = &(*standalone)->catalog(), .data = &(*standalone)->data(), .version = kVersion},
      ProcessMetrics());
  auto server = gateway::GrpcServer::Start(
      {.address = fmt::format("{}:{}", flags.host, flags.port)}, gateway);
  if (!server.has_value()) return Fail(server.error());
  if (flags.host == "0.0.0.0")
    LogWarn("listening on every address without authentication host={}", flags.host);
  LogInfo("ready address={}:{} version={} ms={}", flags.host, (*server)->port(), kVersion,
          (SystemClock().MonotonicUs() - started_us) / 1000);

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  LogInfo("stopping signal={}", signal_number);
  (*server)->Shutdown(std::chrono::seconds(2));
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
  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand("knobs")) {
    fmt::print("{}", elanus::ConfigPage());
    return 0;
  }
  return elanus::Serve(flags);
}
