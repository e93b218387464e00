#include "gateway/ops_http.h"

#include <utility>

#include "gateway/json_writer.h"

namespace elanus::gateway {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

}  // namespace

OpsServer::OpsServer(const MetricRegistry& registry, std::function<Status()> health)
    : registry_(registry),
      health_(std::move(health)),
      http_(
          {.name = "ops-http", .body_bytes_max = 1 << 20, .connections_max = 256},
          [this](HttpRequest request, HttpServer::Respond respond) { respond(Answer(request)); }) {}

HttpReply OpsServer::Answer(const HttpRequest& request) const {
  HttpReply reply{.content_type = std::string(kText)};
  if (request.path == "/metrics" || request.path == "/metrics_default") {
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    reply.body = registry_.Text();
  } else if (request.path == "/livez") {
    reply.body = "OK";
  } else if (request.path == "/healthz") {
    const Status status = health_();
    if (!status.ok()) reply.status = 500;
    if (request.Header("Content-Type").starts_with("application/json")) {
      JsonWriter json;
      json.BeginObject().Key("state").Text(status.ok() ? "OK" : status.message());
      json.Key("detail").BeginArray().EndArray().EndObject();
      reply.content_type = "application/json; charset=utf-8";
      reply.body = json.Take();
    } else {
      reply.body = status.ok() ? "OK" : status.message();
    }
  } else {
    reply.status = 404;
    reply.body = "404 page not found";
  }
  return reply;
}

}  // namespace elanus::gateway
