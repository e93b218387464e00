// What an open of the file log does: verify every file and every block from the oldest on, and tell
// a torn tail from damage. A tail may be torn because the last write before a crash was not synced.
// Every block names the last seq known durable when it was written, so if any block behind the
// place where the chain breaks says that the record wanted there was durable, it was damaged.
#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "base/log.h"
#include "storage/log/log_files.h"
#include "storage/log/log_reader.h"

namespace elanus::storage {
namespace {

std::optional<uint64_t> ParseFileName(std::string_view name) {
  uint64_t id = 0;
  if (name.size() != 20 || !name.ends_with(".log")) return std::nullopt;
  auto [end, error] = std::from_chars(name.data(), name.data() + 16, id);
  if (error != std::errc() || end != name.data() + 16 || id == 0) return std::nullopt;
  return id;
}

std::unexpected<Status> Damage(const std::string& path, uint64_t offset, std::string_view what) {
  return Error(Code::kDataIntegrity, fmt::format("log file {} at {}: {}", path, offset, what));
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& dir, LogPartitionId partition)
      : files_(files), dir_(dir), partition_(partition) {}

  Result<RecoveredLog> Run() {
    RETURN_IF_ERROR(FindFiles());
    if (found_.empty()) return std::move(log_);
    RETURN_IF_ERROR(FollowChain());
    RETURN_IF_ERROR(RefuseDamage());
    for (size_t i = log_.files.size(); i < found_.size(); ++i) log_.spares.push_back(found_[i]);
    SettleFirstSeqs();
    return std::move(log_);
  }

 private:
  /// Lists the files and verifies their headers.
  Status FindFiles() {
    ASSIGN_OR_RETURN(auto entries, files_.List(dir_));
    for (const DirEntry& entry : entries) {
      const std::string path = dir_ + "/" + entry.name;
      if (entry.name.ends_with(".tmp")) RETURN_IF_ERROR(files_.Remove(path));
      const std::optional<uint64_t> id = ParseFileName(entry.name);
      if (!id.has_value()) continue;
      if (!found_.empty() && *id != found_.back().id + 1) {
        return {Code::kDataIntegrity,
                fmt::format("log file {} is missing", LogFilePath(dir_, found_.back().id + 1))};
      }
      ASSIGN_OR_RETURN(LogFileInfo info, Verify(path, *id));
      found_.push_back(info);
    }
    return Status::Ok();
  }

  Result<LogFileInfo> Verify(const std::string& path, uint64_t id) {
    ASSIGN_OR_RETURN(auto file, files_.OpenReadable(path));
    std::string sector(kLogSectorBytes, '\0');
    ASSIGN_OR_RETURN(size_t got, file->ReadAt(0, sector.size(), sector.data()));
    sector.resize(got);
    auto header = DecodeLogFileHeader(sector);
    if (!header.has_value()) return Damage(path, 0, header.error().message());
    if (header->partition != partition_ || header->file_id != id) {
      return Damage(
          path, 0,
          fmt::format("it is file {} of partition {}", header->file_id, header->partition.value));
    }
    ASSIGN_OR_RETURN(uint64_t size, file->Size());
    if (size != header->file_bytes) {
      return Damage(path, size, fmt::format("its header says {} bytes", header->file_bytes));
    }
    return LogFileInfo{.id = id, .bytes = size};
  }

  /// Reads blocks as long as each verifies and follows the one before it.
  Status FollowChain() {
    // What came before the oldest file is gone, and its checksum with it.
    std::optional<uint32_t> previous;
    if (found_.front().id == 1) previous = 0;
    for (const LogFileInfo& found : found_) {
      ASSIGN_OR_RETURN(auto file, files_.OpenReadable(LogFilePath(dir_, found.id)));
      BlockReader reader(std::move(file), found.id);
      ASSIGN_OR_RETURN(std::optional<LogBlock> block, reader.Next(previous));
      if (!block.has_value() && !log_.files.empty()) break;
      LogFileInfo info = found;
      info.previous = block.has_value() ? block->previous : previous.value_or(0);
      info.opens_with_mark = block.has_value() && block->fragments == 0;
      while (block.has_value()) {
        if (Status status = Take(*block, info); !status.ok()) {
          return Damage(LogFilePath(dir_, info.id), reader.offset() - block->block_bytes,
                        status.message())
              .error();
        }
        previous = block->crc;
        ASSIGN_OR_RETURN(block, reader.Next(previous));
      }
      log_.files.push_back(info);
      log_.offset = reader.offset();
      log_.previous = previous.value_or(0);
    }
    log_.term = assembler_.term();
    log_.next_seq = assembler_.next_seq().value_or(1);
    if (!assembler_.next_seq().has_value() && found_.front().id != 1) {
      // A file goes only when a durable record or a durable mark begins behind it.
      return Damage(LogFilePath(dir_, found_.front().id), kLogSectorBytes,
                    "no record or mark begins in it or behind it")
          .error();
    }
    return Status::Ok();
  }

  Status Take(const LogBlock& block, LogFileInfo& info) {
    if (info.first_seq == 0 && assembler_.next_seq().has_value()) {
      info.first_seq = *assembler_.next_seq() + (assembler_.unfinished() ? 1 : 0);
    }
    RETURN_IF_ERROR(assembler_.Add(block, entries_));
    entries_.clear();
    // Also lower: a record that was broken off begins again here.
    ASSIGN_OR_RETURN(auto fragments, DecodeLogFragments(block));
    for (const LogFragment& fragment : fragments) {
      if (fragment.offset != 0) continue;
      if (info.first_seq == 0 || fragment.seq < info.first_seq) info.first_seq = fragment.seq;
      break;
    }
    return Status::Ok();
  }

  Status RefuseDamage() {
    for (size_t i = log_.files.size() - 1; i < found_.size(); ++i) {
      const std::string path = LogFilePath(dir_, found_[i].id);
      const uint64_t from = i + 1 == log_.files.size() ? log_.offset : kLogSectorBytes;
      ASSIGN_OR_RETURN(auto file, files_.OpenReadable(path));
      BlockReader reader(std::move(file), found_[i].id, from);
      ASSIGN_OR_RETURN(auto proof, reader.FindProofOf(log_.next_seq));
      if (!proof.has_value()) continue;
      return Damage(LogFilePath(dir_, log_.files.back().id), log_.offset,
                    fmt::format("record {} does not verify, but was durable says {} at {}",
                                log_.next_seq, path, *proof))
          .error();
    }
    return Status::Ok();
  }

  /// A file in which no record begins takes the first seq of what follows.
  void SettleFirstSeqs() {
    uint64_t behind = log_.next_seq;
    for (auto it = log_.files.rbegin(); it != log_.files.rend(); ++it) {
      if (it->first_seq == 0) it->first_seq = behind;
      behind = it->first_seq;
    }
  }

  FileSystem& files_;
  const std::string& dir_;
  const LogPartitionId partition_;
  std::vector<LogFileInfo> found_;
  RecordAssembler assembler_{/*keep_payloads=*/false};
  std::deque<LogEntry> entries_;
  RecoveredLog log_;
};

}  // namespace

Result<RecoveredLog> RecoverLog(FileSystem& files, const std::string& dir,
                                LogPartitionId partition) {
  return Recovery(files, dir, partition).Run();
}

}  // namespace elanus::storage
