#include "proxy/names.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "proxy/limits.h"

namespace elanus::proxy {

namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameChar(char c) { return IsLetter(c) || IsDigit(c); }

/// Words that mean something in a filter, as Milvus lists them (exact case).
constexpr std::array kKeywords = {
    "$meta",
    "like",
    "exists",
    "EXISTS",
    "and",
    "or",
    "not",
    "in",
    "true",
    "True",
    "TRUE",
    "false",
    "False",
    "FALSE",
    "json_contains",
    "JSON_CONTAINS",
    "json_contains_all",
    "JSON_CONTAINS_ALL",
    "json_contains_any",
    "JSON_CONTAINS_ANY",
    "array_contains",
    "ARRAY_CONTAINS",
    "array_contains_all",
    "ARRAY_CONTAINS_ALL",
    "array_contains_any",
    "ARRAY_CONTAINS_ANY",
    "array_length",
    "ARRAY_LENGTH",
    "text_match",
    "TEXT_MATCH",
    "phrase_match",
    "PHRASE_MATCH",
    "random_sample",
    "RANDOM_SAMPLE",
};

Status CheckCollectionWord(std::string_view name, std::string_view word) {
  if (name.empty()) return InvalidParameter(fmt::format("{} should not be empty", word));
  auto invalid = [&](std::string_view why) {
    return InvalidParameter(fmt::format("Invalid {}: {}. {}", word, name, why));
  };
  if (name.size() > kNameBytesMax) {
    return invalid(
        fmt::format("the length of a {} must be less than {} characters", word, kNameBytesMax));
  }
  if (!IsLetter(name.front())) {
    return invalid(
        fmt::format("the first character of a {} must be an underscore or letter", word));
  }
  if (!std::ranges::all_of(name, IsNameChar)) {
    return invalid(fmt::format("{} can only contain numbers, letters and underscores", word));
  }
  return Status::Ok();
}

bool IsNullKeyword(std::string_view name) {
  constexpr std::string_view kNull = "null";
  return std::ranges::equal(name, kNull, {}, [](char c) { return c | 0x20; });
}

}  // namespace

std::vector<std::string> SplitOutsideBrackets(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (depth > 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '[') {
      ++depth;
    } else if (c == ']' && depth > 0) {
      --depth;
    } else if (c == separator && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  return parts;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

Status CheckCollectionName(std::string_view name) {
  return CheckCollectionWord(name, "collection name");
}

Status CheckAliasName(std::string_view alias) {
  return CheckCollectionWord(alias, "collection alias");
}

Status CheckFieldName(std::string_view name) {
  auto invalid = [&](std::string why) {
    return Status(Code::kFieldInvalidName,
                  fmt::format("{}: field name invalid[field={}]", why, name));
  };
  if (Trim(name).empty()) return invalid("field name should not be empty");
  const std::string prefix = fmt::format("Invalid field name: {}. ", name);
  if (name.size() > kNameBytesMax) {
    return invalid(
        prefix +
        fmt::format("The length of a field name must be less than {} characters.", kNameBytesMax));
  }
  if (std::ranges::find(kKeywords, name) != kKeywords.end() || IsNullKeyword(name)) {
    return invalid(prefix + fmt::format("{} is keyword in milvus.", name));
  }
  if (!IsLetter(name.front())) {
    return invalid(prefix + "The first character of a field name must be an underscore or letter.");
  }
  if (!std::ranges::all_of(name, IsNameChar)) {
    return invalid(prefix + "Field name can only contain numbers, letters, and underscores.");
  }
  return Status::Ok();
}

bool IsSystemFieldName(std::string_view name) {
  constexpr std::array<std::string_view, 5> kSystem = {"RowID", "Timestamp", "$meta",
                                                       "$namespace_id", "__virtual_pk__"};
  return std::ranges::find(kSystem, name) != kSystem.end();
}

Status CheckDatabaseName(std::string_view name) {
  auto invalid = [&](std::string_view why) {
    return Status(Code::kDatabaseInvalidName,
                  fmt::format("{}: invalid database name[database={}]", why, name));
  };
  if (name.empty()) return invalid("database name couldn't be empty");
  if (name.size() > kNameBytesMax) {
    return invalid(fmt::format("the length of a database name must be less than {} characters",
                               kNameBytesMax));
  }
  if (!IsLetter(name.front())) {
    return invalid("the first character of a database name must be an underscore or letter");
  }
  if (!std::ranges::all_of(name, IsNameChar)) {
    return invalid("database name can only contain numbers, letters and underscores");
  }
  return Status::Ok();
}

Status CheckPartitionName(std::string_view name) {
  auto invalid = [&](std::string_view why) {
    return InvalidParameter(fmt::format("Invalid partition name: {}. {}", name, why));
  };
  if (name.empty()) return invalid("Partition name should not be empty.");
  if (name.size() > kNameBytesMax) {
    return invalid(fmt::format("The length of a partition name must be less than {} characters.",
                               kNameBytesMax));
  }
  if (!IsNameChar(name.front())) {
    return invalid("The first character of a partition name must be an underscore or letter.");
  }
  if (!std::ranges::all_of(name, [](char c) { return IsNameChar(c) || c == '-'; })) {
    return invalid("Partition name can only contain numbers, letters and underscores.");
  }
  return Status::Ok();
}

Status CheckIndexName(std::string_view name) {
  auto invalid = [&](std::string_view why) {
    return InvalidParameter(fmt::format("Invalid index name: {}. {}", name, why));
  };
  if (name.empty()) return Status::Ok();
  if (name.size() > kNameBytesMax) {
    return invalid(
        fmt::format("The length of a index name must be less than {} characters.", kNameBytesMax));
  }
  if (!IsLetter(name.front())) {
    return invalid("The first character of a index name must be an underscore or letter.");
  }
  if (!std::ranges::all_of(name, IsNameChar)) {
    return invalid("Index name can only contain numbers, letters, and underscores.");
  }
  return Status::Ok();
}

}  // namespace elanus::proxy
