// Changes of the catalog, as values. Names are the user's; the coordinator resolves them.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/codec.h"
#include "model/collection.h"

namespace elanus::service {

struct CreateDatabase {
  std::string name;
  model::KeyValues properties;
  template <class V>
  void Visit(V& v) {
    v(name);
    v(properties);
  }
};

struct DropDatabase {
  std::string name;
  template <class V>
  void Visit(V& v) {
    v(name);
  }
};

struct AlterDatabase {
  std::string name;
  model::KeyValues properties;
  std::vector<std::string> delete_keys;
  template <class V>
  void Visit(V& v) {
    v(name);
    v(properties);
    v(delete_keys);
  }
};

/// Field ids of the schema are assigned by the coordinator.
struct CreateCollection {
  std::string database;
  model::CollectionSchema schema;
  int32_t shards_num = 1;
  model::ConsistencyLevel consistency = model::ConsistencyLevel::kBounded;
  model::KeyValues properties;
  int64_t partitions_num = 0;  ///< with a partition key field; 0 = default
  bool namespaces = false;     ///< the proxy adds the field that tells them apart
  template <class V>
  void Visit(V& v) {
    v(database);
    v(schema);
    v(shards_num);
    v(consistency);
    v(properties);
    v(partitions_num);
    v(namespaces);
  }
};

struct DropCollection {
  std::string database;
  std::string collection;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
  }
};

struct TruncateCollection {
  std::string database;
  std::string collection;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
  }
};

struct RenameCollection {
  std::string database;
  std::string collection;
  std::string new_database;
  std::string new_name;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(new_database);
    v(new_name);
  }
};

struct AlterCollection {
  std::string database;
  std::string collection;
  model::KeyValues properties;
  std::vector<std::string> delete_keys;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(properties);
    v(delete_keys);
  }
};

struct AlterField {
  std::string database;
  std::string collection;
  std::string field;
  model::KeyValues properties;
  std::vector<std::string> delete_keys;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(field);
    v(properties);
    v(delete_keys);
  }
};

/// `params` are flattened (a JSON `params` value is opened by the gateway).
struct CreateIndex {
  std::string database;
  std::string collection;
  std::string field;
  std::string index_name;  ///< empty = the field's name
  model::KeyValues params;
  std::vector<std::string> json_path;  ///< keys inside a JSON field; empty = all of the field
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(field);
    v(index_name);
    v(params);
    v(json_path);
  }
};

struct AddField {
  std::string database;
  std::string collection;
  model::FieldSchema field;
  /// One on the field that is made with it; names neither database, collection nor field.
  std::optional<CreateIndex> index;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(field);
    v(index);
  }
};

/// The members of the struct array, as a schema's fields have them, without ids.
struct AddStructField {
  std::string database;
  std::string collection;
  model::StructSchema field;
  std::vector<model::FieldSchema> members;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(field);
    v(members);
  }
};

/// Drops a field, or a struct array with its members, and the indexes on it.
struct DropField {
  std::string database;
  std::string collection;
  std::string field;  ///< its name; empty = by id
  FieldId id;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(field);
    v(id);
  }
};

struct CreatePartition {
  std::string database;
  std::string collection;
  std::string partition;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(partition);
  }
};

struct DropPartition {
  std::string database;
  std::string collection;
  std::string partition;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(partition);
  }
};

struct CreateAlias {
  std::string database;
  std::string collection;
  std::string alias;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(alias);
  }
};

struct AlterAlias {
  std::string database;
  std::string collection;
  std::string alias;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(alias);
  }
};

struct DropAlias {
  std::string database;
  std::string alias;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(alias);
  }
};

struct DropIndex {
  std::string database;
  std::string collection;
  std::string field;       ///< may be empty
  std::string index_name;  ///< may be empty
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(field);
    v(index_name);
  }
};

struct AlterIndex {
  std::string database;
  std::string collection;
  std::string index_name;
  model::KeyValues params;
  std::vector<std::string> delete_keys;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(index_name);
    v(params);
    v(delete_keys);
  }
};

/// Loads or releases; no partitions named = the whole collection.
struct SetLoad {
  std::string database;
  std::string collection;
  bool load = true;
  bool partitions_given = false;  ///< LoadPartitions / ReleasePartitions, even with an empty list
  std::vector<std::string> partitions;
  int32_t replica_number = 0;
  std::vector<std::string> load_fields;
  bool refresh = false;
  template <class V>
  void Visit(V& v) {
    v(database);
    v(collection);
    v(load);
    v(partitions_given);
    v(partitions);
    v(replica_number);
    v(load_fields);
    v(refresh);
  }
};

using DdlRequest =
    std::variant<CreateDatabase, DropDatabase, AlterDatabase, CreateCollection, DropCollection,
                 TruncateCollection, RenameCollection, AlterCollection, AlterField, AddField,
                 DropField, CreatePartition, DropPartition, CreateAlias, AlterAlias, DropAlias,
                 CreateIndex, DropIndex, AlterIndex, SetLoad, AddStructField>;

}  // namespace elanus::service
