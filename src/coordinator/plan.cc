#include "coordinator/plan.h"

#include <algorithm>

namespace elanus::coordinator {

void DdlPlan::Replace(model::CollectionInfo info) {
  auto shared = std::make_shared<const model::CollectionInfo>(std::move(info));
  put_collections.push_back(shared);
  descriptions.push_back({.collection = std::move(shared)});
}

bool ByPartitionKey(const model::CollectionSchema& schema) {
  return std::ranges::any_of(schema.fields, &model::FieldSchema::is_partition_key);
}

model::KeyValues MergeProperties(model::KeyValues old, const model::KeyValues& changes,
                                 const std::vector<std::string>& delete_keys) {
  std::erase_if(old, [&](const model::KeyValue& pair) {
    return std::ranges::find(delete_keys, pair.first) != delete_keys.end();
  });
  for (const auto& [key, value] : changes) {
    auto same = std::ranges::find(old, key, &model::KeyValue::first);
    if (same != old.end()) {
      same->second = value;
    } else {
      old.emplace_back(key, value);
    }
  }
  return old;
}

bool SamePairs(model::KeyValues a, model::KeyValues b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

}  // namespace elanus::coordinator
