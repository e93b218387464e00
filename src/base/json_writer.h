// Writes JSON into a string. Holds: commas are put in by itself; text is escaped; numbers are the
// shortest that read back the same. Called by the gateway (REST) and whoever explains a read.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace elanus {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key) {
    Quote(key);
    out_ += ':';
    comma_ = false;
    return *this;
  }
  JsonWriter& Text(std::string_view text) {
    Quote(text);
    return *this;
  }
  JsonWriter& Int(int64_t value) { return Raw(fmt::format_int(value).c_str()); }
  /// Also as text, for clients whose numbers are doubles.
  JsonWriter& Int64(int64_t value, bool as_number) {
    return as_number ? Int(value) : Text(fmt::format_int(value).c_str());
  }
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  JsonWriter& Null() { return Raw("null"); }
  template <class T>
  JsonWriter& Real(T value) {
    Separate();
    if (std::isfinite(value)) {
      fmt::format_to(std::back_inserter(out_), "{}", value);
    } else {
      out_ += "null";
    }
    return *this;
  }
  /// Bytes that are one JSON value already.
  JsonWriter& Raw(std::string_view json) {
    Separate();
    out_ += json;
    return *this;
  }
  /// The members of a JSON object's text, without its braces.
  JsonWriter& RawMembers(std::string_view members) {
    return members.empty() ? *this : Raw(members);
  }

  std::string Take() { return std::move(out_); }

 private:
  void Separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  JsonWriter& Open(char c) {
    Separate();
    out_ += c;
    comma_ = false;
    return *this;
  }
  JsonWriter& Close(char c) {
    out_ += c;
    comma_ = true;
    return *this;
  }
  void Quote(std::string_view text) {
    Separate();
    out_ += '"';
    for (char c : text) {
      switch (c) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<unsigned>(c));
          } else {
            out_ += c;
          }
      }
    }
    out_ += '"';
  }

  std::string out_;
  bool comma_ = false;
};

}  // namespace elanus
