#include "expr/text.h"

#include <fmt/format.h>

#include <variant>

namespace elanus::expr {
namespace {

constexpr size_t kShownMax = 8;      // values of a list
constexpr size_t kShownBytes = 200;  // of one text

class Printer {
 public:
  explicit Printer(const model::CollectionSchema& schema) : schema_(schema) {}

  std::string Print(const Node& node, int depth) {
    if (depth > kNodeDepthMax) return "...";
    if (std::holds_alternative<And>(node.form)) return Join(node, " and ", depth);
    if (std::holds_alternative<Or>(node.form)) return Join(node, " or ", depth);
    if (std::holds_alternative<Not>(node.form)) return "not (" + Join(node, " ", depth) + ")";
    return std::visit([&](const auto& form) { return Leaf(form); }, node.form);
  }

 private:
  std::string Join(const Node& node, std::string_view between, int depth) {
    std::string text;
    for (const Node& child : node.children) {
      if (!text.empty()) text += between;
      const bool leaf = child.children.empty() || std::holds_alternative<Not>(child.form);
      const std::string shown = Print(child, depth + 1);
      text += leaf ? shown : "(" + shown + ")";
    }
    return text;
  }

  std::string Name(const ColumnRef& column) const {
    const model::FieldSchema* field = schema_.FindField(column.field);
    std::string text = field == nullptr ? fmt::format("field {}", column.field.value) : field->name;
    for (const std::string& key : column.path) text += "[" + Quoted(key) + "]";
    return text;
  }

  static std::string Quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text.substr(0, kShownBytes)) {
      if (c == '\'' || c == '\\') quoted += '\\';
      quoted += c;
    }
    if (text.size() > kShownBytes) quoted += "...";
    return quoted + "'";
  }

  static std::string Shown(const Value& value) {
    if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
    if (const auto* whole = std::get_if<int64_t>(&value.data)) return fmt::format("{}", *whole);
    if (const auto* real = std::get_if<double>(&value.data)) return fmt::format("{}", *real);
    if (const auto* text = std::get_if<std::string>(&value.data)) return Quoted(*text);
    return List(std::get<std::vector<Value>>(value.data));
  }
  static std::string List(const std::vector<Value>& values) {
    std::string text = "[";
    for (size_t i = 0; i < values.size() && i < kShownMax; ++i)
      text += (i == 0 ? "" : ", ") + Shown(values[i]);
    if (values.size() > kShownMax) text += fmt::format(", ... {} more", values.size() - kShownMax);
    return text + "]";
  }

  static std::string_view Op(CompareOp op) {
    switch (op) {
      case CompareOp::kEq: return "==";
      case CompareOp::kNe: return "!=";
      case CompareOp::kLt: return "<";
      case CompareOp::kLe: return "<=";
      case CompareOp::kGt: return ">";
      case CompareOp::kGe: return ">=";
    }
    return "?";
  }
  static std::string_view Op(ArithmeticOp op) {
    constexpr std::string_view kNames[] = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"};
    const auto at = static_cast<size_t>(op);
    return at < std::size(kNames) ? kNames[at] : "?";
  }

  static std::string Leaf(const Constant& f) { return f.value ? "true" : "false"; }
  std::string Leaf(const Compare& f) const {
    return fmt::format("{} {} {}", Name(f.column), Op(f.op), Shown(f.value));
  }
  std::string Leaf(const CompareColumns& f) const {
    return fmt::format("{} {} {}", Name(f.left), Op(f.op), Name(f.right));
  }
  std::string Leaf(const Range& f) const {
    return fmt::format("{} {} {} {} {}", Shown(f.lower), f.lower_inclusive ? "<=" : "<",
                       Name(f.column), f.upper_inclusive ? "<=" : "<", Shown(f.upper));
  }
  std::string Leaf(const In& f) const {
    std::vector<Value> values;
    size_t more = 0;
    auto take = [&](const auto& list) {
      for (const auto& value : list) {
        if (values.size() < kShownMax) {
          values.push_back(Value{value});
        } else {
          ++more;
        }
      }
    };
    take(f.values.ints);
    take(f.values.doubles);
    take(f.values.strings);
    if (f.values.has_false) values.push_back(Value{false});
    if (f.values.has_true) values.push_back(Value{true});
    for (const Value& array : f.values.arrays) values.push_back(array);
    std::string text = List(values);
    if (more != 0) text.insert(text.size() - 1, fmt::format(", ... {} more", more));
    return Name(f.column) + " in " + text;
  }
  std::string Leaf(const Like& f) const { return Name(f.column) + " like " + Quoted(f.pattern); }
  std::string Leaf(const Regex& f) const { return Name(f.column) + " =~ " + Quoted(f.pattern); }
  std::string Leaf(const ArithmeticCompare& f) const {
    return fmt::format("{} {} {} {} {}", Name(f.column), Op(f.arithmetic), Shown(f.operand),
                       Op(f.op), Shown(f.value));
  }
  std::string Leaf(const IsNull& f) const { return Name(f.column) + " is null"; }
  std::string Leaf(const Exists& f) const { return "exists " + Name(f.column); }
  std::string Leaf(const Contains& f) const {
    return fmt::format("contains_{}({}, {})", f.all ? "all" : "any", Name(f.column),
                       List(f.values));
  }
  std::string Leaf(const LengthCompare& f) const {
    return fmt::format("array_length({}) {} {}", Name(f.column), Op(f.op), f.value);
  }
  std::string Leaf(const TimeCompare& f) const {
    return fmt::format("{} {} interval {} {}", Name(f.column), f.sign < 0 ? "-" : "+", Op(f.op),
                       f.value);
  }
  std::string Leaf(const BloomMatch& f) const {
    return fmt::format("bloom_match({}, {} bytes)", Name(f.column),
                       f.members == nullptr ? 0 : f.members->blob().size());
  }
  std::string Leaf(const RoaringMatch& f) const {
    return fmt::format("roaring_match({}, {} values)", Name(f.column),
                       f.members == nullptr ? 0 : f.members->size());
  }
  /// Forms that have no text here.
  template <class Form>
  std::string Leaf(const Form&) const {
    return "(a predicate)";
  }

  const model::CollectionSchema& schema_;
};

}  // namespace

std::string_view OpName(CompareOp op) {
  switch (op) {
    case CompareOp::kEq: return "Equal";
    case CompareOp::kNe: return "NotEqual";
    case CompareOp::kLt: return "LessThan";
    case CompareOp::kLe: return "LessEqual";
    case CompareOp::kGt: return "GreaterThan";
    case CompareOp::kGe: return "GreaterEqual";
  }
  return "";
}

std::string TextOf(const Node& node, const model::CollectionSchema& schema) {
  return Printer(schema).Print(node, 0);
}

}  // namespace elanus::expr
