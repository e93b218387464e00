// The owner of this process's shards: what the proxy talks to.
// Holds: an acknowledged write is durable and visible; a read picks its timestamp, then its
// segments. Called by the proxy and the coordinator through service::ShardService. Threads: any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/crew.h"
#include "base/mutex.h"
#include "model/hybrid_time.h"
#include "query/filter_cache.h"
#include "service/coordinator.h"
#include "service/shard.h"
#include "storage/log/log.h"
#include "storage/meta/meta_store.h"
#include "storage/object/object_store.h"
#include "worker/stream/log_partition.h"
#include "worker/stream/maintenance.h"
#include "worker/stream/shard.h"
#include "worker/stream/write_gate.h"

namespace elanus::worker {

struct ShardOwnerDoors {
  storage::MetaStore* meta = nullptr;
  storage::ObjectStore* objects = nullptr;
  storage::Log* log = nullptr;
  model::HybridClock* clock = nullptr;
};

struct ShardOwnerOptions {
  MaintenanceOptions maintenance;
  /// Of the rows not yet in files, of all shards.
  WriteGateOptions gate;
  /// Of the way through the log. Its `broken` (a failed sync, a newer writer: nothing will be
  /// written any more) must not call the owner.
  LogPartitionOptions log;
  uint64_t filter_bytes_max = 32 << 20;  ///< answers of filters that are kept, of all shards
  size_t read_cores = 1;                 ///< a read that can be split uses as many as are idle
};

class ShardOwner final : public service::ShardService {
 public:
  /// Opens every shard of the collections, which are all there are, from its manifest and replays
  /// the log. A shard whose
  /// files are damaged is parked with its error; the others serve. Errors: the log's.
  static Result<std::unique_ptr<ShardOwner>> Open(
      const ShardOwnerDoors& doors, const ShardOwnerOptions& options,
      const std::vector<service::CollectionPtr>& collections);
  ~ShardOwner() override;

  void Write(service::WriteRequest request, service::WriteDone done) override;
  Result<service::SearchReply> Search(const service::SearchRequest& request,
                                      const Cancel& cancel) override;
  Result<service::QueryReply> Query(const service::QueryRequest& request,
                                    const Cancel& cancel) override;
  Result<std::vector<SegmentId>> Flush(ShardId shard, const Cancel& cancel) override;
  Result<service::ShardStats> Stats(ShardId shard) const override;
  Result<service::CompactionPlans> Compact(const service::CompactionRequest& request) override;
  Result<service::CompactionPlans> Compactions(
      const service::CompactionFilter& filter) const override;
  Status Change(const service::ShardChange& change) override;

  /// See Maintenance::RunOnce.
  bool RunMaintenance() {
    const bool worked = maintenance_->RunOnce();
    gate_.Look();
    return worked;
  }

  struct Counters {
    JobCounts maintenance;
    uint64_t shards = 0;
    uint64_t shards_parked = 0;
    uint64_t segments_sealed = 0;
    uint64_t segments_growing = 0;
    uint64_t bytes_unflushed = 0;
    uint64_t bytes_vectors = 0;   ///< resident, of sealed segments
    uint64_t bytes_indexes = 0;   ///< resident
    uint64_t bytes_graphs = 0;    ///< of growing segments
    uint64_t bytes_builds = 0;    ///< what merges and builds that run stated as their peak
    uint64_t builds_waiting = 0;  ///< for memory
    uint64_t bytes_in_flight = 0;
    uint64_t writers_waiting = 0;  ///< for a flush or for the log
  };
  Counters counters() const;

  /// Whoever helps with its reads. A proxy in the same process asks shards with it too: both count
  /// the same cores.
  Crew& crew() { return crew_; }

 private:
  ShardOwner(const ShardOwnerDoors& doors, const ShardOwnerOptions& options);

  void OpenShard(ShardId id, const service::CollectionPtr& collection) EXCLUDES(mutex_);
  Status RemoveRestOfDropped();
  Status Replay();
  std::shared_ptr<Shard> FindShard(ShardId id) const EXCLUDES(mutex_);
  Result<std::shared_ptr<Shard>> ServingShard(ShardId id) const EXCLUDES(mutex_);
  std::vector<std::shared_ptr<Shard>> Shards() const EXCLUDES(mutex_);
  Result<model::Timestamp> ReadAt(const service::ReadPoint& point, const Cancel& cancel);
  Status Barrier(const std::shared_ptr<Shard>& shard, format::LogRecord record);
  Status DropShard(ShardId id) EXCLUDES(mutex_);
  uint64_t UnflushedBytes() const EXCLUDES(mutex_);
  void TruncateLog();
  void Append(const std::shared_ptr<Shard>& shard, service::WriteRequest request,
              service::WriteDone done);

  const ShardOwnerDoors doors_;
  const ShardOwnerOptions options_;
  query::FilterCache filters_;
  Crew crew_;
  mutable Mutex mutex_;
  std::map<ShardId, std::shared_ptr<Shard>> shards_ GUARDED_BY(mutex_);
  std::unique_ptr<LogPartition> partition_;
  std::unique_ptr<Maintenance> maintenance_;
  WriteGate gate_;
};

}  // namespace elanus::worker
