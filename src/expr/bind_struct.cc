// Struct arrays: their members as columns, and predicates of their elements.
#include <array>
#include <string>

#include <fmt/format.h>
#include "base/letter_case.h"
#include "expr/binder.h"

namespace elanus::expr {

using model::DataType;
using model::FieldSchema;

namespace {

/// \param kind  what the member was read as: `array` of elements, or `struct`.
std::unexpected<Status> NoMember(std::string_view kind, std::string_view name) {
  return BindError(fmt::format(
      "{} field not found: {}, error: field {} not exist: invalid parameter", kind, name, name));
}

}  // namespace

/// `$[member]` inside a predicate of elements: the member with its elements' type.
Result<ColumnTerm> Binder::ResolveElement(std::string_view text) const {
  if (inside_ == nullptr) {
    return BindError(
        fmt::format("{} syntax can only be used inside ElementFilter or MATCH_*", text));
  }
  const std::string name = inside_->name + std::string(text.substr(1));
  const FieldSchema* field = schema_.FindField(name);
  if (field == nullptr) return NoMember("array", name);
  if (field->type != DataType::kArray) {
    return BindError(fmt::format("predicate expression in {} cannot read the vectors of {}",
                                 inside_function_, name));
  }
  return ColumnTerm{{field->id, field->element_type, {}}, field};
}

/// Whether `name["key"]` would mean something: of a JSON field, or of a dynamic key.
bool Binder::MayHaveKeys(std::string_view name) const {
  const FieldSchema* field = schema_.FindField(name);
  return field == nullptr ? schema_.dynamic() != nullptr : field->type == DataType::kJson;
}

/// `struct[member]`, an array; `struct[3][member]`, one of its elements.
Result<ColumnTerm> Binder::ResolveStructPath(std::string_view text) const {
  const size_t open = text.find('[');
  const std::string_view base = text.substr(0, open);
  if (schema_.FindStruct(base) == nullptr && MayHaveKeys(base)) {
    return BindError(fmt::format(
        "json key must be enclosed in double quotes or single quotes: \"{}\"", text.substr(open)));
  }
  const size_t last = text.rfind('[');
  const std::string name = std::string(base) + std::string(text.substr(last));
  const FieldSchema* field = schema_.FindField(name);
  if (field == nullptr) return NoMember("struct", name);
  ColumnTerm term{{field->id, field->type, {}}, field};
  if (last == open) return term;
  if (field->type != DataType::kArray) {
    return BindError(fmt::format("{} data type not supported accessed with []",
                                 model::DataTypeName(field->type)));
  }
  const std::string_view position = text.substr(open + 1, last - open - 2);
  if (position.find_first_not_of("0123456789") != std::string_view::npos) {
    return BindError("can only access array field with integer index");
  }
  term.column.path.emplace_back(position);
  return term;
}

/// The struct as a column: a member of it has its nulls and its length.
Result<ColumnTerm> Binder::WholeStruct(const model::StructSchema& given) const {
  const auto members = schema_.MembersOf(given.name);
  if (members.empty()) return BindError(fmt::format("field {} not exist", given.name));
  const FieldSchema* counted = members.front();
  for (const FieldSchema* member : members) {
    if (member->type == DataType::kArray) {
      counted = member;
      break;
    }
  }
  return ColumnTerm{{counted->id, counted->type, {}}, counted};
}

Result<Node> Binder::BindElements(const Syntax& struct_name, const Syntax& predicate,
                                  std::string_view function) {
  const model::StructSchema* given = schema_.FindStruct(struct_name.text);
  if (struct_name.kind != SyntaxKind::kName || given == nullptr) {
    return BindError(fmt::format("{} is only supported on struct array fields, got: {}", function,
                                 CompactText(struct_name.text)));
  }
  ASSIGN_OR_RETURN(const ColumnTerm counted, WholeStruct(*given));
  inside_ = given;
  inside_function_ = function;
  Result<Term> bound = Bind(predicate);
  inside_ = nullptr;
  if (!bound) return std::unexpected(bound.error());
  Node node{.form = MatchElements{.counted = counted.column.field}};
  if (auto* inner = std::get_if<Node>(&*bound)) {
    node.children.push_back(std::move(*inner));
    return node;
  }
  const auto* literal = std::get_if<LiteralTerm>(&*bound);
  const bool* value = literal == nullptr ? nullptr : std::get_if<bool>(&literal->value.data);
  if (value == nullptr) {
    return BindError(fmt::format("the predicate of {} is not a boolean expression: {}", function,
                                 CompactText(predicate.text)));
  }
  node.children.push_back({.form = Constant{*value}});
  return node;
}

namespace {

/// `threshold = N`, the third argument of the counting functions.
Result<int64_t> Threshold(const Syntax& option, std::string_view function) {
  const bool named = option.kind == SyntaxKind::kOption && Lower(option.name) == "threshold";
  if (!named) {
    return BindError(fmt::format("{} needs threshold=N with a whole number N", function));
  }
  ASSIGN_OR_RETURN(const Value value, LiteralValue(option.children[0]));
  return std::get<int64_t>(value.data);
}

}  // namespace

Result<Term> Binder::BindMatch(const Syntax& syntax, std::string_view name) {
  using Mode = MatchElements::Mode;
  struct Known {
    std::string_view name;
    Mode mode;
  };
  static constexpr std::array<Known, 5> kKnown = {{{"match_any", Mode::kAny},
                                                   {"match_all", Mode::kAll},
                                                   {"match_least", Mode::kLeast},
                                                   {"match_most", Mode::kMost},
                                                   {"match_exact", Mode::kExact}}};
  const std::string function = Upper(name);
  for (const Known& known : kKnown) {
    if (known.name != name) continue;
    const bool counts = known.mode >= Mode::kLeast;
    if (syntax.children.size() != (counts ? 3U : 2U)) {
      return BindError(fmt::format("{} requires exactly {} arguments, got {}", function,
                                   counts ? 3 : 2, syntax.children.size()));
    }
    int64_t count = 0;
    if (counts) {
      ASSIGN_OR_RETURN(count, Threshold(syntax.children[2], function));
      if (known.mode == Mode::kLeast && count < 1) {
        return BindError(fmt::format("count in {} must be positive, got: {}", function, count));
      }
    }
    ASSIGN_OR_RETURN(Node node, BindElements(syntax.children[0], syntax.children[1], function));
    auto& match = std::get<MatchElements>(node.form);
    match.mode = known.mode;
    match.count = count;
    return Term(std::move(node));
  }
  return NoFunction(syntax, name);
}

Result<Term> Binder::BindElementFilter(const Syntax& syntax) {
  if (elements_ != nullptr) {
    return BindError("element filter expression can be used once in a filter");
  }
  if (syntax.children.size() != 2) {
    return BindError(
        fmt::format("element_filter requires exactly 2 arguments, got {}", syntax.children.size()));
  }
  ASSIGN_OR_RETURN(Node node,
                   BindElements(syntax.children[0], syntax.children[1], "element_filter"));
  elements_ = std::make_shared<const ElementFilter>(
      ElementFilter{std::string(syntax.children[0].text), node});
  return Term(std::move(node));
}

}  // namespace elanus::expr
