#include "proxy/catalog_frontend.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string>

#include "proxy/ddl_check.h"
#include "proxy/names.h"
#include "proxy/read_scope.h"

namespace elanus::proxy {

using service::CallContext;
using service::CollectionPtr;
using service::SegmentStats;

namespace {

/// Rows of a segment that an index under way has; one less than all until its file is there.
int64_t BuiltRows(const SegmentStats& segment, IndexId index) {
  const auto part = std::ranges::find(segment.building, index, &service::IndexPart::index);
  return part == segment.building.end() ? 0 : std::min(part->rows, segment.rows - 1);
}

}  // namespace

Status CatalogFrontend::Ddl(const CallContext& call, const service::DdlRequest& request) {
  service::DdlRequest checked = request;
  RETURN_IF_ERROR(CheckDdl(backends_.coordinator, call, checked));
  return backends_.coordinator.Execute(checked);
}

Result<CollectionPtr> CatalogFrontend::Describe(const CallContext& call,
                                                const std::string& collection) {
  auto found = Resolve(backends_.coordinator, call, collection);
  if (!found.has_value() && found.error().code() == Code::kCollectionNotFound) {
    // Both texts are known to clients: Milvus says the first here and the second elsewhere.
    return Error(found.error().Wrap(fmt::format("can't find collection[database={}][collection={}]",
                                                call.database, collection)));
  }
  return found;
}

Result<CollectionPtr> CatalogFrontend::Describe(const CallContext& call, CollectionId id) {
  return backends_.coordinator.FindCollection(id);
}

Result<std::vector<CollectionPtr>> CatalogFrontend::ListCollections(const CallContext& call) {
  return backends_.coordinator.ListCollections(call.database);
}

std::vector<model::DatabaseInfo> CatalogFrontend::ListDatabases() {
  return backends_.coordinator.ListDatabases();
}

Result<model::DatabaseInfo> CatalogFrontend::DescribeDatabase(const std::string& name) {
  return backends_.coordinator.FindDatabase(name);
}

Result<bool> CatalogFrontend::HasPartition(const CallContext& call, const std::string& collection,
                                           const std::string& partition) {
  RETURN_IF_ERROR(CheckPartitionName(Trim(partition)));
  ASSIGN_OR_RETURN(auto info, Resolve(backends_.coordinator, call, collection));
  return info->FindPartition(Trim(partition)) != nullptr;
}

Result<std::vector<std::pair<std::string, std::string>>> CatalogFrontend::ListAliases(
    const CallContext& call, const std::string& collection) {
  std::vector<CollectionPtr> of;
  if (collection.empty()) {
    ASSIGN_OR_RETURN(of, ListCollections(call));
  } else {
    ASSIGN_OR_RETURN(auto found, Resolve(backends_.coordinator, call, collection));
    of.push_back(std::move(found));
  }
  std::vector<std::pair<std::string, std::string>> aliases;
  for (const auto& info : of) {
    for (const auto& alias : info->aliases) aliases.emplace_back(alias, info->name);
  }
  return aliases;
}

Result<std::vector<SegmentStats>> CatalogFrontend::SegmentsOf(
    const model::CollectionInfo& collection) const {
  std::vector<SegmentStats> segments;
  for (ShardId shard : collection.shards) {
    ASSIGN_OR_RETURN(auto stats, backends_.shards.Stats(shard));
    segments.insert(segments.end(), stats.segments.begin(), stats.segments.end());
  }
  return segments;
}

Result<int64_t> CatalogFrontend::RowCount(const CallContext& call, const std::string& collection,
                                          const std::string& partition) {
  ASSIGN_OR_RETURN(auto info, Resolve(backends_.coordinator, call, collection));
  PartitionId only;
  if (!partition.empty()) {
    const model::PartitionInfo* found = info->FindPartition(Trim(partition));
    if (found == nullptr) {
      return Error(Code::kPartitionNotFound,
                   fmt::format("partition not found[partition={}]", partition));
    }
    only = found->id;
  }
  ASSIGN_OR_RETURN(auto segments, SegmentsOf(*info));
  int64_t rows = 0;
  for (const auto& segment : segments) {
    if (!only || segment.partition == only) rows += segment.rows;
  }
  return rows;
}

Result<std::vector<SegmentStats>> CatalogFrontend::Segments(const CallContext& call,
                                                            const std::string& collection) {
  ASSIGN_OR_RETURN(auto info, Resolve(backends_.coordinator, call, collection));
  return SegmentsOf(*info);
}

Result<std::vector<service::IndexDescription>> CatalogFrontend::DescribeIndex(
    const CallContext& call, const std::string& collection, const std::string& field,
    const std::string& index_name) {
  ASSIGN_OR_RETURN(auto info, Resolve(backends_.coordinator, call, collection));
  ASSIGN_OR_RETURN(auto segments, SegmentsOf(*info));
  std::vector<service::IndexDescription> descriptions;
  for (const auto& index : info->indexes) {
    const model::FieldSchema* on = info->schema.FindField(index.field);
    if (on == nullptr) continue;
    // An index inside the dynamic field belongs to the key that the user sees as a field.
    const bool by_key = on->is_dynamic && !index.json_path.empty();
    const std::string& name = by_key ? index.json_path.front() : on->name;
    if (!field.empty() && name != field) continue;
    if (!index_name.empty() && index.name != index_name) continue;
    service::IndexDescription description{.info = index, .field_name = name};
    std::set<std::string> chosen;
    for (const auto& segment : segments) {
      // Rows not yet flushed have no index and are not waited for, as in Milvus.
      if (segment.state != service::SegmentState::kSealed) continue;
      description.total_rows += segment.rows;
      const bool indexed =
          std::ranges::find(segment.built_indexes, index.id) != segment.built_indexes.end();
      const int64_t done = indexed ? segment.rows : BuiltRows(segment, index.id);
      description.indexed_rows += done;
      description.pending_rows += segment.rows - done;
      for (const auto& one : segment.chosen) {
        if (one.index == index.id) chosen.insert(one.type);
      }
    }
    if (!chosen.empty())
      description.info.params.emplace_back("chosen_index_type",
                                           fmt::format("{}", fmt::join(chosen, ", ")));
    description.finished = description.pending_rows == 0;
    descriptions.push_back(std::move(description));
  }
  if (descriptions.empty()) {
    return Error(Code::kIndexNotFound, fmt::format("index not found[collection={}]", collection));
  }
  return descriptions;
}

namespace {

/// What a load of some partitions is to bring in, and what is there, of all shards.
struct LoadBytes {
  int64_t wanted = 0;
  int64_t there = 0;
  int64_t ended = 0;  ///< as `there`, with all of the shards whose loads have ended
  Status fault;

  void Add(const service::ShardStats& shard, const std::vector<PartitionId>& partitions) {
    LoadBytes own;
    for (const SegmentStats& segment : shard.segments) {
      if (std::ranges::find(partitions, segment.partition) == partitions.end()) continue;
      own.wanted += segment.bytes_to_load;
      own.there += segment.bytes_loaded;
    }
    wanted += own.wanted;
    there += own.there;
    ended += shard.loading ? own.there : own.wanted;
    if (own.there < own.wanted && fault.ok()) fault = shard.load_fault;
  }
};

int64_t Percent(int64_t part, int64_t whole) {
  if (part >= whole) return 100;
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return std::min<int64_t>(static_cast<int64_t>(percent), 99);
}

}  // namespace

Result<service::LoadStatus> CatalogFrontend::LoadProgress(
    const CallContext& call, const std::string& collection,
    const std::vector<std::string>& partitions) {
  ASSIGN_OR_RETURN(auto info, Resolve(backends_.coordinator, call, collection));
  std::vector<PartitionId> wanted;
  bool loaded = info->loaded;
  for (const auto& name : partitions) {
    const model::PartitionInfo* partition = info->FindPartition(Trim(name));
    if (partition == nullptr) {
      return Error(Code::kPartitionNotFound,
                   fmt::format("partition not found[partition={}]", name));
    }
    loaded = loaded && partition->loaded;
    wanted.push_back(partition->id);
  }
  if (!loaded) return service::LoadStatus{};
  if (partitions.empty()) {
    for (const model::PartitionInfo& partition : info->partitions) {
      if (partition.loaded) wanted.push_back(partition.id);
    }
  }
  LoadBytes bytes;
  for (ShardId shard : info->shards) {
    ASSIGN_OR_RETURN(auto stats, backends_.shards.Stats(shard));
    RETURN_IF_ERROR(stats.fault);
    bytes.Add(stats, wanted);
  }
  // Rows are readable from the moment of loading, as they are in their files.
  const bool all = bytes.ended >= bytes.wanted;
  return service::LoadStatus{
      .state = all ? service::LoadState::kLoaded : service::LoadState::kLoading,
      .progress = Percent(bytes.ended, bytes.wanted),
      .refresh_progress = Percent(bytes.there, bytes.wanted),
      .fault = std::move(bytes.fault)};
}

}  // namespace elanus::proxy
