// The coordinator: carries DDL plans out, in the catalog and on the shards.
// Holds: changes happen one after another; a change is stored first, then sent to every shard it
// concerns. What adds (a collection, a partition, a field) becomes visible after the shards know
// it, what removes before they do. A crash in between is repaired by Recover: every shard gets its
// collection's description again, and removals are repeated until all shards
// confirmed them.
// Called by the proxy (service::Coordinator) and by server/ (Recover). Threads: reads from any,
// without waiting for a change; Execute from any, one runs at a time.
#pragma once

#include <set>

#include "base/mutex.h"
#include "coordinator/catalog.h"
#include "coordinator/id_allocator.h"
#include "model/hybrid_time.h"
#include "service/coordinator.h"
#include "service/shard.h"
#include "storage/meta/meta_store.h"

namespace elanus::coordinator {

class CoordinatorService final : public service::Coordinator {
 public:
  CoordinatorService(storage::MetaStore& store, service::ShardService& shards,
                     model::HybridClock& clock)
      : shards_(shards), clock_(clock), ids_(store, clock), catalog_(store) {}

  /// Reads the catalog and brings every shard to it; called once before the server serves. A shard
  /// that refuses is logged and tried again with the next change: one bad shard stops nothing else.
  Status Recover() EXCLUDES(turn_);

  Status Execute(const service::DdlRequest& request) override EXCLUDES(turn_);

  Result<service::CollectionPtr> FindCollection(const std::string& database,
                                                const std::string& name) const override;
  Result<service::CollectionPtr> FindCollection(CollectionId id) const override;
  Result<std::vector<service::CollectionPtr>> ListCollections(
      const std::string& database) const override;
  std::vector<model::DatabaseInfo> ListDatabases() const override;
  Result<model::DatabaseInfo> FindDatabase(const std::string& name) const override;
  Result<int64_t> AllocateIds(int64_t count) override { return ids_.Allocate(count); }

 private:
  Status RecoverInTurn() REQUIRES(turn_);
  Status Carry(const DdlPlan& plan) REQUIRES(turn_);
  Status SendToShards(service::ShardChange change) REQUIRES(turn_);
  Status SendRemoval(const Removal& removal) REQUIRES(turn_);
  Status SendDescriptions(const DdlPlan& plan) REQUIRES(turn_);
  Status FinishRemovals() REQUIRES(turn_);
  void ResendDescriptions() REQUIRES(turn_);
  void RetryLeftovers() REQUIRES(turn_);

  service::ShardService& shards_;
  model::HybridClock& clock_;
  IdAllocator ids_;
  // The turn to change the catalog. Held across the I/O of a change: that is its purpose. Readers
  // and AllocateIds never take it.
  Mutex turn_;
  Catalog catalog_;
  /// Collections whose shards may not have the current description.
  std::set<CollectionId> stale_ GUARDED_BY(turn_);
};

}  // namespace elanus::coordinator
