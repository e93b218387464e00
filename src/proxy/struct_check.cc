#include "proxy/struct_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "model/array_value.h"

namespace elanus::proxy {

namespace {

using model::Column;
using model::DataType;
using model::FieldSchema;

/// What no member is.
std::string_view ForbiddenOf(const FieldSchema& member) {
  if (member.is_primary) return "primary key";
  if (member.auto_id) return "autoID";
  if (member.is_partition_key) return "partition key";
  if (member.is_clustering_key) return "clustering key";
  if (member.is_dynamic) return "dynamic field";
  if (member.default_value.has_value()) return "default value";
  return {};
}

/// How many elements a row that is not null has.
int64_t ElementsAt(const FieldSchema& member, const Column& column, size_t row) {
  const std::string_view bytes = column.StringAt(row);
  if (member.type == DataType::kArrayOfVector) {
    return static_cast<int64_t>(bytes.size() /
                                model::ValueBytes(member.element_type, member.dim()));
  }
  const auto array = model::ArrayView::Open(bytes);
  return array ? static_cast<int64_t>(array->size()) : 0;
}

/// A member beside the struct's first one.
struct Pair {
  const model::StructSchema& of;
  const FieldSchema& first;
  const FieldSchema& second;
};

Status CheckPair(const Pair& pair, const Column& a, const Column& b) {
  for (size_t row = 0; row < a.rows && row < b.rows; ++row) {
    if (a.IsNull(row) != b.IsNull(row)) {
      return InvalidParameter(
          fmt::format("sub-field ValidData mismatch in struct '{}' at row {}: '{}'={}, '{}'={}",
                      pair.of.name, row, pair.first.member_name(), !a.IsNull(row),
                      pair.second.member_name(), !b.IsNull(row)));
    }
    if (a.IsNull(row)) continue;
    const int64_t left = ElementsAt(pair.first, a, row);
    const int64_t right = ElementsAt(pair.second, b, row);
    if (left == right) continue;
    return InvalidParameter(fmt::format(
        "inconsistent struct element count in struct '{}' at row {}: '{}' has {}, '{}' has {}",
        pair.of.name, row, pair.first.member_name(), left, pair.second.member_name(), right));
  }
  return Status::Ok();
}

}  // namespace

Status CheckStruct(const model::StructSchema& one, std::span<const FieldSchema* const> members) {
  if (members.empty()) {
    return InvalidParameter(fmt::format("struct array field {} has no sub-fields", one.name));
  }
  for (const FieldSchema* member : members) {
    if (member->type != DataType::kArray && member->type != DataType::kArrayOfVector) {
      return InvalidParameter(
          fmt::format("Fields in StructArrayField can only be array or array of struct, but field "
                      "{} is {}",
                      member->member_name(), DataTypeName(member->type)));
    }
    if (const std::string_view forbidden = ForbiddenOf(*member); !forbidden.empty()) {
      return InvalidParameter(fmt::format("{} is not supported for struct field, field name = {}",
                                          forbidden, member->member_name()));
    }
    if (member->nullable != one.nullable) {
      return InvalidParameter(
          fmt::format("Field '{}' in struct '{}' cannot be nullable individually, set nullable on "
                      "the struct instead",
                      member->member_name(), one.name));
    }
    const int64_t capacity = members.front()->max_capacity();
    if (member->max_capacity() != capacity) {
      return InvalidParameter(fmt::format(
          "all sub-fields in struct array field must have the same max_capacity: structName={}, "
          "subFieldName={}, max_capacity={}, expected={}",
          one.name, member->member_name(), member->max_capacity(), capacity));
    }
  }
  return Status::Ok();
}

Status CheckGivenMembers(const model::CollectionSchema& schema,
                         const std::function<bool(std::string_view)>& is_given) {
  for (const model::StructSchema& one : schema.structs) {
    const auto members = schema.MembersOf(one.name);
    const auto given = std::ranges::count_if(
        members, [&](const FieldSchema* member) { return is_given(member->name); });
    if (given == 0 && !one.nullable) {
      return InvalidParameter(
          fmt::format("required struct array field '{}' is missing in insert data", one.name));
    }
    if (given == 0 || static_cast<size_t>(given) == members.size()) continue;
    return InvalidParameter(
        fmt::format("inconsistent sub-field data in struct '{}': {} of {} sub-fields have data, "
                    "all must be present or all absent",
                    one.name, given, members.size()));
  }
  return Status::Ok();
}

Status CheckStructRows(const model::CollectionSchema& schema, const model::RowBatch& rows) {
  for (const model::StructSchema& one : schema.structs) {
    const auto members = schema.MembersOf(one.name);
    for (size_t i = 1; i < members.size(); ++i) {
      const Column* a = rows.Find(members.front()->id);
      const Column* b = rows.Find(members[i]->id);
      if (a == nullptr || b == nullptr) continue;
      RETURN_IF_ERROR(CheckPair({one, *members.front(), *members[i]}, *a, *b));
    }
  }
  return Status::Ok();
}

}  // namespace elanus::proxy
