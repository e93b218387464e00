// The catalog at one moment: every database and collection, found by id and by name.
// Holds: immutable once shared; a change copies it, edits the copy and swaps the pointer, so
// readers never wait for a change. The name indexes are built from the records, never stored.
// Called by the plans (plan.h) and by CoordinatorService. Threads: any number of readers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "model/collection.h"
#include "service/coordinator.h"

namespace elanus::coordinator {

inline constexpr DatabaseId kDefaultDatabaseId{1};

class CatalogState {
 public:
  using Name = std::pair<DatabaseId, std::string>;

  void Put(const model::DatabaseInfo& database);
  void Put(service::CollectionPtr collection);
  void Drop(DatabaseId database);
  void Drop(CollectionId collection);

  /// kDatabaseNotFound: `database not found[database=X]`; an empty name is the default database.
  Result<const model::DatabaseInfo*> FindDatabase(std::string_view name) const;

  /// By name or alias. kCollectionNotFound: `collection not found[database=D][collection=X]`.
  Result<service::CollectionPtr> Find(const std::string& database, const std::string& name) const;
  Result<service::CollectionPtr> Find(CollectionId id) const;
  /// By the collection's own name only; nullptr when there is none.
  service::CollectionPtr FindNamed(DatabaseId database, const std::string& name) const;
  /// The collection an alias stands for; nullptr when there is none.
  service::CollectionPtr FindAlias(DatabaseId database, const std::string& alias) const;

  const std::map<DatabaseId, model::DatabaseInfo>& databases() const { return databases_; }
  const std::map<CollectionId, service::CollectionPtr>& collections() const { return collections_; }

 private:
  std::map<DatabaseId, model::DatabaseInfo> databases_;
  std::map<CollectionId, service::CollectionPtr> collections_;
  std::map<Name, CollectionId> names_;
  std::map<Name, CollectionId> aliases_;
};

/// `collection not found[database=D][collection=X]`.
Status CollectionNotFound(std::string_view database, std::string_view name);

}  // namespace elanus::coordinator
