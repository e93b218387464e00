#include "gateway/rest_api.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "gateway/base64.h"
#include "gateway/rest_call.h"

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kBase = "/v2/vectordb/";
constexpr int64_t kTimeoutDefaultS = 30;

const RestRoute* FindRoute(std::string_view path) {
  static const auto* routes = [] {
    auto* map = new std::unordered_map<std::string_view, const RestRoute*>;
    for (const RestRoute& route : RestCatalogRoutes()) map->emplace(route.path, &route);
    for (const RestRoute& route : RestEntityRoutes()) map->emplace(route.path, &route);
    return map;
  }();
  if (!path.starts_with(kBase)) return nullptr;
  auto it = routes->find(path.substr(kBase.size()));
  return it == routes->end() ? nullptr : it->second;
}

std::string ErrorBody(const Status& status) {
  JsonWriter json;
  json.BeginObject().Key("code").Int(static_cast<int64_t>(status.code()));
  json.Key("message").Text(status.message().empty() ? CodeText(status.code())
                                                    : std::string_view(status.message()));
  json.EndObject();
  return json.Take();
}

void AllowAnyOrigin(HttpReply& reply) {
  reply.headers.emplace_back("Access-Control-Allow-Origin", "*");
  reply.headers.emplace_back("Access-Control-Allow-Credentials", "true");
}

class RestTransport final : public Transport {
 public:
  RestTransport(std::string body, HttpServer::Respond respond)
      : body_(std::move(body)), respond_(std::move(respond)) {
    // simdjson reads a little past the end.
    body_.reserve(body_.size() + simdjson::SIMDJSON_PADDING);
    piece_ = body_;
  }
  std::span<const std::string_view> request() const override { return {&piece_, 1}; }
  void Send(std::string reply) override {
    HttpReply out{.status = status_, .body = std::move(reply)};
    AllowAnyOrigin(out);
    respond_(std::move(out));
  }
  std::string EncodeError(const RpcInfo&, const Status& status) override {
    if (status.code() != Code::kTimeout) return ErrorBody(status);
    status_ = 408;
    return ErrorBody(Status(Code::kTimeout, "request timeout"));
  }

 private:
  std::string body_;
  std::string_view piece_;
  HttpServer::Respond respond_;
  int status_ = 200;
};

Status MissingKey(std::string_view key) {
  std::string field(key);
  field[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(field[0])));
  return {kRestMissing,
          fmt::format("missing required parameters, error: Key: 'Request.{0}' Error:Field "
                      "validation for '{0}' failed on the 'required' tag",
                      field)};
}

Status CheckRequired(const RestBody& body, std::string_view required) {
  while (!required.empty()) {
    const std::string_view key = required.substr(0, required.find(' '));
    required.remove_prefix(std::min(required.size(), key.size() + 1));
    auto value = body.Find(key);
    std::string_view text;
    const bool empty_text = value && value->get(text) == simdjson::SUCCESS && text.empty();
    if (!value || empty_text) return MissingKey(key);
  }
  return Status::Ok();
}

/// Parses the body and runs the route: on a pool of the gateway's.
void RunRoute(const RestRoute& route, bool int64_as_number, const Services& services,
              CallPtr call) {
  const std::string_view bytes = call->request().front();
  if (bytes.empty()) {
    return call->Fail(Status(kRestBadJson,
                             "can only accept json format request, the request body should be "
                             "nil, however {} is valid"));
  }
  RestCall rest{.services = services, .call = std::move(call)};
  rest.int64_as_number = int64_as_number;
  rest.parser = std::make_unique<dom::parser>();
  dom::object object;
  const auto error = rest.parser->parse(bytes.data(), bytes.size(), false).get(object);
  if (error != simdjson::SUCCESS) {
    return rest.Fail(
        Status(kRestBadJson, std::string("can only accept json format request, error: ") +
                                 simdjson::error_message(error)));
  }
  rest.body = RestBody(object);
  if (Status status = CheckRequired(rest.body, route.required); !status.ok()) {
    return rest.Fail(status);
  }
  rest.call->UseDatabase(rest.body.Text("dbName"));
  if (auto database = services.catalog->DescribeDatabase(rest.context().database);
      !database && !route.path.starts_with("databases/")) {
    return rest.Fail(database.error());
  }
  if (!rest.body.fault().ok()) return rest.Fail(rest.body.fault());
  route.handler(std::move(rest));
}

/// What gRPC's header carries: base64 of user:password, or of a key.
std::string Authorization(std::string_view header) {
  if (header.starts_with("Bearer ")) return EncodeBase64(header.substr(7));
  if (header.starts_with("Basic ")) return std::string(header.substr(6));
  return {};
}

Result<Cancel> DeadlineOf(const HttpRequest& request) {
  int64_t seconds = kTimeoutDefaultS;
  const std::string_view text = request.Header("Request-Timeout");
  if (!text.empty()) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || seconds < 0 ||
        seconds > 1'000'000) {
      return Error(InvalidParameter("Request-Timeout is no number of seconds", "integer", text));
    }
  }
  return Cancel{.deadline_us = SystemClock().MonotonicUs() + seconds * 1'000'000};
}

void AnswerOptions(HttpServer::Respond& respond) {
  HttpReply reply{.status = 204};
  AllowAnyOrigin(reply);
  reply.headers.emplace_back("Access-Control-Allow-Methods",
                             "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
  reply.headers.emplace_back("Access-Control-Allow-Headers",
                             "Content-Type, Authorization, X-CSRF-Token, X-Requested-With");
  respond(std::move(reply));
}

}  // namespace

void HandleRest(Gateway& gateway, HttpRequest request, HttpServer::Respond respond) {
  if (request.method == "OPTIONS") return AnswerOptions(respond);
  if (request.path == "/healthz") {
    return respond({.content_type = "text/plain; charset=utf-8", .body = "OK"});
  }
  const RestRoute* route = request.method == "POST" ? FindRoute(request.path) : nullptr;
  if (route == nullptr) {
    return respond({.status = 404, .content_type = "text/plain", .body = "404 page not found"});
  }
  auto cancel = DeadlineOf(request);
  if (!cancel) return respond({.body = ErrorBody(cancel.error())});
  const std::string authorization = Authorization(request.Header("Authorization"));
  const std::string database(request.Header("DB-Name"));
  const std::string request_id(request.Header("RequestId"));
  const bool int64_as_number = request.Header("Accept-Type-Allow-Int64") != "false";
  auto transport = std::make_shared<RestTransport>(std::move(request.body), std::move(respond));
  gateway.Start(MilvusRpc(route->rpc), std::move(transport),
                {.database = database, .authorization = authorization, .request_id = request_id},
                *std::move(cancel),
                [route, int64_as_number](const Services& services, CallPtr call) {
                  RunRoute(*route, int64_as_number, services, std::move(call));
                });
}

}  // namespace elanus::gateway
