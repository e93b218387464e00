// How a collection with namespaces keeps them apart: by a hidden partition key, or each as a
// partition of its own. Pure functions; any thread.
#pragma once

#include <string_view>

#include "model/collection.h"

namespace elanus::service {

inline constexpr std::string_view kNamespaceModeKey = "namespace.mode";
inline constexpr std::string_view kNamespaceByPartition = "partition";
inline constexpr std::string_view kNamespaceByKey = "partition_key";

/// Whether the properties say so; only a collection with namespaces keeps a mode among them.
inline bool NamespacesArePartitions(const model::KeyValues& properties) {
  const auto* mode = model::FindValue(properties, kNamespaceModeKey);
  return mode != nullptr && *mode == kNamespaceByPartition;
}

inline bool HasNamespaces(const model::CollectionInfo& collection) {
  return collection.schema.namespaces() != nullptr ||
         NamespacesArePartitions(collection.properties);
}

}  // namespace elanus::service
