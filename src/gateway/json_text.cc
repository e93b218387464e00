#include "gateway/json_text.h"

#include <simdjson.h>

#include <string>
#include <utility>

namespace elanus::gateway {
namespace {

namespace dom = simdjson::dom;

Result<expr::Value> ValueOf(dom::element element) {
  switch (element.type()) {
    case dom::element_type::BOOL: return expr::Value{element.get_bool().value_unsafe()};
    case dom::element_type::INT64: return expr::Value{element.get_int64().value_unsafe()};
    case dom::element_type::UINT64:
      return expr::Value{static_cast<double>(element.get_uint64().value_unsafe())};
    case dom::element_type::DOUBLE: return expr::Value{element.get_double().value_unsafe()};
    case dom::element_type::STRING:
      return expr::Value{std::string(element.get_string().value_unsafe())};
    case dom::element_type::ARRAY: {
      std::vector<expr::Value> values;
      for (dom::element inner : element.get_array().value_unsafe()) {
        ASSIGN_OR_RETURN(auto value, ValueOf(inner));
        values.push_back(std::move(value));
      }
      return expr::Value{std::move(values)};
    }
    default: return Error(InvalidParameter("a template value is null or an object"));
  }
}

}  // namespace

Result<expr::Value> JsonToValue(std::string_view text) {
  dom::parser parser;
  dom::element element;
  if (parser.parse(simdjson::padded_string(text)).get(element) != simdjson::SUCCESS) {
    return Error(InvalidParameter("a template value is not JSON"));
  }
  return ValueOf(element);
}

Status FlattenJsonObject(std::string_view text, model::KeyValues& params) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(simdjson::padded_string(text)).get(object) != simdjson::SUCCESS) {
    return InvalidParameter("params is not a JSON object: " + std::string(text));
  }
  for (auto [key, value] : object) {
    std::string_view string;
    params.emplace_back(std::string(key), value.get(string) == simdjson::SUCCESS
                                              ? std::string(string)
                                              : simdjson::minify(value));
  }
  return Status::Ok();
}

}  // namespace elanus::gateway
