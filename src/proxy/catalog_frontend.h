// The proxy's door for the catalog: DDL is checked here and carried out by the coordinator;
// descriptions come from the coordinator, counters from the shards. Called by gateway/.
// Threads: any; DDL blocks its caller.
#pragma once

#include "proxy/backends.h"
#include "service/frontend.h"

namespace elanus::proxy {

class CatalogFrontend final : public service::FrontendCatalog {
 public:
  CatalogFrontend(service::Coordinator& coordinator, service::ShardService& shards,
                  model::HybridClock& clock)
      : backends_{coordinator, shards, clock} {}

  Status Ddl(const service::CallContext& call, const service::DdlRequest& request) override;
  Result<service::CollectionPtr> Describe(const service::CallContext& call,
                                          const std::string& collection) override;
  Result<service::CollectionPtr> Describe(const service::CallContext& call,
                                          CollectionId id) override;
  Result<std::vector<service::CollectionPtr>> ListCollections(
      const service::CallContext& call) override;
  std::vector<model::DatabaseInfo> ListDatabases() override;
  Result<model::DatabaseInfo> DescribeDatabase(const std::string& name) override;
  Result<bool> HasPartition(const service::CallContext& call, const std::string& collection,
                            const std::string& partition) override;
  Result<std::vector<std::pair<std::string, std::string>>> ListAliases(
      const service::CallContext& call, const std::string& collection) override;
  Result<int64_t> RowCount(const service::CallContext& call, const std::string& collection,
                           const std::string& partition) override;
  Result<std::vector<service::SegmentStats>> Segments(const service::CallContext& call,
                                                      const std::string& collection) override;
  Result<std::vector<service::IndexDescription>> DescribeIndex(
      const service::CallContext& call, const std::string& collection, const std::string& field,
      const std::string& index_name) override;
  Result<service::LoadStatus> LoadProgress(const service::CallContext& call,
                                           const std::string& collection,
                                           const std::vector<std::string>& partitions) override;
  model::Timestamp AllocTimestamp() override { return backends_.clock.Next(); }

 private:
  Result<std::vector<service::SegmentStats>> SegmentsOf(
      const model::CollectionInfo& collection) const;

  const Backends backends_;
};

}  // namespace elanus::proxy
