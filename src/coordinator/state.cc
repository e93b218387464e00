#include "coordinator/state.h"

#include <fmt/core.h>

namespace elanus::coordinator {

using service::CollectionPtr;

Status CollectionNotFound(std::string_view database, std::string_view name) {
  return {Code::kCollectionNotFound,
          fmt::format("collection not found[database={}][collection={}]", database, name)};
}

void CatalogState::Put(const model::DatabaseInfo& database) {
  databases_.insert_or_assign(database.id, database);
}

void CatalogState::Put(CollectionPtr collection) {
  Drop(collection->id);
  names_[{collection->database, collection->name}] = collection->id;
  for (const auto& alias : collection->aliases) {
    aliases_[{collection->database, alias}] = collection->id;
  }
  const CollectionId id = collection->id;
  collections_[id] = std::move(collection);
}

void CatalogState::Drop(DatabaseId database) { databases_.erase(database); }

void CatalogState::Drop(CollectionId collection) {
  auto found = collections_.find(collection);
  if (found == collections_.end()) return;
  const auto& info = *found->second;
  names_.erase({info.database, info.name});
  for (const auto& alias : info.aliases) {
    // An alias may have moved to another collection in the same change.
    auto at = aliases_.find({info.database, alias});
    if (at != aliases_.end() && at->second == collection) aliases_.erase(at);
  }
  collections_.erase(found);
}

Result<const model::DatabaseInfo*> CatalogState::FindDatabase(std::string_view name) const {
  if (name.empty()) name = model::kDefaultDatabase;
  for (const auto& [id, database] : databases_) {
    if (database.name == name) return &database;
  }
  return Error(Code::kDatabaseNotFound, fmt::format("database not found[database={}]", name));
}

Result<CollectionPtr> CatalogState::Find(const std::string& database,
                                         const std::string& name) const {
  ASSIGN_OR_RETURN(const model::DatabaseInfo* info, FindDatabase(database));
  if (auto found = FindNamed(info->id, name)) return found;
  if (auto found = FindAlias(info->id, name)) return found;
  return Error(CollectionNotFound(info->name, name));
}

Result<CollectionPtr> CatalogState::Find(CollectionId id) const {
  auto found = collections_.find(id);
  if (found != collections_.end()) return found->second;
  return Error(Code::kCollectionNotFound,
               fmt::format("collection not found[collection={}]", id.value));
}

CollectionPtr CatalogState::FindNamed(DatabaseId database, const std::string& name) const {
  auto found = names_.find({database, name});
  return found == names_.end() ? nullptr : collections_.at(found->second);
}

CollectionPtr CatalogState::FindAlias(DatabaseId database, const std::string& alias) const {
  auto found = aliases_.find({database, alias});
  return found == aliases_.end() ? nullptr : collections_.at(found->second);
}

}  // namespace elanus::coordinator
