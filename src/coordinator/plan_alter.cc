// DDL that changes a collection's properties and fields. See plan.h.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "coordinator/plan.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

constexpr int64_t kTtlMax = 3'155'760'000;
constexpr int64_t kVarCharLengthMax = 65'535;
constexpr int64_t kArrayCapacityMax = 4'096;
constexpr std::string_view kTtlKey = "collection.ttl.seconds";
constexpr std::string_view kMmapKey = "mmap.enabled";
constexpr std::string_view kDynamicKey = "dynamicfield.enabled";

std::optional<int64_t> Number(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsTrue(const std::string& text) { return text == "true" || text == "True" || text == "1"; }

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

Status CheckAlter(const model::CollectionInfo& old, const service::AlterCollection& request) {
  auto loaded = [&](std::string_view verb) {
    return Status(Code::kCollectionLoaded,
                  fmt::format("can not {} mmap properties if collection loaded: collection already "
                              "loaded[collection={}]",
                              verb, old.name));
  };
  if (old.loaded && model::FindValue(request.properties, kMmapKey) != nullptr) {
    return loaded("alter");
  }
  for (const auto& key : request.delete_keys) {
    if (key == kDynamicKey) {
      return InvalidParameter("cannot delete key dynamicfield.enabled");
    }
    if (old.loaded && key == kMmapKey) return loaded("delete");
  }
  const std::string* dynamic = model::FindValue(request.properties, kDynamicKey);
  if (dynamic != nullptr && !IsTrue(*dynamic) && old.schema.enable_dynamic_field) {
    return InvalidParameter("dynamic schema cannot be disabled once enabled");
  }
  return CheckTtl(request.properties);
}

void AppendField(model::CollectionSchema& schema, model::FieldSchema field) {
  int64_t last = model::kFirstUserField.value - 1;
  for (const auto& f : schema.fields) last = std::max(last, f.id.value);
  field.id = FieldId{last + 1};
  auto at = std::ranges::find_if(schema.fields, &model::FieldSchema::is_dynamic);
  schema.fields.insert(at, std::move(field));
  ++schema.version;
}

Status CheckFieldProperty(const model::CollectionInfo& old, const model::FieldSchema& field,
                          const model::KeyValue& property) {
  const auto& [key, value] = property;
  const bool array = field.type == model::DataType::kArray;
  if (key == "max_length") {
    if (!IsString(field.type) && !(array && IsString(field.element_type))) {
      return InvalidParameter("can not modify the maxlength for non-string types");
    }
    auto length = Number(value);
    if (!length.has_value() || *length <= 0 || *length > kVarCharLengthMax) {
      return InvalidParameter(
          fmt::format("the maximum length specified for the field({}) should be in (0, {}], but "
                      "got {} instead",
                      field.name, kVarCharLengthMax, value));
    }
  } else if (key == "max_capacity") {
    auto capacity = Number(value);
    if (!array) return InvalidParameter("can not modify the maxcapacity for non-array types");
    if (!capacity.has_value() || *capacity <= 0 || *capacity > kArrayCapacityMax) {
      return InvalidParameter(fmt::format(
          "the maximum capacity specified for a Array should be in (0, {}]", kArrayCapacityMax));
    }
  } else if (key == kMmapKey || key == "mmap_enabled") {
    if (old.loaded) {
      return {Code::kCollectionLoaded,
              fmt::format("can not alter collection field properties if collection loaded: "
                          "collection already loaded[collection={}]",
                          old.name)};
    }
  } else if (key != "field.description" && key != "warmup" && key != "field.skipLoad") {
    return InvalidParameter(fmt::format("{} does not allow update in collection field param", key));
  }
  return Status::Ok();
}

}  // namespace

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterCollection& request) {
  if (request.properties.empty() && request.delete_keys.empty()) {
    return Error(InvalidParameter("no properties or delete keys provided"));
  }
  if (!request.properties.empty() && !request.delete_keys.empty()) {
    return Error(InvalidParameter("can not provide properties and delete keys at the same time"));
  }
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  RETURN_IF_ERROR(CheckAlter(*old, request));
  model::CollectionInfo info = *old;
  model::KeyValues changes = request.properties;
  std::erase_if(changes, [&](const model::KeyValue& pair) {
    if (pair.first == "collection.description") {
      info.schema.description = pair.second;
      return true;
    }
    return false;
  });
  const std::string* dynamic = model::FindValue(changes, kDynamicKey);
  if (dynamic != nullptr && IsTrue(*dynamic) && !info.schema.enable_dynamic_field) {
    info.schema.enable_dynamic_field = true;
    // Old rows have no dynamic keys: they read as `{}`.
    AppendField(info.schema, {.name = std::string(model::kDynamicFieldName),
                              .description = "dynamic schema",
                              .type = model::DataType::kJson,
                              .nullable = true,
                              .is_dynamic = true,
                              .default_value = model::Scalar(std::string("{}"))});
  }
  info.properties = MergeProperties(info.properties, changes, request.delete_keys);
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AlterField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  const model::FieldSchema* known = old->schema.FindField(request.field);
  if (known == nullptr) {
    return Error(Code::kFieldNotFound, fmt::format("field not found[field={}]", request.field));
  }
  for (const auto& property : request.properties) {
    RETURN_IF_ERROR(CheckFieldProperty(*old, *known, property));
  }
  for (const auto& key : request.delete_keys) {
    if (key == "max_length" || key == "max_capacity" || key == "dim") {
      return Error(
          InvalidParameter(fmt::format("{} does not allow update in collection field param", key)));
    }
  }
  model::CollectionInfo info = *old;
  for (auto& field : info.schema.fields) {
    if (field.id != known->id) continue;
    model::KeyValues changes = request.properties;
    std::erase_if(changes, [&](const model::KeyValue& pair) {
      if (pair.first == "field.description") {
        field.description = pair.second;
        return true;
      }
      return false;
    });
    field.type_params = MergeProperties(field.type_params, changes, request.delete_keys);
  }
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

Result<DdlPlan> Plan(const PlanContext& context, const service::AddField& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  if (old->schema.FindField(request.field.name) != nullptr) {
    return Error(InvalidParameter(fmt::format("duplicated field name {}", request.field.name)));
  }
  model::CollectionInfo info = *old;
  AppendField(info.schema, request.field);
  info.updated = context.now;
  DdlPlan plan;
  plan.Replace(std::move(info));
  return plan;
}

}  // namespace elanus::coordinator
