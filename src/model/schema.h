// A collection's schema. Fields are found by id inside the server and by name at its edge.
// Holds: ids are unique and never reused; exactly one field is the primary key (checked by the
// proxy at creation).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "model/data_type.h"

namespace elanus::model {

/// A literal: a default value, a bound constant. monostate is null.
using Scalar = std::variant<std::monostate, bool, int64_t, double, std::string>;

using KeyValue = std::pair<std::string, std::string>;
using KeyValues = std::vector<KeyValue>;

/// The value of a key, or nullptr. The first wins, as in Milvus.
const std::string* FindValue(const KeyValues& pairs, std::string_view key);

inline constexpr FieldId kRowIdField{0};
inline constexpr FieldId kTimestampField{1};
inline constexpr FieldId kFirstUserField{100};
inline constexpr std::string_view kDynamicFieldName = "$meta";
inline constexpr std::string_view kNamespaceFieldName = "$namespace_id";

struct FieldSchema {
  FieldId id;
  std::string name;
  std::string description;
  DataType type = DataType::kNone;
  DataType element_type = DataType::kNone;
  /// Of a member of a struct array: the struct's name; then `name` is `struct[member]` and the type
  /// kArray or kArrayOfVector.
  std::string struct_name;
  bool is_primary = false;
  bool auto_id = false;
  bool nullable = false;
  bool is_dynamic = false;
  bool is_partition_key = false;
  bool is_clustering_key = false;
  bool is_function_output = false;
  std::optional<Scalar> default_value;
  KeyValues type_params;
  KeyValues index_params;

  /// Type parameter as a number; 0 when absent or not a number.
  int64_t NumberParam(std::string_view key) const;
  int64_t dim() const { return NumberParam("dim"); }
  int64_t max_length() const { return NumberParam("max_length"); }
  int64_t max_capacity() const { return NumberParam("max_capacity"); }
  /// The name without the struct it is in.
  std::string_view member_name() const;
  /// What its vectors are made of: of lists of vectors the element type.
  DataType vector_type() const { return type == DataType::kArrayOfVector ? element_type : type; }

  template <class V>
  void Visit(V& v) {
    v(id);
    v(name);
    v(description);
    v(type);
    v(element_type);
    v.Since(2, struct_name);
    v(is_primary);
    v(auto_id);
    v(nullable);
    v(is_dynamic);
    v(is_partition_key);
    v(is_clustering_key);
    v(is_function_output);
    v(default_value);
    v(type_params);
    v(index_params);
  }
  friend bool operator==(const FieldSchema&, const FieldSchema&) = default;
};

/// An ARRAY of STRUCT field. Its members are fields of the schema that name it; in every row they
/// have equally many elements, or all are null.
struct StructSchema {
  FieldId id;
  std::string name;
  std::string description;
  bool nullable = false;
  KeyValues type_params;

  template <class V>
  void Visit(V& v) {
    v(id);
    v(name);
    v(description);
    v(nullable);
    v(type_params);
  }
  friend bool operator==(const StructSchema&, const StructSchema&) = default;
};

struct CollectionSchema {
  std::string name;
  std::string description;
  bool auto_id = false;
  bool enable_dynamic_field = false;
  /// User fields in order; the dynamic field `$meta`, when enabled, is the last (type JSON,
  /// is_dynamic).
  std::vector<FieldSchema> fields;
  std::vector<StructSchema> structs;
  /// Grows with every change of the fields. A bound filter names the version it was bound to.
  uint64_t version = 1;
  /// The largest id that a field ever had, once one was dropped; see LastFieldId.
  FieldId last_field;

  const FieldSchema* FindField(std::string_view field_name) const;
  const FieldSchema* FindField(FieldId id) const;
  const FieldSchema* primary() const;
  const FieldSchema* dynamic() const;
  /// The partition key field that tells namespaces apart, which clients neither see nor fill;
  /// nullptr in a collection without namespaces.
  const FieldSchema* namespaces() const { return FindField(kNamespaceFieldName); }
  const StructSchema* FindStruct(std::string_view struct_name) const;
  /// The largest id of a field or struct array, of those that were dropped too: a new one is
  /// larger.
  FieldId LastFieldId() const;
  /// The members of a struct array, in their order.
  std::vector<const FieldSchema*> MembersOf(std::string_view struct_name) const;

  template <class V>
  void Visit(V& v) {
    v(name);
    v(description);
    v(auto_id);
    v(enable_dynamic_field);
    v(fields);
    v.Since(2, structs);
    v(version);
    v.Since(3, last_field);
  }
  friend bool operator==(const CollectionSchema&, const CollectionSchema&) = default;
};

}  // namespace elanus::model
