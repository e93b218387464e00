#include "coordinator/properties.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "model/property.h"
#include "service/namespaces.h"

namespace elanus::coordinator {

namespace {

constexpr int64_t kTtlMax = 3'155'760'000;
constexpr int64_t kVarCharLengthMax = 65'535;
constexpr int64_t kArrayCapacityMax = 4'096;
constexpr std::string_view kTtlKey = "collection.ttl.seconds";
constexpr std::string_view kTtlFieldKey = "ttl_field";
constexpr std::string_view kIsolationKey = "partitionkey.isolation";
constexpr std::string_view kWarmupKey = "warmup";
constexpr std::array<std::string_view, 4> kCollectionWarmupKeys = {
    "warmup.scalarField", "warmup.scalarIndex", "warmup.vectorField", "warmup.vectorIndex"};

bool IsCollectionWarmup(std::string_view key) {
  return std::ranges::find(kCollectionWarmupKeys, key) != kCollectionWarmupKeys.end();
}

std::optional<int64_t> Number(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status CheckTtl(const model::KeyValues& properties) {
  const std::string* text = model::FindValue(properties, kTtlKey);
  if (text == nullptr) return Status::Ok();
  auto seconds = Number(*text);
  if (!seconds.has_value()) {
    return InvalidParameter(
        fmt::format("collection TTL is not a valid positive integer: {}", *text));
  }
  if (*seconds < -1 || *seconds > kTtlMax) {
    return InvalidParameter(
        fmt::format("collection TTL is out of range, expect [-1, {}], got {}", kTtlMax, *seconds));
  }
  return Status::Ok();
}

/// Rows expire by the age of all or by a time each of them names, not by both.
Status CheckTtlField(const model::CollectionSchema& schema, const model::KeyValues& properties) {
  const std::string* name = model::FindValue(properties, kTtlFieldKey);
  if (name == nullptr) return Status::Ok();
  if (model::FindValue(properties, kTtlKey) != nullptr) {
    return InvalidParameter("collection TTL and ttl field cannot be set at the same time");
  }
  const model::FieldSchema* field = schema.FindField(*name);
  if (field == nullptr) {
    return InvalidParameter(fmt::format("ttl field name {} not found in schema", *name));
  }
  if (field->type == model::DataType::kTimestamptz) return Status::Ok();
  return InvalidParameter(fmt::format("ttl field must be timestamptz, field name = {}", *name));
}

Status CheckPolicy(const std::string& policy) {
  if (policy == "disable" || policy == "sync" || policy == "async") return Status::Ok();
  return InvalidParameter(
      fmt::format("invalid warmup policy: {}, expected: disable, sync, async", policy));
}

Status CheckIsolation(const model::CollectionSchema& schema, const model::KeyValues& properties) {
  const std::string* isolation = model::FindValue(properties, kIsolationKey);
  if (isolation == nullptr || !model::IsTrue(*isolation)) return Status::Ok();
  if (std::ranges::any_of(schema.fields, &model::FieldSchema::is_partition_key)) {
    return Status::Ok();
  }
  return InvalidParameter(
      "partition key isolation mode is enabled but no partition key field is set. Please set the "
      "partition key first");
}

Status Loaded(std::string_view what, const model::CollectionInfo& info) {
  return {Code::kCollectionLoaded,
          fmt::format("can not {} if collection loaded: collection already loaded[collection={}]",
                      what, info.name)};
}

/// Properties that take effect when a collection is loaded may change only before.
Status CheckNotLoaded(const model::CollectionInfo& old, const service::AlterCollection& request) {
  if (!old.loaded) return Status::Ok();
  auto refuse = [&](std::string_view verb, std::string_view key) {
    if (key == model::kMmapKey) return Loaded(fmt::format("{} mmap properties", verb), old);
    if (IsCollectionWarmup(key)) return Loaded(fmt::format("{} warmup properties", verb), old);
    return Status::Ok();
  };
  for (const auto& pair : request.properties) RETURN_IF_ERROR(refuse("alter", pair.first));
  for (const auto& key : request.delete_keys) RETURN_IF_ERROR(refuse("delete", key));
  return Status::Ok();
}

/// The rows of an index lie by partition key or they do not, from its first build on.
Status CheckIsolationChange(const model::CollectionInfo& old, const model::KeyValues& properties) {
  const std::string* wanted = model::FindValue(properties, kIsolationKey);
  if (wanted == nullptr) return Status::Ok();
  const std::string* now = model::FindValue(old.properties, kIsolationKey);
  if ((now != nullptr && model::IsTrue(*now)) == model::IsTrue(*wanted)) return Status::Ok();
  for (const auto& index : old.indexes) {
    const model::FieldSchema* field = old.schema.FindField(index.field);
    if (field == nullptr || !IsVector(field->type)) continue;
    return {Code::kIndexDuplicate,
            "can not alter partition key isolation mode if the collection already has a vector "
            "index. Please drop the index first"};
  }
  return Status::Ok();
}

Status CheckMaxLength(const model::FieldSchema& field, const std::string& value) {
  const bool texts = field.type == model::DataType::kArray && IsString(field.element_type);
  if (!IsString(field.type) && !texts) {
    return InvalidParameter("can not modify the maxlength for non-string types");
  }
  auto length = Number(value);
  if (length.has_value() && *length > 0 && *length <= kVarCharLengthMax) return Status::Ok();
  return InvalidParameter(
      fmt::format("the maximum length specified for the field({}) should be in (0, {}], but got {} "
                  "instead",
                  field.name, kVarCharLengthMax, value));
}

Status CheckMaxCapacity(const model::FieldSchema& field, const std::string& value) {
  if (field.type != model::DataType::kArray) {
    return InvalidParameter("can not modify the maxcapacity for non-array types");
  }
  auto capacity = Number(value);
  if (capacity.has_value() && *capacity > 0 && *capacity <= kArrayCapacityMax) return Status::Ok();
  return InvalidParameter(fmt::format(
      "the maximum capacity specified for a Array should be in (0, {}]", kArrayCapacityMax));
}

Status NotAllowed(std::string_view key) {
  return InvalidParameter(fmt::format("{} does not allow update in collection field param", key));
}

/// How namespaces are kept is told when a collection is made.
Status CheckFixed(std::string_view key, std::string_view verb) {
  if (key == service::kNamespaceModeKey || key == service::kNamespaceShardingKey)
    return InvalidParameter(fmt::format("cannot {} {} after collection creation", verb, key));
  return service::CheckShardingKey(key);
}

}  // namespace

Status CheckCollectionProperties(const model::CollectionSchema& schema,
                                 const model::KeyValues& properties) {
  RETURN_IF_ERROR(CheckTtl(properties));
  RETURN_IF_ERROR(CheckTtlField(schema, properties));
  RETURN_IF_ERROR(CheckIsolation(schema, properties));
  for (const auto& [key, value] : properties) {
    if (IsCollectionWarmup(key)) RETURN_IF_ERROR(CheckPolicy(value));
    if (key == kWarmupKey) {
      return InvalidParameter(
          "invalid warmup property: warmup is of a field or an index, a collection has "
          "warmup.scalarField, warmup.scalarIndex, warmup.vectorField, warmup.vectorIndex");
    }
  }
  return Status::Ok();
}

Status CheckAlterCollection(const model::CollectionInfo& old,
                            const service::AlterCollection& request) {
  RETURN_IF_ERROR(CheckNotLoaded(old, request));
  for (const auto& key : request.delete_keys) {
    if (key == kDynamicKey) return InvalidParameter("cannot delete key dynamicfield.enabled");
    RETURN_IF_ERROR(CheckFixed(key, "delete"));
  }
  for (const auto& [key, value] : request.properties) RETURN_IF_ERROR(CheckFixed(key, "alter"));
  RETURN_IF_ERROR(CheckCollectionProperties(old.schema, request.properties));
  if (model::FindValue(request.properties, kTtlFieldKey) != nullptr &&
      model::FindValue(old.properties, kTtlKey) != nullptr) {
    return InvalidParameter("collection TTL is already set, cannot be set ttl field");
  }
  if (model::FindValue(request.properties, kTtlKey) != nullptr &&
      model::FindValue(old.properties, kTtlFieldKey) != nullptr) {
    return InvalidParameter("ttl field is already set, cannot be set collection TTL");
  }
  return CheckIsolationChange(old, request.properties);
}

Status CheckWarmup(const model::KeyValues& params) {
  const std::string* policy = model::FindValue(params, kWarmupKey);
  return policy == nullptr ? Status::Ok() : CheckPolicy(*policy);
}

Status CheckFieldProperty(const model::CollectionInfo& old, const model::FieldSchema& field,
                          const model::KeyValue& property) {
  const auto& [key, value] = property;
  if (key == "max_length") return CheckMaxLength(field, value);
  if (key == "max_capacity") return CheckMaxCapacity(field, value);
  if (key == model::kMmapKey || key == model::kFieldMmapKey) {
    return old.loaded ? Loaded("alter collection field properties", old) : Status::Ok();
  }
  if (key == kWarmupKey) {
    RETURN_IF_ERROR(CheckPolicy(value));
    return old.loaded ? Loaded("alter warmup", old) : Status::Ok();
  }
  // Milvus lets a field carry a collection's keys; they say nothing there.
  if (key == "field.description" || key == "field.skipLoad" || IsCollectionWarmup(key)) {
    return Status::Ok();
  }
  return NotAllowed(key);
}

Status CheckFieldDeleteKey(const std::string& key) {
  if (key == "max_length" || key == "max_capacity" || key == "dim") return NotAllowed(key);
  return Status::Ok();
}

Status CheckIndexKey(std::string_view key) {
  if (key == kWarmupKey || key == model::kMmapKey || key == "indexoffsetcache.enabled" ||
      key == "load_priority") {
    return Status::Ok();
  }
  return InvalidParameter(fmt::format("{} is not a configable index property", key));
}

Status CheckIndexProperty(const model::KeyValue& property) {
  const auto& [key, value] = property;
  RETURN_IF_ERROR(CheckIndexKey(key));
  if (key == kWarmupKey) return CheckPolicy(value);
  if (key != model::kMmapKey) return Status::Ok();
  if (value == "true" || value == "false" || value == "True" || value == "False") {
    return Status::Ok();
  }
  return InvalidParameter(
      fmt::format("invalid mmap.enabled value: {}, expected: true, false", value));
}

}  // namespace elanus::coordinator
