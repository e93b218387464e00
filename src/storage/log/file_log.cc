// The log in files. One writer thread takes everything that is queued, lays it out as one group of
// blocks, writes it with one call, syncs once and then calls the dones in order. Files double in
// size while records come; once all of them are truncated it goes on in a small one.
// Holds: a group goes into one file; a file is written only when the one before it is synced to its
// end; what a done was told is what the next open finds.
// Threads: Append from any (a queue under mutex_); writer state belongs to the writer thread alone,
// and before it starts to Start.   Bytes: docs/format/log.md
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/mutex.h"
#include "base/thread.h"
#include "storage/log/log.h"
#include "storage/log/log_cursor.h"
#include "storage/log/log_files.h"

namespace elanus::storage {
namespace {

/// A group ends here, so that one huge record does not hold up the small ones behind it too long.
constexpr uint64_t kGroupBytesMax = 4 << 20;
constexpr uint64_t kPayloadBytesMax = 1 << 30;
constexpr int64_t kAsyncSyncUs = 100'000;

class FileLog final : public Log {
 public:
  FileLog(FileSystem& files, const std::string& dir, const FileLogOptions& options)
      : files_(files),
        dir_(dir),
        options_(options),
        clock_(options.clock != nullptr ? *options.clock : SystemClock()),
        index_(std::make_shared<LogIndex>()),
        maker_(files, dir, options.partition) {}
  ~FileLog() override { std::ignore = Close(); }

  /// Takes over what recovery found, makes it durable and starts the writer.
  Status Start(const RecoveredLog& found);

  Result<uint64_t> Append(ShardId shard, std::string payload, AppendDone done) override;
  Result<std::unique_ptr<LogCursor>> Read(uint64_t from_seq) override;
  Status Truncate(uint64_t below_seq) override;
  LogStats Stats() const override;
  Status Close() override;

 private:
  struct Pending {
    uint64_t seq;
    ShardId shard;
    std::string payload;
    AppendDone done;
  };
  using Batch = std::deque<Pending>;

  // The writer thread.
  void Run() EXCLUDES(mutex_);
  void WriteBatch(Batch& batch) EXCLUDES(mutex_);
  Status WriteGroup(const Batch& batch, uint32_t& offset, size_t& whole);
  Status EnsureRoom(uint64_t first_seq);
  void GoOnIn(LogFileMaker::Made made, uint64_t first_seq);
  bool Shrink();
  Status WriteMark();
  Status Sync();
  void Acknowledge(Batch& batch, size_t whole) EXCLUDES(mutex_);
  void Fail(Batch& batch, bool front_begun, Status status) EXCLUDES(mutex_);
  void Break(const Status& status) EXCLUDES(mutex_);
  bool ShrinkIfAllBelow(uint64_t below_seq) EXCLUDES(mutex_);
  uint64_t FirstFileBytes() const {
    return std::min(options_.first_file_bytes, options_.file_bytes);
  }
  uint64_t Room() const { return file_ == nullptr ? 0 : file_bytes_ - offset_; }

  FileSystem& files_;
  const std::string dir_;
  const FileLogOptions options_;
  const Clock& clock_;
  const std::shared_ptr<LogIndex> index_;

  // Writer state.
  LogFileMaker maker_;
  std::unique_ptr<WritableFile> file_;
  uint64_t file_id_ = 0;
  uint64_t file_bytes_ = 0;
  uint64_t offset_ = 0;
  uint32_t previous_ = 0;     // checksum of the last block
  uint64_t written_seq_ = 0;  // the last whole record written
  uint64_t synced_seq_ = 0;   // the last whole record synced
  bool dirty_ = false;        // written and not synced
  bool mark_wanted_ = false;  // a record was left unfinished: break it off before the next block
  int64_t synced_at_us_ = 0;

  mutable Mutex mutex_;
  CondVar work_;
  Batch queue_ GUARDED_BY(mutex_);
  uint64_t next_seq_ GUARDED_BY(mutex_) = 1;
  uint64_t pending_bytes_ GUARDED_BY(mutex_) = 0;
  bool closing_ GUARDED_BY(mutex_) = false;
  bool shrink_wanted_ GUARDED_BY(mutex_) = false;
  bool shrunk_ GUARDED_BY(mutex_) = false;
  CondVar shrink_done_;
  Status broken_ GUARDED_BY(mutex_);
  LogStats syncs_ GUARDED_BY(mutex_);  // only the counters of syncs
  bool removed_unsynced_ GUARDED_BY(truncate_mutex_) = false;
  Mutex truncate_mutex_;  // kept over I/O: files must go in order
  Thread writer_;
};

Status FileLog::Start(const RecoveredLog& found) {
  for (const LogFileInfo& file : found.files) index_->Add(file);
  for (const LogFileInfo& spare : found.spares) maker_.AddExisting(spare.id, spare.bytes);
  previous_ = found.previous;
  written_seq_ = found.next_seq - 1;
  // A file that no block is in yet may have got its name just before a process died, unsynced.
  const bool unused = !found.spares.empty() || found.offset == kLogSectorBytes;
  if (unused) RETURN_IF_ERROR(files_.SyncDir(dir_));
  if (!found.files.empty()) {
    const LogFileInfo& last = found.files.back();
    ASSIGN_OR_RETURN(file_, files_.OpenWritable(LogFilePath(dir_, last.id), OpenMode::kExisting));
    file_id_ = last.id;
    file_bytes_ = last.bytes;
    offset_ = found.offset;
    // What was found may be there only in the memory of the machine, and is about to be served:
    // sync it first. The mark behind it fences earlier terms; it must not say yet that anything is
    // durable. A full file has no room for it: then it goes in front of the next block.
    mark_wanted_ = true;
    if (Room() >= kLogRoomMin) RETURN_IF_ERROR(WriteMark());
    RETURN_IF_ERROR(Sync());
  }
  index_->SetDurable(written_seq_);
  {
    MutexLock lock(truncate_mutex_);
    removed_unsynced_ = !found.files.empty() && found.files.front().id != 1;  // by who came before
  }
  {
    MutexLock lock(mutex_);
    next_seq_ = found.next_seq;
  }
  writer_ = Thread("log-writer", [this] { Run(); });
  return Status::Ok();
}

Result<uint64_t> FileLog::Append(ShardId shard, std::string payload, AppendDone done) {
  if (payload.size() > kPayloadBytesMax) {
    return Error(Code::kParameterTooLarge,
                 fmt::format("a log record of {} bytes is too large", payload.size()));
  }
  uint64_t seq = 0;
  {
    MutexLock lock(mutex_);
    if (!broken_.ok()) return Error(broken_);
    if (closing_) return Error(Code::kUnavailable, "the log is closed");
    // One record may always wait, however large.
    if (pending_bytes_ != 0 && pending_bytes_ + payload.size() > options_.pending_bytes_max) {
      return Error(Code::kQueueFull, fmt::format("{} bytes wait for the log", pending_bytes_));
    }
    seq = next_seq_++;
    pending_bytes_ += payload.size();
    queue_.push_back({seq, shard, std::move(payload), std::move(done)});
  }
  work_.NotifyOne();
  return seq;
}

Result<std::unique_ptr<LogCursor>> FileLog::Read(uint64_t from_seq) {
  return OpenLogCursor(files_, dir_, index_, from_seq);
}

Status FileLog::Truncate(uint64_t below_seq) {
  MutexLock lock(truncate_mutex_);
  // It synced the folder after the last removal, if there was one.
  if (ShrinkIfAllBelow(below_seq)) removed_unsynced_ = false;
  while (std::optional<LogFileInfo> oldest = index_->OldestBelow(below_seq)) {
    // The removal before this one first: were it undone by a power loss and this one not, the log
    // would have a gap. The last removal may be undone; then there is a file too many.
    if (removed_unsynced_) RETURN_IF_ERROR(files_.SyncDir(dir_));
    RETURN_IF_ERROR(files_.Remove(LogFilePath(dir_, oldest->id)));
    removed_unsynced_ = true;
    index_->DropOldest();
  }
  return Status::Ok();
}

bool FileLog::ShrinkIfAllBelow(uint64_t below_seq) {
  MutexLock lock(mutex_);
  if (next_seq_ > below_seq || closing_) return false;
  shrink_wanted_ = true;
  shrunk_ = false;
  work_.NotifyOne();
  while (shrink_wanted_) shrink_done_.Wait(mutex_);
  return shrunk_;
}

LogStats FileLog::Stats() const {
  LogStats stats;
  {
    MutexLock lock(mutex_);
    stats = syncs_;
    stats.next_seq = next_seq_;
    stats.bytes_pending = pending_bytes_;
    stats.broken = broken_;
  }
  const LogIndex::View view = index_->Locate(0);
  stats.first_seq = view.first_seq;
  stats.durable_seq = view.durable_seq;
  const LogIndex::Files files = index_->CountFiles();
  stats.files = files.count;
  stats.newest_file_seq = files.newest_seq;
  stats.bytes_on_disk = files.bytes + maker_.SpareBytes();
  return stats;
}

Status FileLog::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
  }
  work_.NotifyOne();
  writer_.Join();
  MutexLock lock(mutex_);
  return broken_;
}

void FileLog::Run() {
  Batch batch;
  MutexLock lock(mutex_);
  for (;;) {
    while (queue_.empty() && !closing_ && !shrink_wanted_) {
      if (!dirty_) {
        work_.Wait(mutex_);
      } else if (!work_.WaitFor(mutex_, kAsyncSyncUs)) {
        lock.Unlock();
        std::ignore = Sync();  // an error breaks the log, which tells
        lock.Lock();
      }
    }
    if (shrink_wanted_) {
      // Records that came since will need the large file.
      const bool idle = queue_.empty() && broken_.ok();
      lock.Unlock();
      const bool shrunk = idle && Shrink();
      lock.Lock();
      shrink_wanted_ = false;
      shrunk_ = shrunk;
      shrink_done_.NotifyAll();
      continue;
    }
    if (queue_.empty()) break;
    std::swap(batch, queue_);
    const Status broken = broken_;
    lock.Unlock();
    broken.ok() ? WriteBatch(batch) : Fail(batch, false, broken);
    lock.Lock();
  }
  const bool healthy = broken_.ok();
  lock.Unlock();
  if (dirty_) std::ignore = Sync();
  // Says that the tail was durable, so that the next open can tell damage to it from a torn write.
  // Nothing depends on it: it is not synced.
  if (healthy && Room() >= kLogSectorBytes) std::ignore = WriteMark();
}

void FileLog::WriteBatch(Batch& batch) {
  uint32_t offset = 0;  // bytes of the front record that are written
  while (!batch.empty()) {
    size_t whole = 0;
    Status status = EnsureRoom(batch.front().seq + (offset > 0 ? 1 : 0));
    if (status.ok()) status = WriteGroup(batch, offset, whole);
    if (!status.ok()) return Fail(batch, offset > 0, std::move(status));
    Acknowledge(batch, whole);
  }
}

Status FileLog::WriteGroup(const Batch& batch, uint32_t& offset, size_t& whole) {
  BlockGroup group({file_id_, options_.term, synced_seq_, previous_}, Room());
  if (mark_wanted_) group.AddMark();
  uint32_t at = offset;
  while (whole < batch.size() && group.bytes() < kGroupBytesMax) {
    const Pending& record = batch[whole];
    const std::optional<uint32_t> took = group.Add(record.seq, record.shard, record.payload, at);
    if (!took.has_value()) break;
    at += *took;
    if (at != record.payload.size()) continue;
    at = 0;
    ++whole;
  }
  group.Finish();
  if (Status written = file_->WriteAt(offset_, group.pieces()); !written.ok()) {
    // A full disk took nothing that counts: the next group goes to the same place.
    if (written.code() != Code::kDiskLimit) Break(written);
    return written;
  }
  offset_ += group.bytes();
  previous_ = group.previous();
  mark_wanted_ = false;
  dirty_ = true;
  offset = at;
  if (whole > 0) written_seq_ = batch[whole - 1].seq;
  const bool due = options_.durability == LogDurability::kSync ||
                   clock_.MonotonicUs() - synced_at_us_ > kAsyncSyncUs;
  return due ? Sync() : Status::Ok();
}

Status FileLog::EnsureRoom(uint64_t first_seq) {
  const uint64_t next_bytes =
      file_ == nullptr ? FirstFileBytes() : std::min(file_bytes_ * 2, options_.file_bytes);
  if (options_.make_ahead && file_ != nullptr && Room() < file_bytes_ / 2) {
    maker_.Prepare(file_id_ + 1, next_bytes);
  }
  // With room for a mark and then some: the smallest group must fit.
  if (Room() >= kLogRoomMin + kLogSectorBytes) return Status::Ok();
  if (dirty_) RETURN_IF_ERROR(Sync());
  ASSIGN_OR_RETURN(LogFileMaker::Made made, maker_.Take(file_id_ + 1, next_bytes));
  GoOnIn(std::move(made), first_seq);
  return Status::Ok();
}

void FileLog::GoOnIn(LogFileMaker::Made made, uint64_t first_seq) {
  file_ = std::move(made.file);
  ++file_id_;
  file_bytes_ = made.bytes;
  offset_ = kLogSectorBytes;
  index_->Add({file_id_, file_bytes_, previous_, first_seq});
}

bool FileLog::Shrink() {
  // Not while an asynchronous log has something to sync: the mark must speak for every record.
  if (file_ == nullptr || file_bytes_ <= FirstFileBytes() || dirty_) return false;
  auto made = maker_.MakeInstead(file_id_ + 1, FirstFileBytes());
  if (!made.has_value() || !made->has_value()) return false;  // a full disk: a later flush tries
  GoOnIn(**std::move(made), written_seq_ + 1);
  if (Status marked = WriteMark(); !marked.ok()) {
    Break(marked);
    return false;
  }
  if (!Sync().ok()) return false;
  index_->SetOpensWithMark();
  return true;
}

Status FileLog::WriteMark() {
  BlockGroup group({file_id_, options_.term, synced_seq_, previous_}, Room());
  group.AddMark();
  RETURN_IF_ERROR(file_->WriteAt(offset_, group.pieces()));
  offset_ += group.bytes();
  previous_ = group.previous();
  mark_wanted_ = false;
  return Status::Ok();
}

Status FileLog::Sync() {
  const int64_t begin_us = clock_.MonotonicUs();
  dirty_ = false;  // also after an error: trying again would prove nothing
  if (Status synced = file_->Sync(); !synced.ok()) {
    // Whatever the reason: what the kernel did with the unsynced bytes is unknown from now on.
    synced = Status(Code::kIoFailed, synced.message());
    Break(synced);
    return synced;
  }
  synced_seq_ = written_seq_;
  synced_at_us_ = clock_.MonotonicUs();
  const auto us = static_cast<uint64_t>(synced_at_us_ - begin_us);
  MutexLock lock(mutex_);
  ++syncs_.syncs;
  syncs_.sync_us_total += us;
  ++syncs_.sync_us[std::min<size_t>(std::bit_width(us), syncs_.sync_us.size() - 1)];
  return Status::Ok();
}

void FileLog::Acknowledge(Batch& batch, size_t whole) {
  if (whole == 0) return;
  index_->SetDurable(written_seq_);
  uint64_t bytes = 0;
  for (size_t i = 0; i < whole; ++i) bytes += batch[i].payload.size();
  {
    MutexLock lock(mutex_);
    pending_bytes_ -= bytes;
  }
  for (size_t i = 0; i < whole; ++i) {
    AppendDone done = std::move(batch.front().done);
    batch.pop_front();
    done(Status::Ok());
  }
}

void FileLog::Fail(Batch& batch, bool front_begun, Status status) {
  if (status.code() != Code::kDiskLimit) Break(status);
  {
    MutexLock lock(mutex_);
    // All of them: those behind a record that failed may not get ahead of it.
    std::ranges::move(queue_, std::back_inserter(batch));
    queue_.clear();
    pending_bytes_ = 0;
    if (!broken_.ok()) status = broken_;
    next_seq_ = batch.front().seq;
    index_->LowerFirst(next_seq_);
  }
  mark_wanted_ = mark_wanted_ || front_begun;
  for (Pending& record : batch) record.done(status);
  batch.clear();
}

void FileLog::Break(const Status& status) {
  {
    MutexLock lock(mutex_);
    if (!broken_.ok()) return;
    broken_ = status;
  }
  if (options_.broken) options_.broken(status);
}

}  // namespace

Result<std::unique_ptr<Log>> OpenFileLog(FileSystem& files, const std::string& dir,
                                         const FileLogOptions& options) {
  for (uint64_t bytes : {options.file_bytes, options.first_file_bytes}) {
    if (bytes % kLogSectorBytes != 0 || bytes < 4 * kLogRoomMin) {
      return Error(InvalidParameter(fmt::format("a log file cannot have {} bytes", bytes)));
    }
  }
  RETURN_IF_ERROR(files.CreateDirs(dir));
  ASSIGN_OR_RETURN(RecoveredLog found, RecoverLog(files, dir, options.partition));
  if (found.term > options.term) {
    return Error(Code::kInternal,
                 fmt::format("log {} is fenced: term {} has written, this writer has term {}", dir,
                             found.term, options.term));
  }
  auto log = std::make_unique<FileLog>(files, dir, options);
  RETURN_IF_ERROR(log->Start(found));
  return log;
}

}  // namespace elanus::storage
