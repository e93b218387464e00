// The command line: `elanus serve …`. Only this room reads flags, files and the environment.
#include <fmt/core.h>
#include <signal.h>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/grpc_server.h"
#include "server/starting_frontend.h"

namespace elanus {
namespace {

struct ServeFlags {
  std::string host = "0.0.0.0";
  int port = 19530;
};

int Serve(const ServeFlags& flags) {
  const int64_t started_us = SystemClock().MonotonicUs();
  // Blocked before any thread starts, so that only sigwait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  StartingFrontend frontend;
  gateway::Gateway gateway({}, {.catalog = &frontend, .data = &frontend, .version = "2.6.6-elanus"},
                           ProcessMetrics());
  auto server = gateway::GrpcServer::Start(
      {.address = fmt::format("{}:{}", flags.host, flags.port)}, gateway);
  if (!server) {
    fmt::print(stderr, "elanus: {}\n", server.error().message());
    return 1;
  }
  LogInfo("ready address={}:{} version={} ms={}", flags.host, (*server)->port(),
          gateway.services().version, (SystemClock().MonotonicUs() - started_us) / 1000);
  int signal_number = 0;
  sigwait(&signals, &signal_number);
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
  serve->add_option("--host", flags.host, "address to listen on")->capture_default_str();
  serve->add_option("--port", flags.port, "port for gRPC and REST")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return elanus::Serve(flags);
}
