// Files as an interface, so that storage is tested against a disk that loses what was not synced
// (base/sim_file_system.h) with the code that runs on the real one.
// Holds: data is durable after WritableFile::Sync, a name (created, renamed or removed) only after
// SyncDir of its folder. Errors: kKeyNotFound for a path that is not there, kDiskLimit for a full
// disk, kIoFailed for everything else; each names the call, the path and the reason.
// Called by storage/ and by whoever owns a folder. Threads: a FileSystem is safe from any; a
// WritableFile belongs to one thread at a time; ReadableFile::ReadAt is safe from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace elanus {

class WritableFile {
 public:
  virtual ~WritableFile() = default;  ///< closes; syncs nothing
  /// Adds at the end of the file.
  virtual Status Append(std::string_view bytes) = 0;
  /// Writes the pieces one after the other from `offset` on, gathered without a copy.
  virtual Status WriteAt(uint64_t offset, std::span<const std::string_view> pieces) = 0;
  /// Grows the file to `size` with written zeros, so that later writes below it change no metadata
  /// and a sync of them is one data write.
  virtual Status FillZeros(uint64_t size) = 0;
  /// Returns once everything written is on the medium (fdatasync). After an error nothing about
  /// unsynced bytes is known, and a second call proves nothing.
  virtual Status Sync() = 0;
  /// The errors that closing may report; later calls fail.
  virtual Status Close() = 0;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Up to `size` bytes from `offset` into `out`; fewer only at the end of the file.
  virtual Result<size_t> ReadAt(uint64_t offset, size_t size, char* out) const = 0;
  virtual Result<uint64_t> Size() const = 0;
};

/// A file's bytes in memory, readable while the object lives.
struct MappedFile {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Held while the object lives; the operating system lets go of it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kCreate,    ///< the file must not exist
  kTruncate,  ///< created, or emptied when it exists
  kExisting,  ///< the file must exist; its bytes stay
};

struct DirEntry {
  std::string name;  ///< without the folder
  bool is_directory = false;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<WritableFile>> OpenWritable(const std::string& path,
                                                             OpenMode mode) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> OpenReadable(const std::string& path) = 0;
  /// Read-only; a page that the disk cannot give raises SIGBUS, so only for files whose loss the
  /// process need not survive.
  virtual Result<std::shared_ptr<const MappedFile>> MapFile(const std::string& path) = 0;
  /// Replaces `to` when it exists.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  /// Removes a file or an empty folder.
  virtual Status Remove(const std::string& path) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  /// In order of name.
  virtual Result<std::vector<DirEntry>> List(const std::string& dir) = 0;
  /// One folder; ok when it exists already.
  virtual Status CreateDir(const std::string& path) = 0;
  /// Makes names created, renamed and removed in the folder durable.
  virtual Status SyncDir(const std::string& path) = 0;
  /// Takes the lock file (created when missing) for this process; kUnavailable naming the holder
  /// when another process has it.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) = 0;
  /// Bytes an unprivileged process may still write to the disk of `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;

  /// The folder and those above it, each durable before the next is made.
  Status CreateDirs(const std::string& path);
  Result<std::string> ReadFile(const std::string& path);
  /// The file with exactly these bytes, durable with its name: a reader sees the old bytes or the
  /// new, never a part. Writes `path`.tmp first.
  Status WriteFile(const std::string& path, std::string_view bytes);
};

/// The machine's file system.
FileSystem& PosixFileSystem();

/// The folder of a path: "a/b" -> "a", "a" -> ".", "/a" -> "/".
std::string ParentPath(std::string_view path);

/// The Status of a failed call: `call path: reason of error_number`.
Status IoError(std::string_view call, std::string_view path, int error_number);

}  // namespace elanus
