#include "gateway/http_server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <tuple>

#include "base/log.h"
#include "base/thread.h"

namespace elanus::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  class Session;

  HttpServerOptions options;
  Handler handler;
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{
      asio::make_work_guard(io)};
  std::optional<tcp::acceptor> acceptor;
  std::vector<std::weak_ptr<Session>> sessions;  ///< touched by the io thread only
  std::atomic<size_t> open{0};                   ///< sessions that live
  std::atomic<bool> stopping{false};
  Thread thread;

  void Accept();
  void Begin(tcp::socket socket);
};

// One connection: read a request, have it handled, write the reply, again.
class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<Impl> server)
      : stream_(std::move(socket)), server_(std::move(server)) {
    ++server_->open;
  }
  ~Session() { --server_->open; }

  void Read() {
    parser_.emplace();
    parser_->body_limit(server_->options.body_bytes_max);
    parser_->header_limit(server_->options.header_bytes_max);
    stream_.expires_after(server_->options.transfer_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnRead(error); });
  }
  void Close() {
    beast::error_code ignored;
    std::ignore = stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  void OnRead(beast::error_code error) {
    if (error == http::error::body_limit || error == http::error::header_limit) {
      keep_alive_ = false;
      return Write({.status = error == http::error::body_limit ? 413 : 431,
                    .body = R"({"code":1100,"message":"the request is larger than allowed"})"});
    }
    if (error) {
      // Not HTTP, or the peer is gone or too slow: there is nobody to talk to.
      if (error.category() == http::make_error_code(http::error::bad_method).category() &&
          error != http::error::end_of_stream) {
        keep_alive_ = false;
        return Write({.status = 400, .content_type = "text/plain", .body = "not an HTTP request"});
      }
      return Close();
    }
    auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    HttpRequest request;
    request.method = View(message.method_string());
    const std::string_view target = View(message.target());
    request.path = target.substr(0, target.find('?'));
    for (const auto& field : message) {
      request.headers.emplace_back(View(field.name_string()), View(field.value()));
    }
    request.body = std::move(message.body());
    stream_.expires_never();
    server_->handler(std::move(request), Responder());
  }

  /// Brings a reply from any thread back to the connection's.
  Respond Responder() {
    struct Ticket {
      std::shared_ptr<Session> session;
      ~Ticket() {
        if (session == nullptr || session->server_->stopping) return;
        auto& io = session->server_->io;
        asio::post(io, [session = std::move(session)] { session->Close(); });
      }
    };
    auto ticket = std::make_unique<Ticket>(shared_from_this());
    return [ticket = std::move(ticket)](HttpReply reply) {
      auto session = std::exchange(ticket->session, nullptr);
      if (session == nullptr || session->server_->stopping) return;
      auto& io = session->server_->io;
      asio::post(io, [session = std::move(session), reply = std::move(reply)]() mutable {
        session->Write(std::move(reply));
      });
    };
  }

  void Write(HttpReply reply) {
    auto& out = reply_.emplace(static_cast<http::status>(reply.status), 11);
    out.set(http::field::content_type, reply.content_type);
    for (const auto& [name, value] : reply.headers) out.set(name, value);
    out.keep_alive(keep_alive_);
    out.body() = std::move(reply.body);
    out.prepare_payload();
    stream_.expires_after(server_->options.transfer_timeout);
    http::async_write(stream_, out, [self = shared_from_this()](beast::error_code error, size_t) {
      if (error || !self->keep_alive_ || self->server_->stopping) return self->Close();
      self->Read();
    });
  }

  beast::tcp_stream stream_;
  std::shared_ptr<Impl> server_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> reply_;
  bool keep_alive_ = true;
};

void HttpServer::Impl::Begin(tcp::socket socket) {
  if (stopping || open >= options.connections_max) return;
  beast::error_code ignored;
  std::ignore = socket.set_option(tcp::no_delay(true), ignored);
  if (sessions.size() > 2 * open + 16) {
    std::erase_if(sessions, [](const auto& session) { return session.expired(); });
  }
  auto session = std::make_shared<Session>(std::move(socket), shared_from_this());
  sessions.push_back(session);
  session->Read();
}

void HttpServer::Impl::Accept() {
  acceptor->async_accept([self = shared_from_this()](beast::error_code error, tcp::socket socket) {
    if (self->stopping || error == asio::error::operation_aborted) return;
    if (!error) self->Begin(std::move(socket));
    self->Accept();
  });
}

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

HttpServer::HttpServer(HttpServerOptions options, Handler handler)
    : impl_(std::make_shared<Impl>()) {
  impl_->options = std::move(options);
  impl_->handler = std::move(handler);
  impl_->thread = Thread(impl_->options.name, [impl = impl_.get()] {
    for (;;) {
      try {
        impl->io.run();
        return;
      } catch (const std::exception& e) {
        // Out of memory or sockets for one connection: the others go on.
        LogError("exception on the http thread what={}", e.what());
      }
    }
  });
}

HttpServer::~HttpServer() { Shutdown(); }

void HttpServer::Adopt(int fd) {
  asio::post(impl_->io, [impl = impl_, fd] {
    tcp::socket socket(impl->io);
    beast::error_code error;
    std::ignore = socket.assign(tcp::v4(), fd, error);
    if (!error) impl->Begin(std::move(socket));
  });
}

Result<int> HttpServer::Listen(const std::string& host, int port) {
  beast::error_code error;
  const auto address = asio::ip::make_address(host, error);
  auto fail = [&] {
    return Error(Code::kUnavailable,
                 "cannot listen on " + host + ":" + std::to_string(port) + ": " + error.message());
  };
  if (error) return fail();
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
  auto& acceptor = impl_->acceptor.emplace(impl_->io);
  std::ignore = acceptor.open(endpoint.protocol(), error);
  if (!error) std::ignore = acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) std::ignore = acceptor.bind(endpoint, error);
  if (!error) std::ignore = acceptor.listen(128, error);
  if (error) return fail();
  const int bound = acceptor.local_endpoint().port();
  asio::post(impl_->io, [impl = impl_] { impl->Accept(); });
  return bound;
}

void HttpServer::Shutdown() {
  if (impl_->stopping.exchange(true)) return;
  asio::post(impl_->io, [impl = impl_] {
    beast::error_code ignored;
    if (impl->acceptor) std::ignore = impl->acceptor->close(ignored);
    for (const auto& weak : impl->sessions) {
      if (auto session = weak.lock()) session->Close();
    }
    impl->work.reset();
  });
  impl_->thread.Join();
  // A reply that was posted meanwhile holds its session, which holds us: let it go.
  impl_->io.restart();
  impl_->io.poll();
}

}  // namespace elanus::gateway
