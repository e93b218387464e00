#include "gateway/rest_call.h"

#include <charconv>

namespace elanus::gateway {

namespace dom = simdjson::dom;

template <class T>
void RestBody::Wrong(std::string_view key, T want) const {
  if (!fault_.ok()) return;
  fault_ = Status(kRestBadJson, "can only accept json format request, error: " + std::string(key) +
                                    " must be " + want);
}

std::optional<dom::element> RestBody::Find(std::string_view key) const {
  if (!present_) return std::nullopt;
  dom::element element;
  if (object_.at_key(key).get(element) != simdjson::SUCCESS || element.is_null()) {
    return std::nullopt;
  }
  return element;
}

std::string RestBody::Text(std::string_view key, std::string_view otherwise) const {
  auto element = Find(key);
  if (!element) return std::string(otherwise);
  std::string_view text;
  if (element->get(text) == simdjson::SUCCESS) return std::string(text);
  Wrong(key, "a string");
  return std::string(otherwise);
}

std::optional<int64_t> IntegerOf(dom::element element) {
  int64_t value = 0;
  if (element.get(value) == simdjson::SUCCESS) return value;
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int64_t RestBody::Int(std::string_view key, int64_t otherwise) const {
  auto element = Find(key);
  if (!element) return otherwise;
  if (auto value = IntegerOf(*element)) return *value;
  Wrong(key, "an integer");
  return otherwise;
}

bool RestBody::Bool(std::string_view key, bool otherwise) const {
  auto element = Find(key);
  if (!element) return otherwise;
  bool value = false;
  if (element->get(value) == simdjson::SUCCESS) return value;
  std::string_view text;
  if (element->get(text) == simdjson::SUCCESS && (text == "true" || text == "false")) {
    return text == "true";
  }
  Wrong(key, "a bool");
  return otherwise;
}

std::vector<std::string> RestBody::Texts(std::string_view key) const {
  std::vector<std::string> texts;
  auto element = Find(key);
  if (!element) return texts;
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) {
    Wrong(key, "a list of strings");
    return texts;
  }
  for (dom::element item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) {
      Wrong(key, "a list of strings");
      break;
    }
    texts.emplace_back(text);
  }
  return texts;
}

RestBody RestBody::Object(std::string_view key) const {
  auto element = Find(key);
  if (!element) return {};
  dom::object object;
  if (element->get(object) == simdjson::SUCCESS) return RestBody(object);
  Wrong(key, "an object");
  return {};
}

std::vector<RestBody> RestBody::Objects(std::string_view key) const {
  std::vector<RestBody> objects;
  auto element = Find(key);
  if (!element) return objects;
  dom::array array;
  if (element->get(array) != simdjson::SUCCESS) {
    Wrong(key, "a list of objects");
    return objects;
  }
  for (dom::element item : array) {
    dom::object object;
    if (item.get(object) != simdjson::SUCCESS) {
      Wrong(key, "a list of objects");
      break;
    }
    objects.emplace_back(object);
  }
  return objects;
}

model::KeyValues RestBody::Pairs(std::string_view key) const {
  model::KeyValues pairs;
  auto element = Find(key);
  if (!element) return pairs;
  dom::object object;
  if (element->get(object) != simdjson::SUCCESS) {
    Wrong(key, "an object");
    return pairs;
  }
  for (auto [name, value] : object) {
    std::string_view text;
    pairs.emplace_back(std::string(name), value.get(text) == simdjson::SUCCESS
                                              ? std::string(text)
                                              : simdjson::minify(value));
  }
  return pairs;
}

void RestCall::Done(const Status& status) {
  if (!status.ok()) return Fail(status);
  call->Reply(Code::kOk, R"({"code":0,"data":{}})");
}

}  // namespace elanus::gateway
