#include "expr/filter.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include "expr/binder.h"
#include "expr/fold.h"
#include "expr/lexer.h"
#include "expr/parser.h"

namespace elanus::expr {
namespace {

// Levels of a tree, itself included. The parser bounds its height, so the recursion is bounded.
int DepthOf(const Node& node) {
  int depth = 0;
  for (const Node& child : node.children) depth = std::max(depth, DepthOf(child));
  return depth + 1;
}

struct Root {
  Term term;
  std::shared_ptr<const ElementFilter> elements;
  double sample = 0;
};

Result<Root> BindRoot(std::string_view text, const model::CollectionSchema& schema,
                      const Templates& templates, std::string_view time_zone) {
  ASSIGN_OR_RETURN(Syntax syntax, ParseSyntax(text));
  Binder binder(schema, templates, time_zone);
  ASSIGN_OR_RETURN(Term term, binder.Bind(syntax));
  const auto* node = std::get_if<Node>(&term);
  if (node != nullptr && DepthOf(*node) > kNodeDepthMax) {
    return BindError(fmt::format("expression is nested more than {} levels deep", kNodeDepthMax));
  }
  const auto* sample = std::get_if<SampleTerm>(&term);
  const double share = sample != nullptr ? sample->factor : binder.sample();
  return Root{std::move(term), binder.TakeElements(), share};
}

}  // namespace

Result<BoundFilter> ParseFilter(std::string_view text, const model::CollectionSchema& schema,
                                const Templates& templates, std::string_view time_zone) {
  BoundFilter filter{.schema_version = schema.version};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return filter;
  Result<Root> root = BindRoot(text, schema, templates, time_zone);
  if (!root) {
    return Error(Code::kInvalidParameter,
                 fmt::format("cannot parse expression: {}: {}", text, root.error().message()));
  }
  filter.sample = root->sample;
  filter.elements = std::move(root->elements);
  if (std::holds_alternative<SampleTerm>(root->term)) return filter;
  if (auto* node = std::get_if<Node>(&root->term)) {
    filter.root = std::make_shared<const Node>(std::move(*node));
    return filter;
  }
  if (const auto* literal = std::get_if<LiteralTerm>(&root->term)) {
    if (const bool* value = std::get_if<bool>(&literal->value.data)) {
      if (!*value) filter.root = std::make_shared<const Node>(Node{.form = Constant{false}});
      return filter;
    }
  }
  // It parses: Milvus says this one without the text of the whole.
  return BindError(fmt::format("predicate is not a boolean expression: {}, data type: {}", text,
                               model::DataTypeName(TypeOf(root->term))));
}

Result<ColumnRef> ParseColumn(std::string_view text, const model::CollectionSchema& schema) {
  Lexer lexer(text);
  const Token name = lexer.Next();
  const bool is_name = name.kind == TokenKind::kIdentifier || name.kind == TokenKind::kMeta ||
                       name.kind == TokenKind::kJsonPath;
  if (!is_name || lexer.Next().kind != TokenKind::kEnd) {
    return Error(InvalidParameter(fmt::format("cannot parse identifier: {}", text)));
  }
  const Templates none;
  auto column = Binder(schema, none, {})
                    .BindColumn({.kind = SyntaxKind::kName, .token = name.kind, .text = name.text});
  if (!column) return Error(InvalidParameter(column.error().message()));
  return column;
}

Status PlanError(std::string_view plan_kind, const Status& cause) {
  return InvalidParameter(fmt::format("failed to create {} plan: {}", plan_kind, cause.message()));
}

namespace {

void AddMembership(const Node& node, MembershipUse& use) {
  if (const auto* bloom = std::get_if<BloomMatch>(&node.form)) {
    use.approximate = true;
    if (bloom->members != nullptr) use.bytes += bloom->members->blob().size();
  } else if (const auto* roaring = std::get_if<RoaringMatch>(&node.form)) {
    if (roaring->members != nullptr) use.bytes += roaring->members->blob().size();
  }
  for (const Node& child : node.children) AddMembership(child, use);
}

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
  if (filter.sample != 0 || filter.elements != nullptr) return std::nullopt;
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

MembershipUse MembershipUseOf(const BoundFilter& filter) {
  MembershipUse use;
  if (filter.root != nullptr) AddMembership(*filter.root, use);
  return use;
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
