#include "proxy/write_path.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/mutex.h"
#include "proxy/limits.h"
#include "proxy/names.h"
#include "proxy/namespaces.h"
#include "proxy/partial_update.h"
#include "proxy/read_scope.h"
#include "proxy/router.h"
#include "proxy/shard_calls.h"
#include "proxy/value_text.h"
#include "service/namespaces.h"

namespace elanus::proxy {

namespace {

using service::CollectionPtr;
using service::MutationKind;
using service::MutationReply;
using service::WriteReply;
using service::WriteRequest;

Result<const model::PartitionInfo*> FindPartition(const model::CollectionInfo& collection,
                                                  const std::string& given) {
  if (given.empty()) return collection.FindPartition(model::kDefaultPartition);
  const std::string_view name = Trim(given);
  RETURN_IF_ERROR(CheckPartitionName(name));
  const model::PartitionInfo* partition = collection.FindPartition(name);
  if (partition == nullptr) {
    return Error(Code::kPartitionNotFound, fmt::format("partition not found[partition={}]", name));
  }
  return partition;
}

const model::FieldSchema* PartitionKey(const model::CollectionSchema& schema) {
  for (const auto& field : schema.fields) {
    if (field.is_partition_key) return &field;
  }
  return nullptr;
}

/// The partition of each row; one entry stands for all rows.
Result<std::vector<PartitionId>> RowPartitions(const model::CollectionInfo& collection,
                                               const std::string& given,
                                               const model::RowBatch& rows) {
  const model::FieldSchema* key = PartitionKey(collection.schema);
  if (key == nullptr) {
    ASSIGN_OR_RETURN(const model::PartitionInfo* partition, FindPartition(collection, given));
    return std::vector{partition->id};
  }
  if (!given.empty()) {
    return Error(InvalidParameter(
        "not support manually specifying the partition names if partition key mode is used"));
  }
  std::vector<PartitionId> ids;
  for (uint32_t i : PartitionsOf(*rows.Find(key->id), collection.partitions.size())) {
    ids.push_back(collection.partitions[i].id);
  }
  return ids;
}

WriteRequest EmptyWrite(const model::CollectionInfo& collection, size_t shard,
                        PartitionId partition) {
  return {.shard = collection.shards[shard],
          .collection = collection.id,
          .schema_version = collection.schema.version,
          .partition = partition};
}

std::vector<std::vector<uint32_t>> ByShard(const model::PrimaryKeys& keys, size_t shards,
                                           std::optional<size_t> only) {
  if (!only) return SplitByShard(keys, shards);
  std::vector<std::vector<uint32_t>> split(shards);
  split[*only].resize(keys.size());
  std::iota(split[*only].begin(), split[*only].end(), 0U);
  return split;
}

/// Splits rows and the deletes before them into one write a shard and partition.
/// \param only  the shard of all of them; nothing: that of each key
std::vector<WriteRequest> Split(const model::CollectionInfo& collection, CheckedRows checked,
                                const std::vector<PartitionId>& partitions,
                                std::optional<size_t> only) {
  const size_t shards = collection.shards.size();
  const bool by_key = partitions.size() > 1 || PartitionKey(collection.schema) != nullptr;
  if (shards == 1 && partitions.size() == 1) {
    WriteRequest write = EmptyWrite(collection, 0, partitions[0]);
    write.delete_everywhere = by_key;
    write.rows = std::move(checked.rows);
    write.deletes = std::move(checked.deletes);
    std::vector<WriteRequest> writes;
    writes.push_back(std::move(write));
    return writes;
  }
  struct Part {
    std::vector<uint32_t> rows;
    std::vector<uint32_t> deletes;
  };
  std::map<std::pair<size_t, PartitionId>, Part> parts;
  auto partition_of = [&](uint32_t row) {
    return partitions.size() == 1 ? partitions[0] : partitions[row];
  };
  const auto row_shards = ByShard(checked.keys, shards, only);
  const auto delete_shards = ByShard(checked.deletes, shards, only);
  for (size_t shard = 0; shard < shards; ++shard) {
    for (uint32_t row : row_shards[shard]) parts[{shard, partition_of(row)}].rows.push_back(row);
    for (uint32_t row : delete_shards[shard]) {
      parts[{shard, partition_of(row)}].deletes.push_back(row);
    }
  }
  std::vector<WriteRequest> writes;
  for (const auto& [at, part] : parts) {
    WriteRequest write = EmptyWrite(collection, at.first, at.second);
    write.delete_everywhere = by_key;
    if (!part.rows.empty()) write.rows = checked.rows.Take(part.rows);
    write.deletes = TakeKeys(checked.deletes, part.deletes);
    writes.push_back(std::move(write));
  }
  return writes;
}

/// Gathers the replies of a call's writes and answers once, after the last.
class Gather {
 public:
  Gather(size_t writes, MutationReply reply, service::MutationDone done)
      : left_(writes), reply_(std::move(reply)), done_(std::move(done)) {}

  void Take(Result<WriteReply> result) EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (result.has_value()) {
        reply_.timestamp = std::max(reply_.timestamp, result->timestamp);
      } else if (first_error_.ok()) {
        first_error_ = result.error();
      }
      if (--left_ != 0) return;
    }
    // The last one: nobody else comes any more.
    Answer();
  }

 private:
  void Answer() NO_THREAD_SAFETY_ANALYSIS {
    if (first_error_.ok()) {
      done_(std::move(reply_));
    } else {
      done_(Error(std::move(first_error_)));
    }
  }

  Mutex mutex_;
  size_t left_ GUARDED_BY(mutex_);
  MutationReply reply_ GUARDED_BY(mutex_);
  Status first_error_ GUARDED_BY(mutex_);
  service::MutationDone done_;
};

bool IsBlank(std::string_view text) { return Trim(text).empty(); }

}  // namespace

void WritePath::Mutate(const service::CallContext& call, service::MutationCall mutation,
                       service::MutationDone done) {
  Send(PrepareMutation(call, mutation), std::move(done));
}

void WritePath::Delete(const service::CallContext& call, service::DeleteCall deletion,
                       service::MutationDone done) {
  Send(PrepareDelete(call, deletion), std::move(done));
}

Result<WritePath::Prepared> WritePath::PrepareMutation(const service::CallContext& call,
                                                       service::MutationCall& mutation) {
  ASSIGN_OR_RETURN(CollectionPtr collection,
                   Resolve(backends_.coordinator, call, mutation.collection));
  if (mutation.schema_timestamp != 0 && mutation.schema_timestamp != collection->updated) {
    return Error(Code::kSchemaMismatch,
                 fmt::format("collection schema mismatch[collection={}]", mutation.collection));
  }
  ASSIGN_OR_RETURN(mutation.partition,
                   PartitionOfWrite(*collection, mutation.name_space, mutation.partition));
  // Named here too, so that a bad name is refused before the columns are looked at.
  if (PartitionKey(collection->schema) == nullptr) {
    RETURN_IF_ERROR(StatusOf(FindPartition(*collection, mutation.partition)));
  }
  RETURN_IF_ERROR(FillNamespace(*collection, mutation));
  CheckedRows checked;
  const bool operates = std::ranges::any_of(mutation.field_ops, [](const service::FieldOp& op) {
    return op.kind != service::FieldOpKind::kReplace;
  });
  if ((mutation.partial_update || operates) && mutation.kind == MutationKind::kUpsert) {
    ASSIGN_OR_RETURN(checked, MergePartialUpdate(backends_, *collection, mutation, call.cancel));
  } else {
    ASSIGN_OR_RETURN(checked, CheckRows(*collection, mutation, ids_));
  }
  ASSIGN_OR_RETURN(auto partitions, RowPartitions(*collection, mutation.partition, checked.rows));
  Prepared prepared;
  prepared.reply.keys = checked.keys;
  prepared.reply.count = mutation.num_rows;
  prepared.writes = Split(*collection, std::move(checked), partitions,
                          ShardOfNamespace(*collection, mutation.name_space));
  return prepared;
}

Result<WritePath::Prepared> WritePath::PrepareDelete(const service::CallContext& call,
                                                     const service::DeleteCall& deletion) {
  ASSIGN_OR_RETURN(CollectionPtr collection,
                   Resolve(backends_.coordinator, call, deletion.collection));
  PartitionId partition;
  ASSIGN_OR_RETURN(const std::string named,
                   PartitionOfWrite(*collection, deletion.name_space, deletion.partition));
  if (!named.empty()) {
    if (PartitionKey(collection->schema) != nullptr) {
      return Error(InvalidParameter(
          "not support manually specifying the partition names if partition key mode is used"));
    }
    ASSIGN_OR_RETURN(const model::PartitionInfo* found, FindPartition(*collection, named));
    partition = found->id;
  }
  auto bound = expr::ParseFilter(deletion.filter, collection->schema, deletion.templates,
                                 TimeZoneOf(*collection));
  if (!bound.has_value()) return Error(expr::PlanError("delete", bound.error()));
  if (expr::MembershipUseOf(*bound).approximate) {
    return Error(
        InvalidParameter("bloom_match is approximate and cannot be used in delete expressions"));
  }
  if (IsBlank(deletion.filter) || bound->keeps_all()) {
    return Error(InvalidParameter(
        fmt::format("delete plan can't be empty or always true : {}", deletion.filter)));
  }
  if (deletion.name_space)
    RETURN_IF_ERROR(KeepToNamespace(*collection, deletion.name_space, *bound));

  std::vector<model::PrimaryKeys> keys_of_shard(collection->shards.size());
  const auto keys = expr::PrimaryKeysOf(*bound, collection->schema);
  // Of a namespace's shard a key says nothing.
  if (keys && !service::NamespacesHaveShards(*collection)) {
    const auto split = SplitByShard(*keys, collection->shards.size());
    for (size_t i = 0; i < split.size(); ++i) keys_of_shard[i] = TakeKeys(*keys, split[i]);
  } else {
    std::vector<PartitionId> partitions;
    if (partition) partitions.push_back(partition);
    if (Status status = CheckLoaded(*collection, partitions); !status.ok()) {
      return Error(status.Wrap("failed to query"));
    }
    service::Consistency consistency;
    if (deletion.consistency.has_value()) {
      consistency = {.use_default = false, .level = *deletion.consistency};
    }
    service::QueryRequest request{
        .collection = collection->id,
        .partitions = partitions,
        .filter = *bound,
        .output_fields = {collection->schema.primary()->id},
        .bytes_max = std::numeric_limits<int64_t>::max(),
        .read = ReadPointOf(*collection, consistency, false, backends_.clock.Next())};
    const Asked asked{.backends = backends_,
                      .collection = *collection,
                      .cancel = call.cancel,
                      .only = ShardOfNamespace(*collection, deletion.name_space)};
    auto replies = QueryAll(asked, request);
    if (!replies.has_value()) return Error(replies.error().Wrap("failed to query"));
    const std::vector<size_t> places = PlacesOf(asked);
    for (size_t i = 0; i < places.size(); ++i)
      keys_of_shard[places[i]] = std::move((*replies)[i].keys);
  }

  Prepared prepared;
  for (size_t i = 0; i < keys_of_shard.size(); ++i) {
    if (keys_of_shard[i].empty()) continue;
    prepared.reply.count += static_cast<int64_t>(keys_of_shard[i].size());
    WriteRequest write = EmptyWrite(*collection, i, partition);
    write.delete_everywhere = !partition;
    write.deletes = std::move(keys_of_shard[i]);
    prepared.writes.push_back(std::move(write));
  }
  return prepared;
}

void WritePath::Send(Result<Prepared> prepared, service::MutationDone done) {
  if (!prepared.has_value()) return done(Error(std::move(prepared).error()));
  if (prepared->writes.empty()) {
    prepared->reply.timestamp = backends_.clock.Next();
    return done(std::move(prepared->reply));
  }
  auto gather = std::make_shared<Gather>(prepared->writes.size(), std::move(prepared->reply),
                                         std::move(done));
  for (auto& write : prepared->writes) {
    backends_.shards.Write(
        std::move(write), [gather](Result<WriteReply> result) { gather->Take(std::move(result)); });
  }
}

}  // namespace elanus::proxy
