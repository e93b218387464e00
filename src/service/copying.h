// The service interfaces with every argument and answer sent through its byte form, as a cluster
// does. For tests: an end-to-end run over these shows that no value smuggles a pointer past the
// boundary. Holds: bytes that do not come back as the same value are an error of the call, never
// silent.
#pragma once

#include "service/coordinator.h"
#include "service/shard.h"

namespace elanus::service {

class CopyingShardService final : public ShardService {
 public:
  explicit CopyingShardService(ShardService& next) : next_(next) {}
  void Write(WriteRequest request, WriteDone done) override;
  Result<SearchReply> Search(const SearchRequest& request, const Cancel& cancel) override;
  Result<QueryReply> Query(const QueryRequest& request, const Cancel& cancel) override;
  Result<std::vector<SegmentId>> Flush(ShardId shard, const Cancel& cancel) override;
  Result<ShardStats> Stats(ShardId shard) const override;
  Result<CompactionPlans> Compact(const CompactionRequest& request) override;
  Result<CompactionPlans> Compactions(const CompactionFilter& filter) const override;
  Status Change(const ShardChange& change) override;

 private:
  ShardService& next_;
};

class CopyingCoordinator final : public Coordinator {
 public:
  explicit CopyingCoordinator(Coordinator& next) : next_(next) {}
  Status Execute(const DdlRequest& request) override;
  Result<CollectionPtr> FindCollection(const std::string& database,
                                       const std::string& name) const override;
  Result<CollectionPtr> FindCollection(CollectionId id) const override;
  Result<std::vector<CollectionPtr>> ListCollections(const std::string& database) const override;
  std::vector<model::DatabaseInfo> ListDatabases() const override;
  Result<model::DatabaseInfo> FindDatabase(const std::string& name) const override;
  Result<int64_t> AllocateIds(int64_t count) override { return next_.AllocateIds(count); }

 private:
  Coordinator& next_;
};

}  // namespace elanus::service
