#include "proxy/isolation.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/letter_case.h"
#include "expr/text.h"

namespace elanus::proxy {
namespace {

Status Unsupported(std::string_view what) {
  return InvalidParameter(fmt::format("partition key isolation does not support {}", what));
}

/// Whether a tree names one key; what it asks of the key otherwise is an error.
class KeyFinder {
 public:
  explicit KeyFinder(FieldId key) : key_(key) {}

  Result<bool> In(const expr::Node& node) const {
    if (std::holds_alternative<expr::And>(node.form)) return InAny(node);
    if (std::holds_alternative<expr::Or>(node.form)) {
      ASSIGN_OR_RETURN(const bool found, InAny(node));
      if (found) return Error(Unsupported("OR"));
      return false;
    }
    if (std::holds_alternative<expr::Not>(node.form)) {
      ASSIGN_OR_RETURN(const bool found, InAny(node));
      if (found) return Error(Unsupported("NOT"));
      return false;
    }
    return InLeaf(node.form);
  }

 private:
  Result<bool> InAny(const expr::Node& node) const {
    bool found = false;
    for (const expr::Node& child : node.children) {
      ASSIGN_OR_RETURN(const bool here, In(child));
      found |= here;
    }
    return found;
  }

  Result<bool> InLeaf(const expr::Node::Form& form) const {
    if (const auto* compare = std::get_if<expr::Compare>(&form); IsKey(compare)) {
      if (compare->op != expr::CompareOp::kEq) return Error(Unsupported(expr::OpName(compare->op)));
      return true;
    }
    if (IsKey(std::get_if<expr::In>(&form))) return Error(Unsupported("IN"));
    if (IsKey(std::get_if<expr::Range>(&form))) return Error(Unsupported("BinaryRange"));
    if (IsKey(std::get_if<expr::Like>(&form))) return Error(Unsupported("Match"));
    if (IsKey(std::get_if<expr::Regex>(&form))) return Error(Unsupported("RegexMatch"));
    return false;
  }

  template <class Form>
  bool IsKey(const Form* form) const {
    return form != nullptr && form->column.field == key_;
  }

  const FieldId key_;
};

}  // namespace

Status CheckIsolation(const model::CollectionInfo& collection, const expr::BoundFilter& filter) {
  const std::string* property = model::FindValue(collection.properties, "partitionkey.isolation");
  if (property == nullptr || Lower(*property) != "true") return Status::Ok();
  const auto& fields = collection.schema.fields;
  const auto key = std::ranges::find_if(fields, &model::FieldSchema::is_partition_key);
  if (key == fields.end()) return Status::Ok();
  bool found = false;
  if (filter.root != nullptr) {
    ASSIGN_OR_RETURN(found, KeyFinder(key->id).In(*filter.root));
  }
  if (found) return Status::Ok();
  return InvalidParameter(
      "partition key not found in expr or the expr is invalid when validating partition key "
      "isolation");
}

}  // namespace elanus::proxy
