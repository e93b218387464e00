#include "proxy/json.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

namespace elanus::proxy {

namespace {

namespace dom = simdjson::dom;

Status NotJson(simdjson::error_code error) {
  return InvalidParameter(simdjson::error_message(error));
}

JsonValue ValueOf(const dom::element& element) {
  JsonValue value;
  value.text = simdjson::minify(element);
  switch (element.type()) {
    case dom::element_type::NULL_VALUE: break;
    case dom::element_type::BOOL:
      value.kind = JsonValue::Kind::kBool;
      std::ignore = element.get(value.boolean);
      break;
    case dom::element_type::INT64:
      value.kind = JsonValue::Kind::kInteger;
      std::ignore = element.get(value.integer);
      value.real = static_cast<double>(value.integer);
      break;
    case dom::element_type::UINT64:  // above int64
    case dom::element_type::DOUBLE:
      value.kind = JsonValue::Kind::kReal;
      std::ignore = element.get(value.real);
      break;
    case dom::element_type::STRING: {
      value.kind = JsonValue::Kind::kString;
      std::string_view text;
      std::ignore = element.get(text);
      value.text = text;
      break;
    }
    case dom::element_type::ARRAY: value.kind = JsonValue::Kind::kArray; break;
    case dom::element_type::OBJECT: value.kind = JsonValue::Kind::kObject; break;
  }
  return value;
}

/// Members as JSON text, keys quoted.
using Members = std::vector<std::pair<std::string, std::string>>;

std::string Join(const Members& members) {
  std::string out = "{";
  for (const auto& [key, value] : members) {
    if (out.size() > 1) out += ',';
    out += key;
    out += ':';
    out += value;
  }
  return out + '}';
}

/// A key as JSON text again.
std::string Quote(std::string_view key) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : key) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[(c >> 4) & 0xf];
      out += kHex[c & 0xf];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

struct JsonReader::Impl {
  dom::parser parser;

  Result<dom::object> Parse(std::string_view text) {
    dom::element root;
    // With reallocation asked for, the parser copies the text behind which it may read.
    if (auto error = parser.parse(text.data(), text.size(), true).get(root)) {
      return Error(NotJson(error));
    }
    dom::object object;
    if (auto error = root.get(object)) return Error(NotJson(error));
    return object;
  }
};

JsonReader::JsonReader() : impl_(std::make_unique<Impl>()) {}
JsonReader::~JsonReader() = default;

Result<std::map<std::string, JsonValue>> JsonReader::Object(std::string_view text) {
  ASSIGN_OR_RETURN(dom::object object, impl_->Parse(text));
  std::map<std::string, JsonValue> values;
  for (auto [key, value] : object) values.insert_or_assign(std::string(key), ValueOf(value));
  return values;
}

Result<std::vector<std::string>> JsonReader::Keys(std::string_view text) {
  ASSIGN_OR_RETURN(dom::object object, impl_->Parse(text));
  std::vector<std::string> keys;
  for (auto [key, value] : object) keys.emplace_back(key);
  return keys;
}

Status JsonReader::Check(std::string_view text) {
  dom::element root;
  if (auto error = impl_->parser.parse(text.data(), text.size(), true).get(root)) {
    return NotJson(error);
  }
  return Status::Ok();
}

Result<std::vector<double>> JsonReader::Numbers(std::string_view text) {
  dom::element root;
  if (auto error = impl_->parser.parse(text.data(), text.size(), true).get(root)) {
    return Error(NotJson(error));
  }
  dom::array array;
  if (auto error = root.get(array)) return Error(NotJson(error));
  std::vector<double> numbers;
  for (dom::element element : array) {
    double number = 0;
    if (auto error = element.get(number)) return Error(NotJson(error));
    numbers.push_back(number);
  }
  return numbers;
}

std::string JsonReader::Trim(std::string_view text, std::span<const std::string> wanted) {
  auto object = impl_->Parse(text);
  Members members;
  if (object.has_value()) {
    for (auto [key, value] : *object) {
      if (std::ranges::find(wanted, key) == wanted.end()) continue;
      members.emplace_back(Quote(key), simdjson::minify(value));
    }
  }
  return Join(members);
}

std::string JsonReader::Merge(std::string_view old_text, std::string_view new_text) {
  Members members;
  for (std::string_view text : {old_text, new_text}) {
    auto object = impl_->Parse(text);
    if (!object.has_value()) continue;
    for (auto [key, value] : *object) {
      std::string quoted = Quote(key);
      std::string json = simdjson::minify(value);
      auto same = std::ranges::find(members, quoted, &Members::value_type::first);
      if (same != members.end()) {
        same->second = std::move(json);
      } else {
        members.emplace_back(std::move(quoted), std::move(json));
      }
    }
  }
  return Join(members);
}

}  // namespace elanus::proxy
