// One REST request while its route works on it: the parsed body, and the ways to answer.
// Called by rest_*.cc only. Threads: one at a time.
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "gateway/call.h"
#include "gateway/json_writer.h"
#include "gateway/services.h"

namespace elanus::gateway {

/// Codes that only REST uses.
inline constexpr Code kRestBadJson{1801};
inline constexpr Code kRestMissing{1802};
inline constexpr Code kRestBadRows{1804};
inline constexpr Code kRestBadKey{1806};

/// The object of a body. Reading a member of the wrong type gives the default and sets fault().
class RestBody {
 public:
  using Element = simdjson::dom::element;

  RestBody() = default;
  explicit RestBody(simdjson::dom::object object) : object_(object), present_(true) {}

  bool Has(std::string_view key) const { return Find(key).has_value(); }
  /// The member, unless it is missing or null.
  std::optional<Element> Find(std::string_view key) const;
  std::string Text(std::string_view key, std::string_view otherwise = {}) const;
  /// A JSON number or its decimal text.
  int64_t Int(std::string_view key, int64_t otherwise) const;
  bool Bool(std::string_view key, bool otherwise) const;
  std::vector<std::string> Texts(std::string_view key) const;
  /// The member as an object; empty when missing.
  RestBody Object(std::string_view key) const;
  std::vector<RestBody> Objects(std::string_view key) const;
  /// The members of an object as texts: strings as they are, the rest as JSON.
  model::KeyValues Pairs(std::string_view key) const;
  const Status& fault() const { return fault_; }

 private:
  template <class T>
  void Wrong(std::string_view key, T want) const;

  simdjson::dom::object object_;
  bool present_ = false;
  mutable Status fault_;
};

/// An integer given as a JSON number or as decimal text.
std::optional<int64_t> IntegerOf(simdjson::dom::element element);

struct RestCall {
  const Services& services;
  CallPtr call;
  RestBody body;
  bool int64_as_number = true;
  std::unique_ptr<simdjson::dom::parser> parser;  ///< owns what `body` looks into

  const service::CallContext& context() const { return call->context(); }

  void Fail(const Status& status) { call->Fail(status); }
  /// {"code":0,"data":{}}, or the error.
  void Done(const Status& status);
  /// {"code":0,"data":…}; `write(json)` writes the value of data.
  template <class Write>
  void Data(Write&& write) {
    JsonWriter json;
    json.BeginObject().Key("code").Int(0).Key("data");
    write(json);
    json.EndObject();
    call->Reply(Code::kOk, json.Take());
  }
};

using RestHandler = void (*)(RestCall rest);

struct RestRoute {
  std::string_view path;  ///< behind /v2/vectordb/
  std::string_view rpc;
  RestHandler handler;
  std::string_view required;  ///< keys that must be given, separated by blanks
};

std::span<const RestRoute> RestCatalogRoutes();
std::span<const RestRoute> RestEntityRoutes();

}  // namespace elanus::gateway
