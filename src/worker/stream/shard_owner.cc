#include "worker/stream/shard_owner.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>

#include "base/log.h"
#include "worker/build/segment_job.h"
#include "worker/stream/read.h"

namespace elanus::worker {
namespace {

/// A small load is over when its caller hears that it has begun. Of a larger one clients ask for
/// the progress, twice this long apart; meanwhile rows are read without indexes.
constexpr int64_t kLoadWaitUs = 100'000;

uint64_t BytesOf(const model::RowBatch& rows) {
  uint64_t bytes = 0;
  for (const model::Column& column : rows.columns) {
    bytes += column.valid.size() + column.fixed.size() + column.bytes.size() +
             column.offsets.size() * sizeof(uint64_t);
  }
  return bytes;
}

}  // namespace

ShardOwner::ShardOwner(const ShardOwnerDoors& doors, const ShardOwnerOptions& options)
    : doors_(doors),
      options_(options),
      filters_(options.filter_bytes_max),
      crew_(options.read_cores),
      gate_(options.gate, [this] { return UnflushedBytes() + partition_->bytes_in_flight(); }) {}

Result<std::unique_ptr<ShardOwner>> ShardOwner::Open(
    const ShardOwnerDoors& doors, const ShardOwnerOptions& options,
    const std::vector<service::CollectionPtr>& collections) {
  std::unique_ptr<ShardOwner> owner(new ShardOwner(doors, options));
  for (const service::CollectionPtr& collection : collections) {
    for (ShardId shard : collection->shards) owner->OpenShard(shard, collection);
  }
  RETURN_IF_ERROR(owner->RemoveRestOfDropped());
  RETURN_IF_ERROR(owner->Replay());
  ShardOwner* self = owner.get();
  owner->partition_ = std::make_unique<LogPartition>(
      *doors.log, *doors.clock,
      [self](ShardId id, format::LogRecord& record, uint64_t seq) {
        if (auto shard = self->FindShard(id)) shard->Apply(record, seq);
        self->maintenance_->KickFlush();
      },
      options.log);
  owner->partition_->SetRecovered(doors.log->Stats().next_seq - 1);
  MaintenanceOptions maintenance = options.maintenance;
  // Before writers have to wait.
  maintenance.flush.all_bytes = options.gate.unflushed_bytes_max / 4 * 3;
  Maintenance::LogEvents log;
  log.stats = [self] { return self->doors_.log->Stats(); };
  log.looked = [self] {
    self->TruncateLog();
    self->gate_.Look();
  };
  owner->maintenance_ = std::make_unique<Maintenance>(
      maintenance, *doors.clock, [self] { return self->Shards(); }, std::move(log));
  if (maintenance.threads) owner->gate_.Start();
  owner->maintenance_->KickFlush();
  return owner;
}

ShardOwner::~ShardOwner() {
  // A start that failed half-way has neither.
  if (maintenance_ != nullptr) maintenance_->Stop();
  gate_.Close();
  partition_.reset();  // what was accepted is applied and answered
}

void ShardOwner::OpenShard(ShardId id, const service::CollectionPtr& collection) {
  auto shard =
      std::make_shared<Shard>(id, collection, ShardFiles(*doors_.meta, *doors_.objects, id));
  auto open = [&]() -> Status {
    ASSIGN_OR_RETURN(CommittedManifest committed, shard->files().Load(collection->id));
    ASSIGN_OR_RETURN(std::vector<SealedPtr> sealed,
                     OpenSegments(shard->files(), *committed.manifest));
    doors_.clock->AdvanceTo(committed.manifest->checkpoint_timestamp);
    for (const format::SegmentRef& ref : committed.manifest->segments) {
      doors_.clock->AdvanceTo(ref.last_timestamp);
      doors_.clock->AdvanceTo(
          static_cast<model::Timestamp>(ref.id.value));  // ids are made of timestamps
    }
    shard->Adopt(std::move(committed), std::move(sealed));
    return Status::Ok();
  };
  if (Status status = open(); !status.ok()) {
    LogError("shard parked shard={} collection={} error={}", id.value, collection->name,
             status.message());
    shard->Park(std::move(status));
  }
  MutexLock lock(mutex_);
  shards_.emplace(id, std::move(shard));
}

Status ShardOwner::RemoveRestOfDropped() {
  ASSIGN_OR_RETURN(std::vector<ShardId> shards, ShardFiles::List(*doors_.meta));
  for (ShardId id : shards) {
    if (FindShard(id) != nullptr) continue;
    RETURN_IF_ERROR(ShardFiles(*doors_.meta, *doors_.objects, id).RemoveRest());
  }
  return Status::Ok();
}

Status ShardOwner::Replay() {
  const storage::LogStats stats = doors_.log->Stats();
  if (stats.first_seq == stats.next_seq) return Status::Ok();
  ASSIGN_OR_RETURN(auto cursor, doors_.log->Read(stats.first_seq));
  for (;;) {
    ASSIGN_OR_RETURN(std::optional<storage::LogEntry> entry, cursor->Next());
    if (!entry) return Status::Ok();
    auto shard = FindShard(entry->shard);
    if (shard == nullptr || !shard->fault().ok()) continue;  // dropped, or parked already
    auto record = format::DecodeLogRecord(entry->payload);
    if (!record.has_value()) {
      LogError("shard parked shard={} log_seq={} error={}", shard->id().value, entry->seq,
               record.error().message());
      shard->Park(record.error());
      continue;
    }
    doors_.clock->AdvanceTo(record->timestamp);
    shard->Apply(*record, entry->seq);
  }
}

std::shared_ptr<Shard> ShardOwner::FindShard(ShardId id) const {
  MutexLock lock(mutex_);
  auto it = shards_.find(id);
  return it == shards_.end() ? nullptr : it->second;
}

Result<std::shared_ptr<Shard>> ShardOwner::ServingShard(ShardId id) const {
  auto shard = FindShard(id);
  if (shard == nullptr) {
    return Error(Code::kChannelNotFound, fmt::format("channel not found[channel={}]", id.value));
  }
  RETURN_IF_ERROR(shard->fault());
  return shard;
}

std::vector<std::shared_ptr<Shard>> ShardOwner::Shards() const {
  std::vector<std::shared_ptr<Shard>> all;
  MutexLock lock(mutex_);
  for (const auto& [id, shard] : shards_) all.push_back(shard);
  return all;
}

void ShardOwner::Write(service::WriteRequest request, service::WriteDone done) {
  auto shard = ServingShard(request.shard);
  if (!shard.has_value()) return done(Error(shard.error()));
  if (request.rows.rows == 0) return Append(*shard, std::move(request), std::move(done));
  const uint64_t bytes = BytesOf(request.rows);
  const bool entered = gate_.Enter(bytes, [this, shard = *shard, request = std::move(request),
                                           done = std::move(done)](Status room) mutable {
    if (room.ok()) room = shard->fault();  // it may have waited
    if (!room.ok()) return done(Error(std::move(room)));
    Append(shard, std::move(request), std::move(done));
  });
  if (!entered) maintenance_->KickFlush();
}

void ShardOwner::Append(const std::shared_ptr<Shard>& shard, service::WriteRequest request,
                        service::WriteDone done) {
  format::LogRecord record{.kind = format::LogRecord::Kind::kWrite,
                           .collection = request.collection,
                           .schema_version = request.schema_version,
                           .partition = request.partition,
                           .delete_everywhere = request.delete_everywhere,
                           .deletes = std::move(request.deletes),
                           .rows = std::move(request.rows)};
  const PartitionId partition = request.partition;
  auto check = [shard, partition]() -> Status {
    const service::CollectionPtr collection = shard->collection();
    const bool exists = !partition || std::ranges::any_of(collection->partitions,
                                                          [&](const model::PartitionInfo& p) {
                                                            return p.id == partition;
                                                          });
    if (exists) return Status::Ok();
    return {Code::kPartitionNotFound,
            fmt::format("partition not found[partition={}]", partition.value)};
  };
  partition_->Append(request.shard, std::move(record), std::move(check),
                     [done = std::move(done)](Result<model::Timestamp> ts) mutable {
                       if (!ts.has_value()) return done(Error(ts.error()));
                       done(service::WriteReply{*ts});
                     });
}

Result<model::Timestamp> ShardOwner::ReadAt(const service::ReadPoint& point, const Cancel& cancel) {
  if (!point.exactly) return partition_->WaitApplied(point.guarantee, cancel);
  RETURN_IF_ERROR(StatusOf(partition_->WaitApplied(*point.exactly, cancel)));
  return *point.exactly;
}

Result<service::SearchReply> ShardOwner::Search(const service::SearchRequest& request,
                                                const Cancel& cancel) {
  ASSIGN_OR_RETURN(auto shard, ServingShard(request.shard));
  ASSIGN_OR_RETURN(model::Timestamp at, ReadAt(request.read, cancel));
  const Crew::Turn turn(crew_);
  return SearchShard(*shard, request,
                     {at, cancel, &filters_, &crew_, [this] { maintenance_->KickGraphs(); }});
}

Result<service::QueryReply> ShardOwner::Query(const service::QueryRequest& request,
                                              const Cancel& cancel) {
  ASSIGN_OR_RETURN(auto shard, ServingShard(request.shard));
  ASSIGN_OR_RETURN(model::Timestamp at, ReadAt(request.read, cancel));
  const Crew::Turn turn(crew_);
  return QueryShard(*shard, request, {at, cancel, &filters_, &crew_});
}

Result<std::vector<SegmentId>> ShardOwner::Flush(ShardId id, const Cancel& cancel) {
  ASSIGN_OR_RETURN(auto shard, ServingShard(id));
  RETURN_IF_ERROR(maintenance_->Flush(shard, cancel));
  std::vector<SegmentId> ids;
  for (const SealedPtr& segment : shard->sealed()) ids.push_back(segment->id());
  return ids;
}

Result<service::ShardStats> ShardOwner::Stats(ShardId id) const {
  auto shard = FindShard(id);
  if (shard == nullptr) {
    return Error(Code::kChannelNotFound, fmt::format("channel not found[channel={}]", id.value));
  }
  return shard->Stats();
}

Result<service::CompactionPlans> ShardOwner::Compact(const service::CompactionRequest& request) {
  ASSIGN_OR_RETURN(auto shard, ServingShard(request.shard));
  ASSIGN_OR_RETURN(auto plans, maintenance_->Order(*shard, request));
  return service::CompactionPlans{std::move(plans)};
}

Result<service::CompactionPlans> ShardOwner::Compactions(
    const service::CompactionFilter& filter) const {
  return service::CompactionPlans{maintenance_->Orders(filter)};
}

Status ShardOwner::Barrier(const std::shared_ptr<Shard>& shard, format::LogRecord record) {
  std::promise<Status> promise;
  auto applied = promise.get_future();
  partition_->Append(
      shard->id(), std::move(record), [] { return Status::Ok(); },
      [&promise](Result<model::Timestamp> ts) { promise.set_value(StatusOf(ts)); });
  return applied.get();
}

Status ShardOwner::Change(const service::ShardChange& change) {
  using Kind = service::ShardChange::Kind;
  if (change.kind == Kind::kDrop) return DropShard(change.shard);
  auto shard = FindShard(change.shard);
  bool loads = false;
  if (shard == nullptr) {
    OpenShard(change.shard, change.collection);
    shard = FindShard(change.shard);
  } else {
    loads = shard->SetCollection(change.collection);
  }
  if (change.kind == Kind::kDropPartition || change.kind == Kind::kTruncate) {
    const bool truncate = change.kind == Kind::kTruncate;
    RETURN_IF_ERROR(Barrier(shard, {.kind = truncate ? format::LogRecord::Kind::kTruncate
                                                     : format::LogRecord::Kind::kDropPartition,
                                    .collection = change.collection->id,
                                    .partition = change.partition}));
    maintenance_->KickFlush();
  }
  maintenance_->Changed(change.shard);
  if (loads) maintenance_->AwaitLoads(kLoadWaitUs);
  return Status::Ok();
}

Status ShardOwner::DropShard(ShardId id) {
  std::shared_ptr<Shard> shard;
  {
    MutexLock lock(mutex_);
    auto it = shards_.find(id);
    if (it == shards_.end()) {
      shard = nullptr;
    } else {
      shard = it->second;
      shards_.erase(it);
    }
  }
  if (shard == nullptr) {
    // Dropped before a crash came in between: its files may still be there.
    return ShardFiles(*doors_.meta, *doors_.objects, id).RemoveAll();
  }
  shard->Drop();
  maintenance_->Cancel(id);
  return shard->files().RemoveAll();
}

void ShardOwner::TruncateLog() {
  uint64_t below = partition_->applied_seq() + 1;
  for (const auto& shard : Shards()) {
    if (const uint64_t first = shard->first_unflushed_seq(); first != 0)
      below = std::min(below, first);
    if (!shard->fault().ok()) return;  // a parked shard's records are kept for its repair
  }
  if (Status status = doors_.log->Truncate(below); !status.ok()) {
    LogWarn("log not truncated below_seq={} error={}", below, status.message());
  }
}

uint64_t ShardOwner::UnflushedBytes() const {
  uint64_t bytes = 0;
  for (const auto& shard : Shards()) bytes += shard->unflushed_bytes();
  return bytes;
}

ShardOwner::Counters ShardOwner::counters() const {
  Counters counters;
  if (maintenance_ != nullptr) {
    counters.maintenance = maintenance_->counts();
    counters.bytes_builds = maintenance_->budget().bytes_taken();
    counters.builds_waiting = maintenance_->budget().jobs_waiting();
  }
  counters.bytes_unflushed = UnflushedBytes();
  counters.writers_waiting = gate_.writers_waiting();
  if (partition_ != nullptr) {
    counters.bytes_in_flight = partition_->bytes_in_flight();
    counters.writers_waiting += partition_->writers_waiting();
  }
  for (const auto& shard : Shards()) {
    ++counters.shards;
    if (!shard->fault().ok()) ++counters.shards_parked;
    for (const SealedPtr& segment : shard->sealed()) {
      ++counters.segments_sealed;
      const segment::SealedSegment::Resident resident = segment->resident();
      counters.bytes_vectors += resident.vectors;
      counters.bytes_indexes += resident.indexes;
    }
    for (const GrowingPtr& segment : shard->growing()) {
      ++counters.segments_growing;
      counters.bytes_graphs += segment->graph_bytes();
    }
  }
  return counters;
}

}  // namespace elanus::worker
