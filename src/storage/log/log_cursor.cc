#include "storage/log/log_cursor.h"

#include <fmt/core.h>

#include <utility>

#include "storage/log/log_reader.h"

namespace elanus::storage {
namespace {

class FileLogCursor final : public LogCursor {
 public:
  FileLogCursor(FileSystem& files, std::string dir, std::shared_ptr<const LogIndex> index,
                uint64_t next_seq)
      : files_(files), dir_(std::move(dir)), index_(std::move(index)), next_seq_(next_seq) {}

  Result<std::optional<LogEntry>> Next() override {
    for (;;) {
      while (!ready_.empty() && ready_.front().seq < next_seq_) ready_.pop_front();
      // Whatever lies behind the durable end is none of a reader's business, whole or not.
      if (next_seq_ > index_->DurableSeq()) return std::nullopt;
      if (!ready_.empty()) {
        LogEntry entry = std::move(ready_.front());
        ready_.pop_front();
        ++next_seq_;
        return entry;
      }
      RETURN_IF_ERROR(ReadBlock());
    }
  }

 private:
  /// Reads the next block. There is one: the record wanted is durable.
  Status ReadBlock() {
    if (reader_ == nullptr) {
      auto file = index_->Locate(next_seq_).file;
      if (!file.has_value()) return Truncated();
      previous_ = file->previous;
      RETURN_IF_ERROR(Open(file->id));
    }
    ASSIGN_OR_RETURN(std::optional<LogBlock> block, reader_->Next(previous_));
    if (!block.has_value()) {
      const auto file = index_->File(reader_->file_id() + 1);
      if (!file.has_value() || file->previous != previous_) {
        return Damage(fmt::format("record {} is durable and does not verify", next_seq_));
      }
      return Open(file->id);
    }
    previous_ = block->crc;
    Status added = assembler_.Add(*block, ready_);
    return added.ok() ? added : Damage(added.message());
  }

  Status Open(uint64_t file_id) {
    auto file = files_.OpenReadable(LogFilePath(dir_, file_id));
    if (!file.has_value()) {
      return file.error().code() == Code::kKeyNotFound ? Truncated() : file.error();
    }
    reader_ = std::make_unique<BlockReader>(*std::move(file), file_id);
    return Status::Ok();
  }

  Status Truncated() const {
    return {Code::kDataIntegrity, fmt::format("log {}: record {} is truncated", dir_, next_seq_)};
  }
  Status Damage(std::string_view what) const {
    return {Code::kDataIntegrity,
            fmt::format("log file {} at {}: {}", LogFilePath(dir_, reader_->file_id()),
                        reader_->offset(), what)};
  }

  FileSystem& files_;
  const std::string dir_;
  const std::shared_ptr<const LogIndex> index_;
  uint64_t next_seq_;  // what the caller gets next
  std::unique_ptr<BlockReader> reader_;
  uint32_t previous_ = 0;
  RecordAssembler assembler_{/*keep_payloads=*/true};
  std::deque<LogEntry> ready_;
};

}  // namespace

Result<std::unique_ptr<LogCursor>> OpenLogCursor(FileSystem& files, std::string dir,
                                                 std::shared_ptr<const LogIndex> index,
                                                 uint64_t from_seq) {
  const LogIndex::View view = index->Locate(from_seq);
  if (from_seq < view.first_seq || from_seq > view.durable_seq + 1) {
    return Error(Code::kDataIntegrity,
                 fmt::format("log {} holds records {} to {}, wanted from {}", dir, view.first_seq,
                             view.durable_seq, from_seq));
  }
  return std::make_unique<FileLogCursor>(files, std::move(dir), std::move(index), from_seq);
}

}  // namespace elanus::storage
