// The stored catalog: records in the MetaStore, and their current state in memory.
// Holds: keys carry ids, never names; every change is one transaction that also moves
// `catalog/version` by compare-and-swap, so a coordinator that lost its leadership cannot commit.
// After an outcome that is not known (I/O error, lost race) nothing more is committed before
// Load() has read the store again; all records of a store are of one form, which it names.
// Keys: docs/format/catalog.md.
// Called by CoordinatorService. Threads: state() from any; the others from one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "base/mutex.h"
#include "coordinator/plan.h"
#include "coordinator/state.h"
#include "model/hybrid_time.h"
#include "storage/meta/meta_store.h"

namespace elanus::coordinator {

/// The form of the records: counted up with every change of a struct that is stored, whose new
/// members then say `v.Since(kCatalogForm, ...)`.
inline constexpr uint64_t kCatalogForm = 3;

using CatalogStatePtr = std::shared_ptr<const CatalogState>;

class Catalog {
 public:
  explicit Catalog(storage::MetaStore& store);

  /// Reads everything, writes it anew when it is of an older form; creates the default database in
  /// an empty store. Errors: kDataIntegrity for a form that this program does not know, and for
  /// records that are not of the form they should be.
  Status Load(model::HybridClock& clock);
  bool loaded() const { return loaded_; }

  CatalogStatePtr state() const EXCLUDES(mutex_);

  /// Stores a plan, its removal included. Returns the plan's number. The state in memory does not
  /// change before Publish.
  Result<uint64_t> Commit(const DdlPlan& plan);
  void Publish(const DdlPlan& plan) EXCLUDES(mutex_);

  /// Removals that were stored and not yet confirmed by every shard, oldest first.
  const std::map<uint64_t, Removal>& pending() const { return pending_; }
  /// Forgets a removal that every shard has carried out.
  Status Confirm(uint64_t number);

 private:
  Status LoadRecords(model::HybridClock& clock);
  Result<std::optional<uint64_t>> ReadForm();
  Status WriteAnew();

  storage::MetaStore& store_;
  bool loaded_ = false;
  uint64_t version_ = 0;          ///< of the last change
  int64_t version_revision_ = 0;  ///< of its key in the store
  std::map<uint64_t, Removal> pending_;

  mutable Mutex mutex_;
  CatalogStatePtr state_ GUARDED_BY(mutex_);
};

}  // namespace elanus::coordinator
