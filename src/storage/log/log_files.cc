#include "storage/log/log_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace elanus::storage {
namespace {

constexpr std::string_view kUnfinishedName = "new.tmp";

}  // namespace

std::string LogFilePath(const std::string& dir, uint64_t file_id) {
  return fmt::format("{}/{:016}.log", dir, file_id);
}

LogIndex::View LogIndex::Locate(uint64_t seq) const {
  MutexLock lock(mutex_);
  View view{std::nullopt, files_.empty() ? 1 : files_.front().first_seq, durable_seq_};
  auto behind = std::ranges::upper_bound(files_, seq, {}, &LogFileInfo::first_seq);
  if (behind != files_.begin()) view.file = *std::prev(behind);
  return view;
}

std::optional<LogFileInfo> LogIndex::File(uint64_t id) const {
  MutexLock lock(mutex_);
  auto it = std::ranges::find(files_, id, &LogFileInfo::id);
  return it == files_.end() ? std::nullopt : std::optional(*it);
}

uint64_t LogIndex::DurableSeq() const {
  MutexLock lock(mutex_);
  return durable_seq_;
}

void LogIndex::Add(const LogFileInfo& file) {
  MutexLock lock(mutex_);
  files_.push_back(file);
}

void LogIndex::SetDurable(uint64_t seq) {
  MutexLock lock(mutex_);
  durable_seq_ = seq;
}

void LogIndex::LowerFirst(uint64_t seq) {
  MutexLock lock(mutex_);
  if (!files_.empty()) files_.back().first_seq = std::min(files_.back().first_seq, seq);
}

void LogIndex::SetOpensWithMark() {
  MutexLock lock(mutex_);
  files_.back().opens_with_mark = true;
}

std::optional<LogFileInfo> LogIndex::OldestBelow(uint64_t below_seq) const {
  MutexLock lock(mutex_);
  if (files_.size() < 2 || files_[1].first_seq > below_seq) return std::nullopt;
  if (files_[1].first_seq > durable_seq_ && !files_[1].opens_with_mark) return std::nullopt;
  return files_.front();
}

void LogIndex::DropOldest() {
  MutexLock lock(mutex_);
  files_.pop_front();
}

LogIndex::Files LogIndex::CountFiles() const {
  MutexLock lock(mutex_);
  Files files{.count = files_.size()};
  for (const LogFileInfo& file : files_) files.bytes += file.bytes;
  if (!files_.empty()) files.newest_seq = files_.back().first_seq;
  return files;
}

LogFileMaker::LogFileMaker(FileSystem& files, std::string dir, LogPartitionId partition)
    : files_(files), dir_(std::move(dir)), partition_(partition) {}

LogFileMaker::~LogFileMaker() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.Join();
}

void LogFileMaker::Prepare(uint64_t id, uint64_t bytes) {
  if (!existing_.empty()) return;
  {
    MutexLock lock(mutex_);
    if (state_ != State::kIdle) return;
    state_ = State::kWanted;
    wanted_ = {id, bytes};
  }
  changed_.NotifyAll();
  // Of normal priority on purpose: the writer may come to wait for it, and on a busy machine a
  // thread of low priority would hold up every write. It costs one write of zeros a file.
  if (!thread_.joinable()) thread_ = Thread("log-ahead", [this] { Run(); });
}

Result<LogFileMaker::Made> LogFileMaker::Take(uint64_t id, uint64_t bytes) {
  if (!existing_.empty()) {
    const Existing found = existing_.front();
    ELANUS_CHECK(found.id == id);
    ASSIGN_OR_RETURN(auto file, files_.OpenWritable(LogFilePath(dir_, id), OpenMode::kExisting));
    existing_.pop_front();
    return Made{std::move(file), found.bytes};
  }
  {
    MutexLock lock(mutex_);
    while (state_ == State::kWanted) changed_.Wait(mutex_);
    if (std::exchange(state_, State::kIdle) == State::kReady && made_.has_value()) {
      ELANUS_CHECK(wanted_.id == id);
      return *std::exchange(made_, std::nullopt);
    }
  }
  // Nothing ahead, or it failed: perhaps there is space by now.
  return Make(id, bytes);
}

Result<std::optional<LogFileMaker::Made>> LogFileMaker::MakeInstead(uint64_t id, uint64_t bytes) {
  // Two go with two removals, which a power loss could undo in the wrong order.
  if (existing_.size() > 1) return std::nullopt;
  {
    MutexLock lock(mutex_);
    while (state_ == State::kWanted) changed_.Wait(mutex_);
    state_ = State::kIdle;
    made_.reset();
  }
  existing_.clear();
  // Renamed over the one made ahead: one of the two is there at any time, and both are whole.
  ASSIGN_OR_RETURN(Made made, Make(id, bytes));
  return made;
}

uint64_t LogFileMaker::SpareBytes() const {
  MutexLock lock(mutex_);
  return state_ == State::kReady && made_.has_value() ? made_->bytes : 0;
}

void LogFileMaker::Run() {
  MutexLock lock(mutex_);
  for (;;) {
    while (state_ != State::kWanted && !stopping_) changed_.Wait(mutex_);
    if (stopping_) return;
    const Existing wanted = wanted_;
    lock.Unlock();
    Result<Made> made = Make(wanted.id, wanted.bytes);
    lock.Lock();
    if (made.has_value()) made_ = *std::move(made);
    state_ = State::kReady;
    changed_.NotifyAll();
  }
}

Result<LogFileMaker::Made> LogFileMaker::Make(uint64_t id, uint64_t bytes) {
  const std::string unfinished = fmt::format("{}/{}", dir_, kUnfinishedName);
  auto make = [&]() -> Result<Made> {
    ASSIGN_OR_RETURN(auto file, files_.OpenWritable(unfinished, OpenMode::kTruncate));
    RETURN_IF_ERROR(file->Append(EncodeLogFileHeader({partition_, id, bytes})));
    RETURN_IF_ERROR(file->FillZeros(bytes));
    RETURN_IF_ERROR(file->Sync());
    RETURN_IF_ERROR(file->Close());
    const std::string path = LogFilePath(dir_, id);
    RETURN_IF_ERROR(files_.Rename(unfinished, path));
    RETURN_IF_ERROR(files_.SyncDir(dir_));
    ASSIGN_OR_RETURN(file, files_.OpenWritable(path, OpenMode::kExisting));
    return Made{std::move(file), bytes};
  };
  Result<Made> made = make();
  // A disk that is full must get its space back.
  if (!made.has_value()) std::ignore = files_.Remove(unfinished);
  return made;
}

}  // namespace elanus::storage
