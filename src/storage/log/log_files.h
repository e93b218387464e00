// The folder of one file log: names, making files ahead, what is there at open, and the index that
// the writer shares with cursors.
// Holds: a file that carries its log name is whole: header, zeros to its full size, all durable
// with the name before the first block goes into it. So a short or headless file is damage.
// Called by file_log.cc. Threads: said at each class.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "storage/log/log_block.h"

namespace elanus::storage {

/// dir/0000000000000007.log
std::string LogFilePath(const std::string& dir, uint64_t file_id);

struct LogFileInfo {
  uint64_t id = 0;
  uint64_t bytes = 0;
  uint32_t previous = 0;   ///< checksum of the block before its first one
  uint64_t first_seq = 0;  ///< of the first record that begins in it, or else behind it
  /// Its first block is a durable mark, which says what came before: no record need begin behind
  /// the file before it.
  bool opens_with_mark = false;
};

/// What is readable. Threads: any.
class LogIndex {
 public:
  struct View {
    std::optional<LogFileInfo> file;
    uint64_t first_seq;
    uint64_t durable_seq;
  };
  /// The file in which record `seq` begins.
  View Locate(uint64_t seq) const EXCLUDES(mutex_);
  std::optional<LogFileInfo> File(uint64_t id) const EXCLUDES(mutex_);
  uint64_t DurableSeq() const EXCLUDES(mutex_);
  void Add(const LogFileInfo& file) EXCLUDES(mutex_);
  void SetDurable(uint64_t seq) EXCLUDES(mutex_);
  /// The newest file's records begin at `seq` or below.
  void LowerFirst(uint64_t seq) EXCLUDES(mutex_);
  /// The newest file's first block is a mark, and durable.
  void SetOpensWithMark() EXCLUDES(mutex_);
  /// The oldest file when all records that begin in it are below `below_seq`, and a durable record
  /// begins behind it or the file behind it opens with a mark: without either the next open would
  /// not know where the log stands.
  std::optional<LogFileInfo> OldestBelow(uint64_t below_seq) const EXCLUDES(mutex_);
  void DropOldest() EXCLUDES(mutex_);
  struct Files {
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint64_t newest_seq = 0;  ///< where the records of the newest begin
  };
  Files CountFiles() const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::deque<LogFileInfo> files_ GUARDED_BY(mutex_);
  uint64_t durable_seq_ GUARDED_BY(mutex_) = 0;
};

/// Makes log files, one ahead in a thread of its own. Threads: one caller.
class LogFileMaker {
 public:
  LogFileMaker(FileSystem& files, std::string dir, LogPartitionId partition);
  ~LogFileMaker();  ///< waits for the file being made; it stays for the next open

  struct Made {
    std::unique_ptr<WritableFile> file;
    uint64_t bytes = 0;
  };
  /// A whole file found at open that no block is in yet; added in order of id.
  void AddExisting(uint64_t id, uint64_t bytes) { existing_.push_back({id, bytes}); }
  /// Begins to make file `id`, unless that or another one is being made.
  void Prepare(uint64_t id, uint64_t bytes) EXCLUDES(mutex_);
  /// File `id`: made ahead, being made, or made now.
  Result<Made> Take(uint64_t id, uint64_t bytes) EXCLUDES(mutex_);
  /// File `id`, made now in place of what was made ahead, which is gone afterwards. Null, and
  /// nothing changes, when more than one file lies ahead.
  Result<std::optional<Made>> MakeInstead(uint64_t id, uint64_t bytes) EXCLUDES(mutex_);
  /// Bytes of files ahead of the writer.
  uint64_t SpareBytes() const EXCLUDES(mutex_);

 private:
  struct Existing {
    uint64_t id;
    uint64_t bytes;
  };
  enum class State { kIdle, kWanted, kReady };

  Result<Made> Make(uint64_t id, uint64_t bytes);
  void Run() EXCLUDES(mutex_);

  FileSystem& files_;
  const std::string dir_;
  const LogPartitionId partition_;
  std::deque<Existing> existing_;

  mutable Mutex mutex_;
  CondVar changed_;
  State state_ GUARDED_BY(mutex_) = State::kIdle;
  Existing wanted_ GUARDED_BY(mutex_){};
  std::optional<Made> made_ GUARDED_BY(mutex_);  ///< kReady without it: making it failed
  bool stopping_ GUARDED_BY(mutex_) = false;
  Thread thread_;  // started with the first file made ahead
};

/// What an open finds.
struct RecoveredLog {
  std::vector<LogFileInfo> files;   ///< in order; the last one is written on
  std::vector<LogFileInfo> spares;  ///< whole files behind it without a block
  uint64_t offset = 0;              ///< in the last file, behind its last block
  uint32_t previous = 0;            ///< checksum of that block
  uint64_t next_seq = 1;
  uint64_t term = 0;
};

/// Verifies every file and block of the folder. Changes nothing but an unfinished new file, which
/// it removes. kDataIntegrity, naming file and offset, for what cannot be a torn tail.
Result<RecoveredLog> RecoverLog(FileSystem& files, const std::string& dir,
                                LogPartitionId partition);

}  // namespace elanus::storage
