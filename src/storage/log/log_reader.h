// Reading a log file: blocks one after the other, verified as a chain, and records out of their
// fragments. Called by file_log.cc: recovery and cursors. Threads: an object belongs to one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "storage/log/log.h"
#include "storage/log/log_block.h"

namespace elanus::storage {

class BlockReader {
 public:
  BlockReader(std::unique_ptr<ReadableFile> file, uint64_t file_id,
              uint64_t offset = kLogSectorBytes)
      : file_(std::move(file)), file_id_(file_id), offset_(offset) {}

  /// The block at the present position when it verifies and follows the block with checksum
  /// `previous`; then moves behind it. nullopt, and no move, when there is none. The block is valid
  /// until the next call. A file that is being written may be read behind its writer.
  Result<std::optional<LogBlock>> Next(std::optional<uint32_t> previous);

  /// The first verifying block from the present position on, at any sector and in any order, that
  /// says a seq >= `seq` was durable: proof that what should be here once was. Gives its offset.
  Result<std::optional<uint64_t>> FindProofOf(uint64_t seq);

  uint64_t offset() const { return offset_; }
  uint64_t file_id() const { return file_id_; }

 private:
  /// At least `size` bytes from `offset`, fewer only at the end of the file; read anew if `fresh`.
  Result<std::string_view> Bytes(uint64_t offset, uint64_t size, bool fresh);
  Result<std::optional<LogBlock>> BlockAt(uint64_t offset, bool fresh);

  std::unique_ptr<ReadableFile> file_;
  uint64_t file_id_;
  uint64_t offset_;
  const std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(kBlockBytesMax);
  uint64_t buffer_offset_ = 0;
  uint64_t buffered_ = 0;
};

/// Puts the fragments of consecutive blocks together.
class RecordAssembler {
 public:
  /// \param keep_payloads  false: entries are counted, their payloads left empty
  explicit RecordAssembler(bool keep_payloads) : keep_payloads_(keep_payloads) {}

  /// Adds a block; whole records go to the end of `entries`. kDataIntegrity when it cannot follow
  /// the blocks before. The end of a record that began before the first block is passed over. A
  /// first block that is a mark says what came before.
  Status Add(const LogBlock& block, std::deque<LogEntry>& entries);

  /// The seq after the last whole record; nullopt before the first, unless a mark told it.
  std::optional<uint64_t> next_seq() const { return next_seq_; }
  bool unfinished() const { return unfinished_.has_value(); }
  uint64_t term() const { return term_; }

 private:
  Status AddFragment(const LogFragment& fragment, std::deque<LogEntry>& entries);

  const bool keep_payloads_;
  std::optional<uint64_t> next_seq_;
  std::optional<LogEntry> unfinished_;
  uint64_t unfinished_bytes_ = 0;
  uint64_t term_ = 0;
  bool first_ = true;
  bool began_ = false;  // a record has begun: from now on nothing may be passed over
};

}  // namespace elanus::storage
