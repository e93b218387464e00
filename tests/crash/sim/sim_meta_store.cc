#include "sim/sim_meta_store.h"

#include "base/bytes.h"
#include "base/codec.h"
#include "base/crc32c.h"
#include "base/mutex.h"

namespace elanus::crash {
namespace {

/// What one commit changed.
struct Change {
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;
  template <class V>
  void Visit(V& v) {
    v(puts);
    v(deletes);
  }
};

std::string Frame(const storage::MetaTxn& txn) {
  const std::string bytes = EncodeBytes(Change{txn.puts, txn.deletes});
  ByteWriter out;
  out.Fixed(static_cast<uint32_t>(bytes.size()));
  out.Fixed(Crc32c(bytes));
  return out.Take() + bytes;
}

class SimMetaStore final : public storage::MetaStore {
 public:
  explicit SimMetaStore(FileSystem& files) : files_(files) {}

  /// Takes over the whole commits of the journal and makes exactly them durable: a torn one goes,
  /// and one that a killed process left unsynced stays from now on.
  Status Open(const std::string& dir) {
    RETURN_IF_ERROR(files_.CreateDirs(dir));
    const std::string path = dir + "/journal";
    ASSIGN_OR_RETURN(bool exists, files_.Exists(path));
    std::string journal;
    if (exists) {
      ASSIGN_OR_RETURN(journal, files_.ReadFile(path));
      ASSIGN_OR_RETURN(size_t whole, Replay(journal));
      journal.resize(whole);
    }
    RETURN_IF_ERROR(files_.WriteFile(path, journal));
    MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(journal_, files_.OpenWritable(path, OpenMode::kExisting));
    return Status::Ok();
  }

  Result<std::optional<storage::MetaEntry>> Get(const std::string& key) override {
    return memory_->Get(key);
  }
  Result<std::vector<storage::MetaEntry>> Range(const std::string& prefix) override {
    return memory_->Range(prefix);
  }
  Result<storage::MetaCommit> Commit(const storage::MetaTxn& txn) override {
    MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(storage::MetaCommit commit, memory_->Commit(txn));
    if (!commit.committed) return commit;
    RETURN_IF_ERROR(journal_->Append(Frame(txn)));
    RETURN_IF_ERROR(journal_->Sync());
    return commit;
  }

 private:
  /// The bytes of the journal that are whole commits.
  Result<size_t> Replay(std::string_view journal) {
    size_t at = 0;
    for (;;) {
      ByteReader in(journal.substr(at));
      const auto size = in.Fixed<uint32_t>();
      const auto crc = in.Fixed<uint32_t>();
      if (!in.ok() || size == 0 || size > in.remaining()) return at;
      const std::string_view bytes = journal.substr(at + 8, size);
      if (Crc32c(bytes) != crc) return at;
      ASSIGN_OR_RETURN(Change change, DecodeBytes<Change>(bytes, "meta journal"));
      RETURN_IF_ERROR(StatusOf(memory_->Commit({.puts = change.puts, .deletes = change.deletes})));
      at += 8 + size;
    }
  }

  FileSystem& files_;
  const std::unique_ptr<storage::MetaStore> memory_ = storage::NewMemoryMetaStore();
  Mutex mutex_;
  std::unique_ptr<WritableFile> journal_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<storage::MetaStore>> OpenSimMetaStore(FileSystem& files,
                                                             const std::string& dir) {
  auto store = std::make_unique<SimMetaStore>(files);
  RETURN_IF_ERROR(store->Open(dir));
  return store;
}

}  // namespace elanus::crash
