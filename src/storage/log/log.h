// The door to the ordered, durable stream of writes: the log of one partition.
// Holds: records carry a dense seq (1, 2, 3, …) in the order of the calls of Append; a record whose
// done got ok is there after kill -9 and power loss; a record without an answer is there wholly or
// not at all, and stays so; damage is a named error, never a gap.
// One writer: whoever opens with the highest term. The other forms (Kafka) keep the same contract.
// Called by worker/stream. Threads: Append, Truncate, Read and Stats from any; dones run on the
// log's own thread, must not block and must not call Close; a LogCursor belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/ids.h"
#include "base/status.h"

namespace elanus::storage {

struct LogEntry {
  uint64_t seq = 0;
  uint64_t term = 0;  ///< of the writer that appended it
  ShardId shard;
  std::string payload;
  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

/// Called exactly once for each accepted record, in the order of the appends; ok = durable. After
/// an error of the disk the record may be there or not: the next open tells.
using AppendDone = std::move_only_function<void(Status)>;

struct LogStats {
  uint64_t first_seq = 1;    ///< the oldest record that Read can still give
  uint64_t next_seq = 1;     ///< what the next Append gets
  uint64_t durable_seq = 0;  ///< every record up to here is durable
  uint64_t bytes_pending = 0;
  uint64_t files = 0;
  uint64_t newest_file_seq = 0;  ///< of the first record in the newest file
  uint64_t bytes_on_disk = 0;
  uint64_t syncs = 0;
  uint64_t sync_us_total = 0;
  /// Syncs that took less than 2^i microseconds and not less than 2^(i-1); the last counts the
  /// rest.
  std::array<uint64_t, 24> sync_us{};
  Status broken;  ///< not ok: the log takes nothing more until it is opened again
};

class LogCursor {
 public:
  virtual ~LogCursor() = default;
  /// The next record in order of seq; nullopt at the durable end, where a later call may give more.
  /// Errors: kDataIntegrity for damage and for records truncated meanwhile, kIoFailed.
  virtual Result<std::optional<LogEntry>> Next() = 0;
};

class Log {
 public:
  virtual ~Log() = default;  ///< closes

  /// Takes the record, gives it the next seq and returns at once; `done` follows, and is dropped
  /// without a call when this returns an error. Never blocks.
  /// Errors: kQueueFull while the bytes pending exceed the bound, kParameterTooLarge above 1 GiB,
  /// and finally what broke, fenced or closed the log.
  /// When the disk is full (done: kDiskLimit) all pending records fail together and their seqs are
  /// given to later records; the log goes on once there is space.
  virtual Result<uint64_t> Append(ShardId shard, std::string payload, AppendDone done) = 0;

  /// A cursor whose first record is `from_seq`, which may be one past the end. It outlives the log.
  /// Errors: kDataIntegrity when the log begins after or ends before it.
  virtual Result<std::unique_ptr<LogCursor>> Read(uint64_t from_seq) = 0;

  /// Lets go of records below `below_seq`, by whole files: some of them may stay.
  virtual Status Truncate(uint64_t below_seq) = 0;

  virtual LogStats Stats() const = 0;

  /// Finishes what was accepted and syncs; later appends fail. Idempotent.
  virtual Status Close() = 0;
};

enum class LogDurability {
  kSync,   ///< done means on the medium
  kAsync,  ///< done means written: a power loss may take the last tenth of a second
};

struct FileLogOptions {
  LogPartitionId partition;
  uint64_t term = 1;
  uint64_t file_bytes = 64 << 20;       ///< a multiple of 512
  uint64_t first_file_bytes = 4 << 20;  ///< files double from here, so that small logs stay small
  LogDurability durability = LogDurability::kSync;
  /// A thread of its own makes the next file before it is needed; without it the writer makes it
  /// when it is, and the same appends then make the same calls of the file system in one order.
  bool make_ahead = true;
  uint64_t pending_bytes_max = 64 << 20;
  /// Called once, on the log's own thread, when it has failed for good: also when no record waits
  /// for an answer, as at a sync of an asynchronous log in the background. Must not call Close.
  std::function<void(const Status&)> broken;
  const Clock* clock = nullptr;  ///< of the sync histogram; the system's when null
};

/// The log in files below `dir`, which is created; makes no file before the first append. Bytes:
/// docs/format/log.md. Verifies everything that is there and cuts a torn tail.
/// Errors: kDataIntegrity naming file and offset of what does not verify; kInternal "fenced" when a
/// higher term has written. Cost: reads all files once.
Result<std::unique_ptr<Log>> OpenFileLog(FileSystem& files, const std::string& dir,
                                         const FileLogOptions& options);

/// The same contract without a disk, gone with the object.
std::unique_ptr<Log> OpenMemoryLog(uint64_t term = 1, uint64_t pending_bytes_max = 64 << 20);

}  // namespace elanus::storage
