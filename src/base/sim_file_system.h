// A file system in memory that behaves like the worst disk POSIX allows: what was not synced may be
// lost, in whole or by sector, and so may names whose folder was not synced. Tests run the real
// storage code on it, stop it at any operation and look at what is left.
// Holds: after Crash everything covered by a finished Sync or SyncDir is there; of the rest any
// subset (512-byte sectors, directory operations) may be there, chosen by the seed alone.
// Called by tests and the crash simulation. Threads: safe from any; handles opened before a crash
// stay dead.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/mutex.h"

namespace elanus {

class SimFileSystem final : public FileSystem {
 public:
  static constexpr uint64_t kSectorBytes = 512;

  SimFileSystem();
  ~SimFileSystem() override;

  // The power. While stopped every operation fails with kIoFailed, so the stopped process can be
  // taken down; then either Crash or Resume.

  void Stop();
  /// Stops just before the n-th operation from now that changes something (0 = the next one).
  void StopAfter(uint64_t operations);
  /// Stops just before the next sync of this file or folder.
  void StopAtSync(const std::string& path);
  /// Power loss: drops or tears what was not durable, closes all handles, goes on.
  void Crash(uint64_t seed);
  /// Process death only: closes all handles, loses nothing (and makes nothing durable), goes on.
  void Resume();
  bool stopped() const;

  // Faults.

  /// The n-th write from now (0 = the next) fails with `error_number`, and nothing is written.
  void FailWrite(uint64_t n, int error_number);
  /// The n-th sync of a file or folder from now fails with `error_number`, and makes nothing
  /// durable.
  void FailSync(uint64_t n, int error_number);
  /// The disk holds this many bytes in all.
  void SetCapacity(uint64_t bytes);
  /// Syncs of this name (see Syncs) report success without doing anything.
  void SkipSync(const std::string& name);

  // What happened.

  /// The name of each sync so far, "path#n" for the n-th of that path: the same for each run of one
  /// script, also when threads interleave differently.
  std::vector<std::string> Syncs() const;
  /// Operations so far that change something: writes, syncs, names.
  uint64_t Operations() const;

  /// Changes a byte on the medium, durably: damage.
  void FlipBit(const std::string& path, uint64_t bit);
  /// Cuts a file to `size`, durably.
  void Truncate(const std::string& path, uint64_t size);

  Result<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                     OpenMode mode) override;
  Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) override;
  /// A copy of the file as it is now.
  Result<std::shared_ptr<const MappedFile>> MapFile(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<DirEntry>> List(const std::string& dir) override;
  Status CreateDir(const std::string& path) override;
  Status SyncDir(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;

 private:
  struct Node;
  class Writable;
  class Readable;
  class Lock;
  struct Fault {
    uint64_t countdown;
    int error_number;
  };
  using NodePtr = std::shared_ptr<Node>;

  NodePtr Find(const std::string& path) const REQUIRES(mutex_);
  Result<NodePtr> FindOrError(std::string_view call, const std::string& path) const
      REQUIRES(mutex_);
  Result<NodePtr> FindFolder(std::string_view call, const std::string& path) const REQUIRES(mutex_);
  /// Counts an operation that changes something; an error when the power is off or goes off now.
  Status Operate() REQUIRES(mutex_);
  Status Alive() const REQUIRES(mutex_);
  Status CheckWrite(const std::string& path, uint64_t bytes_new) REQUIRES(mutex_);
  /// True when the sync is to be done, false when a test skips it.
  Result<bool> CheckSync(const std::string& path) REQUIRES(mutex_);
  Status Write(Node& node, const std::string& path, uint64_t offset, std::string_view bytes)
      REQUIRES(mutex_);
  static std::optional<int> Due(std::optional<Fault>& fault);
  void CloseHandles() REQUIRES(mutex_);
  static uint64_t BytesBelow(const Node& node);

  mutable Mutex mutex_;
  NodePtr root_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
  uint64_t life_ GUARDED_BY(mutex_) = 0;  ///< handles of an earlier life are dead
  std::optional<uint64_t> stop_after_ GUARDED_BY(mutex_);
  std::string stop_at_sync_ GUARDED_BY(mutex_);
  std::optional<Fault> write_fault_ GUARDED_BY(mutex_);
  std::optional<Fault> sync_fault_ GUARDED_BY(mutex_);
  uint64_t capacity_ GUARDED_BY(mutex_) = uint64_t{1} << 40;
  uint64_t operations_ GUARDED_BY(mutex_) = 0;
  std::set<std::string> skipped_ GUARDED_BY(mutex_);
  std::vector<std::string> syncs_ GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> sync_counts_ GUARDED_BY(mutex_);
  std::set<std::string> locks_ GUARDED_BY(mutex_);
};

}  // namespace elanus
