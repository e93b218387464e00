#include "expr/filter.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include "expr/binder.h"
#include "expr/fold.h"
#include "expr/parser.h"

namespace elanus::expr {
namespace {

// Levels of a tree, itself included. The parser bounds its height, so the recursion is bounded.
int DepthOf(const Node& node) {
  int depth = 0;
  for (const Node& child : node.children) depth = std::max(depth, DepthOf(child));
  return depth + 1;
}

Result<std::shared_ptr<const Node>> BindRoot(std::string_view text,
                                             const model::CollectionSchema& schema,
                                             const Templates& templates,
                                             std::string_view time_zone) {
  ASSIGN_OR_RETURN(Syntax syntax, ParseSyntax(text));
  ASSIGN_OR_RETURN(Term term, Binder(schema, templates, time_zone).Bind(syntax));
  if (auto* node = std::get_if<Node>(&term)) {
    if (DepthOf(*node) > kNodeDepthMax) {
      return BindError(fmt::format("expression is nested more than {} levels deep", kNodeDepthMax));
    }
    return std::make_shared<const Node>(std::move(*node));
  }
  if (const auto* literal = std::get_if<LiteralTerm>(&term)) {
    if (const bool* value = std::get_if<bool>(&literal->value.data)) {
      if (*value) return std::shared_ptr<const Node>();
      return std::make_shared<const Node>(Node{.form = Constant{false}});
    }
  }
  return BindError(fmt::format("predicate is not a boolean expression: {}, data type: {}", text,
                               model::DataTypeName(TypeOf(term))));
}

}  // namespace

Result<BoundFilter> ParseFilter(std::string_view text, const model::CollectionSchema& schema,
                                const Templates& templates, std::string_view time_zone) {
  BoundFilter filter{.schema_version = schema.version};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return filter;
  Result<std::shared_ptr<const Node>> root = BindRoot(text, schema, templates, time_zone);
  if (!root) {
    return Error(Code::kInvalidParameter,
                 fmt::format("cannot parse expression: {}: {}", text, root.error().message()));
  }
  filter.root = *std::move(root);
  return filter;
}

Status PlanError(std::string_view plan_kind, const Status& cause) {
  return InvalidParameter(fmt::format("failed to create {} plan: {}", plan_kind, cause.message()));
}

namespace {

bool IsPrimary(const ColumnRef& column, const model::CollectionSchema& schema) {
  const model::FieldSchema* primary = schema.primary();
  return primary != nullptr && primary->id == column.field && column.path.empty();
}

std::optional<model::PrimaryKey> KeyOf(const Value& value, const model::FieldSchema& primary) {
  if (model::IsString(primary.type)) {
    if (const auto* text = std::get_if<std::string>(&value.data)) return *text;
  } else if (const auto* number = std::get_if<int64_t>(&value.data)) {
    return *number;
  }
  return std::nullopt;
}

std::optional<KeyBound> BoundOf(const Node& node, const model::CollectionSchema& schema) {
  if (const auto* compare = std::get_if<Compare>(&node.form)) {
    const bool strict = compare->op == CompareOp::kGt;
    if ((!strict && compare->op != CompareOp::kGe) || !IsPrimary(compare->column, schema)) {
      return std::nullopt;
    }
    auto key = KeyOf(compare->value, *schema.primary());
    if (!key) return std::nullopt;
    return KeyBound{*std::move(key), strict};
  }
  if (const auto* range = std::get_if<Range>(&node.form)) {
    if (!IsPrimary(range->column, schema)) return std::nullopt;
    auto key = KeyOf(range->lower, *schema.primary());
    if (!key) return std::nullopt;
    return KeyBound{*std::move(key), !range->lower_inclusive};
  }
  return std::nullopt;
}

}  // namespace

std::optional<model::PrimaryKeys> PrimaryKeysOf(const BoundFilter& filter,
                                                const model::CollectionSchema& schema) {
  if (filter.root == nullptr) return std::nullopt;
  model::PrimaryKeys keys;
  if (const auto* in = std::get_if<In>(&filter.root->form)) {
    if (!IsPrimary(in->column, schema)) return std::nullopt;
    keys.is_string = model::IsString(schema.primary()->type);
    keys.ints = in->values.ints;
    keys.strings = in->values.strings;
    return keys;
  }
  const auto* compare = std::get_if<Compare>(&filter.root->form);
  if (compare == nullptr || compare->op != CompareOp::kEq || !IsPrimary(compare->column, schema)) {
    return std::nullopt;
  }
  auto key = KeyOf(compare->value, *schema.primary());
  if (!key) return std::nullopt;
  keys.Append(*key);
  return keys;
}

std::optional<KeyBound> LowerBoundOf(const BoundFilter& filter,
                                     const model::CollectionSchema& schema) {
  if (filter.root == nullptr) return std::nullopt;
  if (!std::holds_alternative<And>(filter.root->form)) return BoundOf(*filter.root, schema);
  std::optional<KeyBound> tightest;
  for (const Node& child : filter.root->children) {
    std::optional<KeyBound> bound = BoundOf(child, schema);
    if (!bound) continue;
    if (!tightest || bound->key > tightest->key || (bound->key == tightest->key && bound->strict)) {
      tightest = std::move(bound);
    }
  }
  return tightest;
}

}  // namespace elanus::expr
