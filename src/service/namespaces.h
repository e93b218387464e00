// How a collection with namespaces keeps them apart: by a hidden partition key, or each as a
// partition of its own. Pure functions; any thread.
#pragma once

#include <fmt/core.h>

#include <string_view>

#include "base/letter_case.h"
#include "base/status.h"
#include "model/collection.h"

namespace elanus::service {

inline constexpr std::string_view kNamespaceModeKey = "namespace.mode";
inline constexpr std::string_view kNamespaceByPartition = "partition";
inline constexpr std::string_view kNamespaceByKey = "partition_key";

/// "true": all rows of a namespace, told apart by the key, are in one shard.
inline constexpr std::string_view kNamespaceShardingKey = "namespace.sharding.enabled";

/// Whether the properties say so; only a collection with namespaces keeps a mode among them.
inline bool NamespacesArePartitions(const model::KeyValues& properties) {
  const auto* mode = model::FindValue(properties, kNamespaceModeKey);
  return mode != nullptr && *mode == kNamespaceByPartition;
}

inline bool HasNamespaces(const model::CollectionInfo& collection) {
  return collection.schema.namespaces() != nullptr ||
         NamespacesArePartitions(collection.properties);
}

inline bool NamespacesHaveShards(const model::CollectionInfo& collection) {
  const auto* sharding = model::FindValue(collection.properties, kNamespaceShardingKey);
  return collection.schema.namespaces() != nullptr && sharding != nullptr && *sharding == "true";
}

/// Refuses that key in another letter case, under which it would say nothing.
inline Status CheckShardingKey(std::string_view key) {
  if (key == kNamespaceShardingKey || Lower(key) != kNamespaceShardingKey) return Status::Ok();
  return InvalidParameter(
      fmt::format("invalid property key \"{}\", did you mean \"{}\"?", key, kNamespaceShardingKey));
}

}  // namespace elanus::service
