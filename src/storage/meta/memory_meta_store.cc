// Keys in an ordered map: the form for unit tests and simulation, and the reference for the others.
#include <map>
#include <utility>

#include "base/mutex.h"
#include "storage/meta/meta_store.h"

namespace elanus::storage {
namespace {

class MemoryMetaStore final : public MetaStore {
 public:
  Result<std::optional<MetaEntry>> Get(const std::string& key) override {
    MutexLock lock(mutex_);
    auto it = entries_.find(key);
    if (it == entries_.end()) return std::nullopt;
    return it->second;
  }

  Result<std::vector<MetaEntry>> Range(const std::string& prefix) override {
    MutexLock lock(mutex_);
    std::vector<MetaEntry> found;
    for (auto it = entries_.lower_bound(prefix); it != entries_.end(); ++it) {
      if (!it->first.starts_with(prefix)) break;
      found.push_back(it->second);
    }
    return found;
  }

  Result<MetaCommit> Commit(const MetaTxn& txn) override {
    MutexLock lock(mutex_);
    for (const MetaCompare& compare : txn.compares) {
      auto it = entries_.find(compare.key);
      const int64_t revision = it == entries_.end() ? 0 : it->second.revision;
      if (revision != compare.revision) return MetaCommit{false, revision_};
    }
    ++revision_;
    for (const std::string& key : txn.deletes) entries_.erase(key);
    for (const auto& [key, value] : txn.puts) entries_[key] = {key, value, revision_};
    return MetaCommit{true, revision_};
  }

 private:
  Mutex mutex_;
  std::map<std::string, MetaEntry> entries_ GUARDED_BY(mutex_);
  int64_t revision_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<MetaStore> NewMemoryMetaStore() { return std::make_unique<MemoryMetaStore>(); }

}  // namespace elanus::storage
