// What the descriptions of gRPC and REST both show of a collection.
// Called by handle_collection and rest_catalog. Threads: any.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "model/collection.h"
#include "service/namespaces.h"

namespace elanus::gateway {

/// Whether a field is the user's own, and no member of a struct array.
inline bool IsShown(const model::FieldSchema& field) {
  return !field.is_dynamic && field.struct_name.empty() && field.name != model::kNamespaceFieldName;
}

/// The properties set by users, with those that Milvus keeps itself: the highest field id given
/// out and whether namespaces are kept to shards of their own.
inline model::KeyValues ShownProperties(const model::CollectionInfo& info) {
  model::KeyValues shown = info.properties;
  auto add = [&](std::string_view key, std::string value) {
    if (model::FindValue(shown, key) == nullptr) shown.emplace_back(key, std::move(value));
  };
  int64_t last = 0;
  for (const auto& field : info.schema.fields) last = std::max(last, field.id.value);
  for (const auto& one : info.schema.structs) last = std::max(last, one.id.value);
  add("max_field_id", std::to_string(last));
  add(service::kNamespaceShardingKey, "false");
  return shown;
}

/// What Milvus calls the virtual channel of a shard; `at` counts the collection's shards.
inline std::string ChannelName(const model::CollectionInfo& info, size_t at) {
  return fmt::format("elanus-dml_{}_{}v{}", at, info.id.value, at);
}

}  // namespace elanus::gateway
