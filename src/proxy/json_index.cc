#include "proxy/json_index.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "base/letter_case.h"
#include "expr/lexer.h"
#include "expr/literal.h"

namespace elanus::proxy {

namespace {

constexpr std::string_view kPathKey = "json_path";
constexpr std::string_view kCastKey = "json_cast_type";
constexpr std::string_view kFunctionKey = "json_cast_function";

/// What values of a JSON path may be taken for.
std::span<const std::string_view> CastsOf(std::string_view index_type) {
  static constexpr std::array<std::string_view, 7> kAll = {
      "BOOL", "DOUBLE", "VARCHAR", "ARRAY_BOOL", "ARRAY_DOUBLE", "ARRAY_VARCHAR", "JSON"};
  static constexpr std::array<std::string_view, 2> kOrdered = {"DOUBLE", "VARCHAR"};
  static constexpr std::array<std::string_view, 2> kFew = {"BOOL", "VARCHAR"};
  static constexpr std::array<std::string_view, 3> kEither = {"BOOL", "DOUBLE", "VARCHAR"};
  static constexpr std::array<std::string_view, 1> kText = {"VARCHAR"};
  if (index_type == "STL_SORT") return kOrdered;
  if (index_type == "BITMAP") return kFew;
  if (index_type == "HYBRID") return kEither;
  if (index_type == "NGRAM") return kText;
  return kAll;
}

Result<expr::PathText> ParsePath(const std::string& text) {
  expr::Lexer lexer(text);
  const expr::Token token = lexer.Next();
  auto refuse = [&](const std::string& why) {
    return Error(InvalidParameter(fmt::format("cannot parse identifier: {}{}", text, why)));
  };
  switch (token.kind) {
    case expr::TokenKind::kIdentifier:
    case expr::TokenKind::kMeta:
    case expr::TokenKind::kJsonPath: break;
    // An expression, but none that names anything.
    case expr::TokenKind::kInteger:
    case expr::TokenKind::kFloat:
    case expr::TokenKind::kString:
    case expr::TokenKind::kRawString:
    case expr::TokenKind::kTrue:
    case expr::TokenKind::kFalse: return refuse("");
    default:
      return refuse(fmt::format(", line 1:{} mismatched input '{}'", token.offset, token.text));
  }
  if (const expr::Token rest = lexer.Next(); rest.kind != expr::TokenKind::kEnd) {
    return refuse(fmt::format(", line 1:{} extraneous input '{}'", rest.offset, rest.text));
  }
  return expr::SplitPath(token.text);
}

}  // namespace

Status CheckJsonCast(std::string_view index_type, const model::KeyValues& params) {
  const std::string* cast = model::FindValue(params, kCastKey);
  const bool ngram = index_type == "NGRAM";
  if (cast == nullptr) {
    return {Code::kMissingParameter,
            ngram ? "JSON field with ngram index must specify json_cast_type: missing parameter"
                  : "json index must specify cast type: missing "
                    "parameter[missing_param=json_cast_type]"};
  }
  const std::string name = Upper(*cast);
  if (ngram && name != "VARCHAR") {
    return InvalidParameter(
        fmt::format("JSON field with ngram index only supports VARCHAR cast type, got: {}", name));
  }
  const auto known = CastsOf({});
  if (std::ranges::find(known, name) == known.end()) {
    return InvalidParameter(fmt::format("json_cast_type {} is not supported", *cast));
  }
  const auto allowed = CastsOf(index_type);
  if (std::ranges::find(allowed, name) == allowed.end()) {
    return InvalidParameter(
        fmt::format("json_cast_type {} is not supported for index {}", *cast, index_type));
  }
  const std::string* function = model::FindValue(params, kFunctionKey);
  if (function != nullptr && (Upper(*function) != "STRING_TO_DOUBLE" || name != "DOUBLE")) {
    return InvalidParameter(fmt::format(
        "json_cast_function {} is not supported for json_cast_type {}", *function, *cast));
  }
  return Status::Ok();
}

Status PlaceJsonIndex(const model::FieldSchema& field, service::CreateIndex& request) {
  const std::string* given = model::FindValue(request.params, kPathKey);
  if (given == nullptr) {
    request.params.emplace_back(kPathKey, request.field);
    given = &request.params.back().second;
  }
  ASSIGN_OR_RETURN(expr::PathText path, ParsePath(*given));
  request.json_path = std::move(path.steps);
  if (path.base != field.name) {
    // Without the dynamic field's name a path begins with a key of it.
    if (!field.is_dynamic) {
      return InvalidParameter(fmt::format(
          "cannot parse identifier: {}, it does not belong to field {}", *given, field.name));
    }
    request.json_path.emplace(request.json_path.begin(), path.base);
  }
  request.field = field.name;
  if (!request.index_name.empty()) return Status::Ok();
  request.index_name = field.name;
  for (const auto& key : request.json_path) request.index_name += "/" + key;
  return Status::Ok();
}

}  // namespace elanus::proxy
