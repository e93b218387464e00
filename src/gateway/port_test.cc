// gRPC and HTTP on one port, over real connections.
#include "gateway/port.h"

// Before gRPC's headers: abseil's lock annotations have the same names, and only a system header
// may define them again.
#include "base/mutex.h"

#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/fake_frontend.h"
#include "gateway/grpc_server.h"
#include "gateway/http_server.h"
#include "gateway/ops_http.h"
#include "gateway/rest_api.h"

namespace elanus::gateway {
namespace {

/// A blocking TCP client.
class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(port))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    timeval limit{.tv_sec = 20};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~Client() { close(fd_); }
  void Say(std::string_view text) {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// What comes until the peer closes or `enough` is seen.
  std::string Hear(std::string_view enough = "") {
    std::string heard;
    char buffer[4096];
    ssize_t n = 0;
    while ((n = recv(fd_, buffer, sizeof(buffer), 0)) > 0) {
      heard.append(buffer, static_cast<size_t>(n));
      if (!enough.empty() && heard.find(enough) != std::string::npos) break;
    }
    // A reset is a close too: of a connection whose bytes nobody read.
    EXPECT_TRUE(n >= 0 || errno == ECONNRESET) << "nothing more came, and the peer did not close";
    return heard;
  }

 private:
  int fd_;
};

std::string Post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

struct PortTest : testing::Test {
  FakeFrontend frontend;
  MetricRegistry metrics;
  Gateway gateway{
      {}, Services{.catalog = &frontend, .data = &frontend, .version = "2.6.6-test"}, metrics};
  std::unique_ptr<GrpcServer> grpc_server;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<Port> port;

  void Open(PortOptions options = {}, HttpServerOptions http_options = {}) {
    auto started = GrpcServer::Start({}, gateway);
    ASSERT_TRUE(started.has_value());
    grpc_server = std::move(*started);
    http = std::make_unique<HttpServer>(
        std::move(http_options), [this](HttpRequest request, HttpServer::Respond respond) {
          HandleRest(gateway, std::move(request), std::move(respond));
        });
    options.host = "127.0.0.1";
    options.port = 0;
    auto listening = Port::Listen(
        options, [this](int fd) { grpc_server->Adopt(fd); }, [this](int fd) { http->Adopt(fd); });
    ASSERT_TRUE(listening.has_value());
    port = std::move(*listening);
  }
  void TearDown() override {
    if (port != nullptr) port->Shutdown();
    if (grpc_server != nullptr) grpc_server->Shutdown(std::chrono::seconds(1));
  }
  grpc::Status Version() {
    auto channel = grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(port->port()), grpc::InsecureChannelCredentials(), [] {
          grpc::ChannelArguments own_connection;
          own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
          return own_connection;
        }());
    grpc::GenericStub stub(channel);
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    // check: allow system_clock: gRPC takes deadlines on it
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    grpc::ByteBuffer in;
    grpc::ByteBuffer out;
    grpc::Slice empty;
    out = grpc::ByteBuffer(&empty, 1);
    grpc::Status status;
    auto call = stub.PrepareUnaryCall(&context, "/milvus.proto.milvus.MilvusService/GetVersion",
                                      out, &queue);
    call->StartCall();
    call->Finish(&in, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }
};

TEST_F(PortTest, CarriesGrpcAndHttpTogether) {
  Open();
  EXPECT_TRUE(Version().ok());
  Client http_client(port->port());
  http_client.Say(Post("/v2/vectordb/collections/list", "{}"));
  EXPECT_NE(http_client.Hear("}").find(R"({"code":0,"data":[]})"), std::string::npos);
  // The connection is kept, and an unknown route is HTTP's own error.
  http_client.Say(Post("/v2/vectordb/no/such", "{}"));
  EXPECT_NE(http_client.Hear("not found").find("HTTP/1.1 404"), std::string::npos);
  EXPECT_TRUE(Version().ok());
}

TEST_F(PortTest, TellsTheLanguageOfAConnectionThatSpeaksSlowly) {
  Open();
  Client client(port->port());
  const std::string request = Post("/v2/vectordb/collections/list", "{}");
  // "P" could still be HTTP/2.
  client.Say(request.substr(0, 1));
  EXPECT_TRUE(Version().ok());
  client.Say(request.substr(1));
  EXPECT_NE(client.Hear("}").find(R"("code":0)"), std::string::npos);
}

TEST_F(PortTest, ClosesAConnectionThatSaysNothing) {
  Open({.decide_timeout = std::chrono::milliseconds(30)});
  Client silent(port->port());
  Client half(port->port());
  half.Say("PR");
  EXPECT_EQ(silent.Hear(), "");
  EXPECT_EQ(half.Hear(), "");
  EXPECT_TRUE(Version().ok());
}

TEST_F(PortTest, ClosesAnHttpRequestThatNeverEnds) {
  Open({}, {.transfer_timeout = std::chrono::milliseconds(50)});
  Client client(port->port());
  client.Say("POST /v2/vectordb/collections/list HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(client.Hear(), "");
}

TEST_F(PortTest, KeepsServingWhileManyConnectionsHang) {
  Open({.undecided_max = 20});
  std::vector<std::unique_ptr<Client>> hanging;
  for (int i = 0; i < 40; ++i) {
    hanging.push_back(std::make_unique<Client>(port->port()));
    if (i % 2 == 0) hanging.back()->Say("P");
  }
  EXPECT_TRUE(Version().ok());
  Client client(port->port());
  client.Say(Post("/v2/vectordb/collections/list", "{}"));
  EXPECT_NE(client.Hear("}").find(R"("code":0)"), std::string::npos);
}

TEST_F(PortTest, SurvivesGarbage) {
  Open();
  for (std::string garbage : {std::string(64, '\0'), std::string("\x16\x03\x01\x02\x00\x01", 6),
                              std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n\xff\xff"),
                              std::string(100'000, 'A'), std::string("GET / HTTP/1.1\r\n")}) {
    Client client(port->port());
    client.Say(garbage);
  }
  EXPECT_TRUE(Version().ok());
}

TEST_F(PortTest, RefusesABodyThatIsTooLarge) {
  Open({}, {.body_bytes_max = 1000});
  Client client(port->port());
  client.Say("POST /v2/vectordb/entities/insert HTTP/1.1\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_NE(client.Hear("}").find("HTTP/1.1 413"), std::string::npos);
}

TEST_F(PortTest, RefusesAPortThatIsTaken) {
  Open();
  auto second = Port::Listen({.host = "127.0.0.1", .port = port->port()}, {}, {});
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message().find(std::to_string(port->port())), std::string::npos);
}

TEST(OpsServer, AnswersHealthAndMetrics) {
  MetricRegistry metrics;
  metrics.AddCounter("things_total", "Things.").Add(3);
  bool healthy = true;
  OpsServer ops(metrics, [&] {
    return healthy ? Status::Ok() : Status(Code::kIoFailed, "shard 7 is parked");
  });
  auto port = ops.Listen("127.0.0.1", 0);
  ASSERT_TRUE(port.has_value());
  Client client(*port);
  client.Say("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_NE(client.Hear("things_total 3\n").find("200 OK"), std::string::npos);
  client.Say("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_NE(client.Hear("OK\r\n").find("200"), std::string::npos);
  healthy = false;
  Client later(*port);
  later.Say("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_NE(later.Hear("parked").find("HTTP/1.1 500"), std::string::npos);
}

}  // namespace
}  // namespace elanus::gateway
