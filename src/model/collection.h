// What the cluster knows of a collection: a value that the coordinator replaces whole and everyone
// else reads.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "model/hybrid_time.h"
#include "model/schema.h"

namespace elanus::model {

/// What a read must have seen; Milvus' numbers.
enum class ConsistencyLevel : int32_t {
  kStrong = 0,
  kSession = 1,
  kBounded = 2,
  kEventually = 3,
  kCustomized = 4,
};

inline constexpr std::string_view kDefaultDatabase = "default";
inline constexpr std::string_view kDefaultPartition = "_default";

struct PartitionInfo {
  PartitionId id;
  std::string name;
  Timestamp created = 0;
  bool loaded = false;

  template <class V>
  void Visit(V& v) {
    v(id);
    v(name);
    v(created);
    v(loaded);
  }
};

/// An index the user asked for; what it became in each segment is in the manifests.
struct IndexInfo {
  IndexId id;
  std::string name;
  FieldId field;
  KeyValues params;  ///< as given: index_type, metric_type, build parameters, flattened
  Timestamp created = 0;
  std::vector<std::string> json_path;  ///< keys inside a JSON field; empty = all of the field

  template <class V>
  void Visit(V& v) {
    v(id);
    v(name);
    v(field);
    v(params);
    v(created);
    v(json_path);
  }
};

struct DatabaseInfo {
  DatabaseId id;
  std::string name;
  KeyValues properties;
  Timestamp created = 0;

  template <class V>
  void Visit(V& v) {
    v(id);
    v(name);
    v(properties);
    v(created);
  }
};

struct CollectionInfo {
  CollectionId id;
  DatabaseId database;
  std::string database_name;
  std::string name;
  CollectionSchema schema;
  std::vector<ShardId> shards;  ///< in hash order: row goes to shards[hash(pk) % size]
  std::vector<PartitionInfo> partitions;
  std::vector<std::string> aliases;
  std::vector<IndexInfo> indexes;
  KeyValues properties;
  ConsistencyLevel consistency = ConsistencyLevel::kBounded;
  Timestamp created = 0;
  Timestamp updated =
      0;  ///< of the last change of schema or properties: InsertRequest.schema_timestamp
  bool loaded = false;  ///< any partition loaded
  int32_t replica_number = 0;
  std::vector<FieldId> load_fields;  ///< empty = all; see load_fields.h

  const PartitionInfo* FindPartition(std::string_view partition_name) const {
    for (const auto& p : partitions) {
      if (p.name == partition_name) return &p;
    }
    return nullptr;
  }
  bool IsLoaded(PartitionId partition) const {
    return std::ranges::any_of(
        partitions, [&](const PartitionInfo& p) { return p.id == partition && p.loaded; });
  }
  const IndexInfo* FindIndexOn(FieldId field) const {
    for (const auto& index : indexes) {
      if (index.field == field) return &index;
    }
    return nullptr;
  }

  template <class V>
  void Visit(V& v) {
    v(id);
    v(database);
    v(database_name);
    v(name);
    v(schema);
    v(shards);
    v(partitions);
    v(aliases);
    v(indexes);
    v(properties);
    v(consistency);
    v(created);
    v(updated);
    v(loaded);
    v(replica_number);
    v(load_fields);
  }
};

}  // namespace elanus::model
