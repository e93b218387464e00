// The coordinator as the other roles see it: changes of the catalog, and the catalog to read.
// Implemented by coordinator/; in a cluster also by rpc/. Never on the write or read path: a proxy
// keeps what it read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/collection.h"
#include "service/ddl.h"

namespace elanus::service {

using CollectionPtr = std::shared_ptr<const model::CollectionInfo>;

class Coordinator {
 public:
  virtual ~Coordinator() = default;

  /// Makes one change, durable and applied on every shard it concerns when this returns. Idempotent
  /// where Milvus is (dropping what is missing, creating the same again). Blocks for the I/O of the
  /// change.
  virtual Status Execute(const DdlRequest& request) = 0;

  /// By name or alias. kDatabaseNotFound, kCollectionNotFound with Milvus' text.
  virtual Result<CollectionPtr> FindCollection(const std::string& database,
                                               const std::string& name) const = 0;
  virtual Result<CollectionPtr> FindCollection(CollectionId id) const = 0;
  /// In order of creation.
  virtual Result<std::vector<CollectionPtr>> ListCollections(const std::string& database) const = 0;
  virtual std::vector<model::DatabaseInfo> ListDatabases() const = 0;
  virtual Result<model::DatabaseInfo> FindDatabase(const std::string& name) const = 0;

  /// Cluster-unique, growing; auto ids of rows are taken from these in blocks.
  virtual Result<int64_t> AllocateIds(int64_t count) = 0;
};

}  // namespace elanus::service
