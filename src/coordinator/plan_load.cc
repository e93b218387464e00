// Load and release. See plan.h.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "coordinator/limits.h"
#include "coordinator/plan.h"
#include "model/load_fields.h"

namespace elanus::coordinator {

namespace {

using service::CollectionPtr;

/// Rows are loaded through their indexes: asked for before anything else of the request.
Status CheckAnyIndex(const model::CollectionInfo& info, const service::SetLoad& request) {
  if (!info.indexes.empty()) return Status::Ok();
  return {Code::kIndexNotFound, fmt::format("index not found[collection={}]", request.collection)};
}

/// Where rows go by their key nobody names partitions.
Status CheckPartitionsMayBeNamed(const model::CollectionInfo& info,
                                 const service::SetLoad& request) {
  if (!request.partitions_given || !ByPartitionKey(info.schema)) return Status::Ok();
  return InvalidParameter(fmt::format("disable {} partitions if partition key mode is used",
                                      request.load ? "load" : "release"));
}

Status CheckIndexed(const model::CollectionInfo& info, const std::vector<FieldId>& load_fields) {
  std::vector<std::string> unindexed;
  for (const auto& field : info.schema.fields) {
    const bool wanted =
        load_fields.empty() || std::ranges::find(load_fields, field.id) != load_fields.end();
    if (wanted && IsVector(field.type) && info.FindIndexOn(field.id) == nullptr) {
      unindexed.push_back(field.name);
    }
  }
  if (unindexed.empty()) return Status::Ok();
  return InvalidParameter(
      fmt::format("there is no vector index on field: [{}], please create index firstly",
                  fmt::join(unindexed, " ")));
}

Result<std::vector<FieldId>> LoadFields(const model::CollectionInfo& info,
                                        const std::vector<std::string>& names) {
  std::vector<FieldId> ids;
  bool vector = false;
  for (const auto& name : names) {
    const model::FieldSchema* field = info.schema.FindField(name);
    if (field == nullptr) {
      return Error(Code::kFieldNotFound, fmt::format("field not found[field={}]", name));
    }
    vector = vector || IsVector(field->type);
    if (std::ranges::find(ids, field->id) == ids.end()) ids.push_back(field->id);
  }
  if (names.empty()) return ids;
  if (const auto* hidden = info.schema.namespaces()) ids.push_back(hidden->id);
  auto missing = [&](const model::FieldSchema& field, std::string_view what) -> Status {
    if (std::ranges::find(ids, field.id) != ids.end()) return Status::Ok();
    return InvalidParameter(fmt::format("load field list [{}] does not contain {} field {}",
                                        fmt::join(names, " "), what, field.name));
  };
  for (const auto& field : info.schema.fields) {
    if (field.is_primary) RETURN_IF_ERROR(missing(field, "primary key"));
    if (field.is_partition_key) RETURN_IF_ERROR(missing(field, "partition key"));
    if (field.is_clustering_key) RETURN_IF_ERROR(missing(field, "clustering key"));
  }
  if (!vector) {
    return Error(InvalidParameter(
        fmt::format("load field list [{}] does not contain vector field", fmt::join(names, " "))));
  }
  std::ranges::sort(ids);
  // All fields named is the same as none named.
  const auto users = std::ranges::count_if(info.schema.fields,
                                           [](const auto& field) { return !field.is_dynamic; });
  if (static_cast<int64_t>(ids.size()) >= users) ids.clear();
  return ids;
}

Status CheckReload(const model::CollectionInfo& info, const service::SetLoad& request,
                   int32_t replicas, const std::vector<FieldId>& fields) {
  if (!info.loaded) return Status::Ok();
  // A whole collection may change its number of replicas while it is loaded, a partition may not.
  if (request.partitions_given && replicas != info.replica_number) {
    return InvalidParameter("can't change the replica number for loaded partitions",
                            fmt::format("{}", info.replica_number), fmt::format("{}", replicas));
  }
  auto text = [](const std::vector<FieldId>& ids) {
    std::vector<int64_t> values;
    for (FieldId id : ids) values.push_back(id.value);
    return fmt::format("[{}]", fmt::join(values, " "));
  };
  const bool whole_again = fields.empty() && LoadedWhole(info);
  if (fields != info.load_fields && !whole_again) {
    return InvalidParameter("can't change the load field list for loaded collection",
                            text(info.load_fields), text(fields));
  }
  return Status::Ok();
}

Result<std::set<std::string>> WantedPartitions(const model::CollectionInfo& info,
                                               const service::SetLoad& request) {
  std::set<std::string> wanted;
  if (!request.partitions_given) {
    for (const auto& partition : info.partitions) wanted.insert(partition.name);
    return wanted;
  }
  if (request.partitions.empty()) {
    return Error(request.load
                     ? InvalidParameter("failed to load partition, due to no partition specified")
                     : InvalidParameter("", "any partition", "empty partition list"));
  }
  for (const auto& name : request.partitions) {
    if (info.FindPartition(name) == nullptr) {
      return Error(Code::kPartitionNotFound,
                   fmt::format("partition not found[partition={}]", name));
    }
    wanted.insert(name);
  }
  return wanted;
}

Result<DdlPlan> Load(const model::CollectionInfo& old, const service::SetLoad& request,
                     const std::set<std::string>& wanted) {
  if (request.refresh && !old.loaded) {
    return Error(Code::kCollectionNotLoaded,
                 fmt::format("collection not loaded[collection={}]", old.name));
  }
  ASSIGN_OR_RETURN(auto fields, LoadFields(old, request.load_fields));
  RETURN_IF_ERROR(CheckIndexed(old, fields));
  const int32_t replicas = std::max(request.replica_number, 1);
  RETURN_IF_ERROR(CheckReload(old, request, replicas, fields));
  if (replicas > kReplicasMax) {
    return Error(Code::kResourceInsufficient,
                 fmt::format("failed to load collection: when load {} replica count: service "
                             "resource insufficient",
                             replicas));
  }
  model::CollectionInfo info = old;
  info.loaded = true;
  info.replica_number = replicas;
  info.load_fields = std::move(fields);
  for (auto& partition : info.partitions) {
    if (wanted.contains(partition.name)) partition.loaded = true;
  }
  DdlPlan plan;
  const bool changes =
      old.load_fields != info.load_fields ||
      !std::ranges::equal(old.partitions, info.partitions, {}, &model::PartitionInfo::loaded,
                          &model::PartitionInfo::loaded);
  // A refresh is told to the shards all the same: what they could not bring in is tried again.
  if (changes || request.refresh) plan.Replace(std::move(info));
  return plan;
}

}  // namespace

Result<DdlPlan> Plan(const PlanContext& context, const service::SetLoad& request) {
  ASSIGN_OR_RETURN(CollectionPtr old, context.state.Find(request.database, request.collection));
  RETURN_IF_ERROR(CheckPartitionsMayBeNamed(*old, request));
  if (request.load) RETURN_IF_ERROR(CheckAnyIndex(*old, request));
  ASSIGN_OR_RETURN(auto wanted, WantedPartitions(*old, request));
  if (request.load) return Load(*old, request, wanted);
  model::CollectionInfo info = *old;
  for (auto& partition : info.partitions) {
    if (wanted.contains(partition.name)) partition.loaded = false;
  }
  info.loaded = std::ranges::any_of(info.partitions, &model::PartitionInfo::loaded);
  if (!info.loaded) {
    info.replica_number = 0;
    info.load_fields.clear();
  }
  DdlPlan plan;
  if (old->loaded) plan.Replace(std::move(info));
  return plan;
}

}  // namespace elanus::coordinator
