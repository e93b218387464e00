// The door to the few, small facts that move: catalog entries and the heads of manifests.
// Holds: Commit changes all of its keys or none and is durable when it returns; revisions are one
// counter of the whole store, so a key's revision only grows and never comes back after a delete.
// Three forms: memory, RocksDB, and faulty round either. The cluster adds an etcd form and with it
// Watch(prefix, from revision) and leases; nothing here may assume that only this process commits.
// Called by coordinator/ (catalog) and worker/ (manifest heads). Threads: safe from any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace elanus::storage {

struct MetaEntry {
  std::string key;
  std::string value;
  int64_t revision = 0;  ///< of the commit that wrote it, > 0
  friend bool operator==(const MetaEntry&, const MetaEntry&) = default;
};

/// Holds when the key's revision is still this one; 0 = the key must be absent.
struct MetaCompare {
  std::string key;
  int64_t revision = 0;
};

/// A key may be in puts or in deletes, not in both; the last put of one key wins.
struct MetaTxn {
  std::vector<MetaCompare> compares;
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;
};

struct MetaCommit {
  bool committed = false;  ///< false: a compare did not hold and nothing was changed
  int64_t revision = 0;    ///< of this commit, or the store's newest one when not committed
};

class MetaStore {
 public:
  virtual ~MetaStore() = default;

  virtual Result<std::optional<MetaEntry>> Get(const std::string& key) = 0;
  /// All entries whose key begins with `prefix`, in byte order of the key, as of one moment.
  virtual Result<std::vector<MetaEntry>> Range(const std::string& prefix) = 0;
  /// Errors (kIoFailed, kDiskLimit) leave open whether the commit happened: read before trying
  /// again. Cost: one sync of the disk.
  virtual Result<MetaCommit> Commit(const MetaTxn& txn) = 0;
};

std::unique_ptr<MetaStore> NewMemoryMetaStore();

/// A RocksDB in `dir`, which is created; only one process may open it at a time.
/// Errors: kIoFailed, kDataIntegrity for damaged files.
Result<std::unique_ptr<MetaStore>> OpenRocksMetaStore(const std::string& dir);

}  // namespace elanus::storage
