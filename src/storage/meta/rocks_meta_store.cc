// The embedded MetaStore: one RocksDB in dir/db, every commit one synced batch, and dir/durable, a
// note of the newest revision known durable.
// Keys on disk: 'k' + key -> revision (8 bytes, little-endian) + value; "r" -> the newest revision.
// Holds: commits go one at a time under commit_mutex_, so compare and write are one step; a
// database that opens with less than the note says is refused as damaged. RocksDB alone cannot tell
// damage from a torn tail: of its recovery modes one drops, silently, every commit behind a flipped
// bit of its log, and the others do not start after a power loss.
#include <fmt/core.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <cstdarg>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "storage/meta/meta_store.h"

namespace elanus::storage {
namespace {

constexpr std::string_view kRevisionKey = "r";

/// RocksDB writes its own log file unless it is given somewhere else to write to.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return Status::Ok();
  Code code = Code::kIoFailed;
  if (status.IsCorruption()) code = Code::kDataIntegrity;
  if (status.IsNoSpace()) code = Code::kDiskLimit;
  return {code, fmt::format("meta store: {}", status.ToString())};
}

/// For a few small keys: little memory, no timer, one background thread.
rocksdb::Options SmallOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log = std::make_shared<SilentLogger>();
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.write_buffer_size = 2 << 20;
  options.max_write_buffer_number = 2;
  options.arena_block_size = 64 << 10;
  options.max_background_jobs = 2;  // one flush, one compaction: both idle but for their work
  options.max_open_files = 64;
  options.table_cache_numshardbits = 1;
  options.compression = rocksdb::kNoCompression;
  options.max_manifest_file_size = 1 << 20;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(1 << 20, 0);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

/// The newest revision that a finished sync covers: 8 bytes and their CRC32C. Written after each
/// commit and never synced itself: it may be old after a power loss, but never ahead of the
/// database.
class DurableNote {
 public:
  static Result<DurableNote> Open(const std::string& path) {
    FileSystem& files = PosixFileSystem();
    DurableNote note;
    auto bytes = files.ReadFile(path);
    if (bytes.has_value()) {
      ByteReader in(*bytes);
      const auto revision = in.Fixed<int64_t>();
      if (in.Fixed<uint32_t>() == Crc32c(bytes->substr(0, 8)) && in.ok()) note.revision_ = revision;
    } else if (bytes.error().code() == Code::kKeyNotFound) {
      RETURN_IF_ERROR(files.WriteFile(path, ""));
    } else {
      return Error(bytes.error());
    }
    ASSIGN_OR_RETURN(note.file_, files.OpenWritable(path, OpenMode::kExisting));
    return note;
  }
  int64_t revision() const { return revision_; }
  void Write(int64_t revision) {
    ByteWriter out;
    out.Fixed(revision);
    out.Fixed(Crc32c(out.view()));
    const std::array<std::string_view, 1> pieces = {out.view()};
    // The commit is durable all the same; without the note only damage to it could go unseen.
    std::ignore = file_->WriteAt(0, pieces);
  }

 private:
  std::unique_ptr<WritableFile> file_;
  int64_t revision_ = 0;
};

class RocksMetaStore final : public MetaStore {
 public:
  RocksMetaStore(std::unique_ptr<rocksdb::DB> db, DurableNote note, int64_t revision)
      : db_(std::move(db)), note_(std::move(note)), revision_(revision) {}

  Result<std::optional<MetaEntry>> Get(const std::string& key) override {
    std::string bytes;
    const rocksdb::Status status = db_->Get({}, "k" + key, &bytes);
    if (status.IsNotFound()) return std::nullopt;
    RETURN_IF_ERROR(ToStatus(status));
    ASSIGN_OR_RETURN(MetaEntry entry, Entry(key, bytes));
    return entry;
  }

  Result<std::vector<MetaEntry>> Range(const std::string& prefix) override {
    const std::string first = "k" + prefix;
    std::vector<MetaEntry> found;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
    for (it->Seek(first); it->Valid() && it->key().starts_with(first); it->Next()) {
      ASSIGN_OR_RETURN(MetaEntry entry,
                       Entry(it->key().ToString().substr(1), it->value().ToStringView()));
      found.push_back(std::move(entry));
    }
    RETURN_IF_ERROR(ToStatus(it->status()));
    return found;
  }

  Result<MetaCommit> Commit(const MetaTxn& txn) override {
    MutexLock lock(commit_mutex_);
    for (const MetaCompare& compare : txn.compares) {
      ASSIGN_OR_RETURN(auto entry, Get(compare.key));
      const int64_t revision = entry.has_value() ? entry->revision : 0;
      if (revision != compare.revision) return MetaCommit{false, revision_};
    }
    // Used up even when the write fails: it may be on the disk all the same.
    const int64_t revision = ++revision_;
    ByteWriter stamp;
    stamp.Fixed(revision);
    rocksdb::WriteBatch batch;
    for (const std::string& key : txn.deletes) RETURN_IF_ERROR(ToStatus(batch.Delete("k" + key)));
    for (const auto& [key, value] : txn.puts) {
      RETURN_IF_ERROR(ToStatus(batch.Put("k" + key, std::string(stamp.view()) + value)));
    }
    RETURN_IF_ERROR(ToStatus(batch.Put(kRevisionKey, stamp.view())));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    RETURN_IF_ERROR(ToStatus(db_->Write(synced, &batch)));
    note_.Write(revision);
    return MetaCommit{true, revision};
  }

 private:
  static Result<MetaEntry> Entry(std::string key, std::string_view bytes) {
    ByteReader in(bytes);
    const auto revision = in.Fixed<int64_t>();
    RETURN_IF_ERROR(in.Check("meta entry " + key));
    return MetaEntry{std::move(key), std::string(bytes.substr(sizeof(revision))), revision};
  }

  const std::unique_ptr<rocksdb::DB> db_;
  // Kept over the write on purpose: it is what makes compare and write one step, and commits are
  // few.
  Mutex commit_mutex_;
  DurableNote note_ GUARDED_BY(commit_mutex_);
  int64_t revision_ GUARDED_BY(commit_mutex_);
};

}  // namespace

Result<std::unique_ptr<MetaStore>> OpenRocksMetaStore(const std::string& dir) {
  const std::string db_dir = dir + "/db";
  RETURN_IF_ERROR(PosixFileSystem().CreateDirs(db_dir));
  ASSIGN_OR_RETURN(DurableNote note, DurableNote::Open(dir + "/durable"));
  rocksdb::DB* opened = nullptr;
  RETURN_IF_ERROR(ToStatus(rocksdb::DB::Open(SmallOptions(), db_dir, &opened)));
  std::unique_ptr<rocksdb::DB> db(opened);
  std::string bytes;
  const rocksdb::Status status = db->Get({}, kRevisionKey, &bytes);
  int64_t revision = 0;
  if (!status.IsNotFound()) {
    RETURN_IF_ERROR(ToStatus(status));
    ByteReader in(bytes);
    revision = in.Fixed<int64_t>();
    RETURN_IF_ERROR(in.Check("meta store revision"));
  }
  if (revision < note.revision()) {
    return Error(Code::kDataIntegrity,
                 fmt::format("meta store {}: revision {} was durable, but the database ends at {}: "
                             "its log is damaged or missing",
                             dir, note.revision(), revision));
  }
  return std::make_unique<RocksMetaStore>(std::move(db), std::move(note), revision);
}

}  // namespace elanus::storage
