#include "coordinator/catalog.h"

#include <fmt/core.h>

#include "base/codec.h"
#include "base/log.h"

namespace elanus::coordinator {

namespace {

constexpr const char* kFormKey = "catalog/form";
constexpr const char* kVersionKey = "catalog/version";
constexpr const char* kDatabases = "catalog/database/";
constexpr const char* kCollections = "catalog/collection/";
constexpr const char* kPending = "catalog/pending/";

// Fixed width, so that the order of keys is the order of numbers.
std::string Key(const char* prefix, uint64_t number) {
  return fmt::format("{}{:020}", prefix, number);
}
std::string Key(DatabaseId id) { return Key(kDatabases, static_cast<uint64_t>(id.value)); }
std::string Key(CollectionId id) { return Key(kCollections, static_cast<uint64_t>(id.value)); }

Result<uint64_t> NumberOfKey(const std::string& key, std::string_view prefix) {
  uint64_t number = 0;
  for (char c : std::string_view(key).substr(prefix.size())) {
    if (c < '0' || c > '9') {
      return Error(Code::kDataIntegrity, "catalog key " + key + ": data integrity check failed");
    }
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return number;
}

/// A store that names no form has the first one, or is from before forms were counted.
template <class T>
Result<T> Decode(const storage::MetaEntry& entry, std::optional<uint64_t> form) {
  Result<T> value = DecodeBytes<T>(entry.value, entry.key, form.value_or(1));
  if (value.has_value() || form.has_value()) return value;
  return Error(Code::kDataIntegrity,
               fmt::format("{} was written by a version of Elanus older than catalog form 1, and "
                           "this one reads the forms 1 to {}: open the data folder with the "
                           "version that wrote it, or load the data anew",
                           entry.key, kCatalogForm));
}

}  // namespace

Catalog::Catalog(storage::MetaStore& store)
    : store_(store), state_(std::make_shared<const CatalogState>()) {}

CatalogStatePtr Catalog::state() const {
  MutexLock lock(mutex_);
  return state_;
}

Status Catalog::Load(model::HybridClock& clock) {
  loaded_ = false;
  pending_.clear();
  RETURN_IF_ERROR(LoadRecords(clock));
  loaded_ = true;
  if (state()->databases().contains(kDefaultDatabaseId)) return Status::Ok();
  DdlPlan plan;
  plan.put_databases.push_back({.id = kDefaultDatabaseId,
                                .name = std::string(model::kDefaultDatabase),
                                .created = clock.Next()});
  RETURN_IF_ERROR(StatusOf(Commit(plan)));
  Publish(plan);
  return Status::Ok();
}

Result<std::optional<uint64_t>> Catalog::ReadForm() {
  ASSIGN_OR_RETURN(auto entry, store_.Get(kFormKey));
  if (!entry.has_value()) return std::optional<uint64_t>();
  ASSIGN_OR_RETURN(const uint64_t form, DecodeBytes<uint64_t>(entry->value, kFormKey));
  if (form > kCatalogForm) {
    return Error(
        Code::kDataIntegrity,
        fmt::format("the data folder was written by a newer version of Elanus: its catalog has "
                    "form {}, this one reads the forms 1 to {}: open it with the newer version",
                    form, kCatalogForm));
  }
  return std::optional<uint64_t>(form);
}

// One transaction: a store is of one form as a whole.
Status Catalog::WriteAnew() {
  storage::MetaTxn txn;
  txn.compares.push_back({kVersionKey, version_revision_});
  txn.puts.push_back({kVersionKey, EncodeBytes(version_ + 1)});
  txn.puts.push_back({kFormKey, EncodeBytes(kCatalogForm)});
  const CatalogStatePtr now = state();
  for (const auto& [id, info] : now->databases()) txn.puts.push_back({Key(id), EncodeBytes(info)});
  for (const auto& [id, info] : now->collections()) {
    txn.puts.push_back({Key(id), EncodeBytes(*info)});
  }
  for (const auto& [number, removal] : pending_) {
    txn.puts.push_back({Key(kPending, number), EncodeBytes(removal)});
  }
  ASSIGN_OR_RETURN(auto commit, store_.Commit(txn));
  if (!commit.committed) {
    return {Code::kUnavailable,
            "the catalog was changed by another coordinator: service unavailable"};
  }
  ++version_;
  version_revision_ = commit.revision;
  return Status::Ok();
}

Status Catalog::LoadRecords(model::HybridClock& clock) {
  ASSIGN_OR_RETURN(const std::optional<uint64_t> form, ReadForm());
  ASSIGN_OR_RETURN(auto version, store_.Get(kVersionKey));
  version_ = 0;
  version_revision_ = 0;
  if (version.has_value()) {
    ASSIGN_OR_RETURN(version_, DecodeBytes<uint64_t>(version->value, kVersionKey));
    version_revision_ = version->revision;
  }
  auto state = std::make_shared<CatalogState>();
  ASSIGN_OR_RETURN(auto databases, store_.Range(kDatabases));
  for (const auto& entry : databases) {
    ASSIGN_OR_RETURN(auto info, Decode<model::DatabaseInfo>(entry, form));
    clock.AdvanceTo(info.created);
    state->Put(info);
  }
  ASSIGN_OR_RETURN(auto collections, store_.Range(kCollections));
  for (const auto& entry : collections) {
    ASSIGN_OR_RETURN(auto info, Decode<model::CollectionInfo>(entry, form));
    clock.AdvanceTo(std::max(info.created, info.updated));
    state->Put(std::make_shared<const model::CollectionInfo>(std::move(info)));
  }
  ASSIGN_OR_RETURN(auto pending, store_.Range(kPending));
  for (const auto& entry : pending) {
    ASSIGN_OR_RETURN(uint64_t number, NumberOfKey(entry.key, kPending));
    ASSIGN_OR_RETURN(auto removal, Decode<Removal>(entry, form));
    if (removal.collection == nullptr) {
      return {Code::kDataIntegrity,
              entry.key + " names no collection: data integrity check failed"};
    }
    pending_.emplace(number, std::move(removal));
  }
  {
    MutexLock lock(mutex_);
    state_ = std::move(state);
  }
  return form == kCatalogForm ? Status::Ok() : WriteAnew();
}

Result<uint64_t> Catalog::Commit(const DdlPlan& plan) {
  storage::MetaTxn txn;
  txn.compares.push_back({kVersionKey, version_revision_});
  txn.puts.push_back({kVersionKey, EncodeBytes(version_ + 1)});
  for (const auto& info : plan.put_databases) txn.puts.push_back({Key(info.id), EncodeBytes(info)});
  for (DatabaseId id : plan.drop_databases) txn.deletes.push_back(Key(id));
  for (const auto& info : plan.put_collections) {
    txn.puts.push_back({Key(info->id), EncodeBytes(*info)});
  }
  for (CollectionId id : plan.drop_collections) txn.deletes.push_back(Key(id));
  const uint64_t number = version_ + 1;
  if (plan.removal) txn.puts.push_back({Key(kPending, number), EncodeBytes(*plan.removal)});

  loaded_ = false;  // until the outcome is known
  ASSIGN_OR_RETURN(auto commit, store_.Commit(txn));
  if (!commit.committed) {
    return Error(Code::kUnavailable,
                 "the catalog was changed by another coordinator: service unavailable");
  }
  loaded_ = true;
  version_ = number;
  version_revision_ = commit.revision;
  if (plan.removal) pending_.emplace(number, *plan.removal);
  return number;
}

void Catalog::Publish(const DdlPlan& plan) {
  auto next = std::make_shared<CatalogState>(*state());
  for (DatabaseId id : plan.drop_databases) next->Drop(id);
  for (CollectionId id : plan.drop_collections) next->Drop(id);
  for (const auto& info : plan.put_databases) next->Put(info);
  // First all old names go, so that an alias can move between two collections of one plan.
  for (const auto& info : plan.put_collections) next->Drop(info->id);
  for (const auto& info : plan.put_collections) next->Put(info);
  MutexLock lock(mutex_);
  state_ = std::move(next);
}

Status Catalog::Confirm(uint64_t number) {
  if (!pending_.contains(number)) return Status::Ok();
  storage::MetaTxn txn;
  txn.deletes.push_back(Key(kPending, number));
  RETURN_IF_ERROR(StatusOf(store_.Commit(txn)));
  pending_.erase(number);
  return Status::Ok();
}

}  // namespace elanus::coordinator
