// The bytes of a log file: its header, and blocks of record fragments. See docs/format/log.md.
// Holds: nothing here reads outside the bytes it is given, whatever they are.
// Called by file_log.cc (writes) and log_reader.cc (reads). Pure but for the buffers of BlockGroup.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace elanus::storage {

/// Every write begins and ends on a sector, so that no write can tear what an earlier one left.
inline constexpr uint64_t kLogSectorBytes = 512;
inline constexpr uint32_t kFragmentBytesMax = 1 << 20;
inline constexpr uint64_t kBlockBytesMax = kFragmentBytesMax + kLogSectorBytes;
/// A file with less room than this is full.
inline constexpr uint64_t kLogRoomMin = 4096;

struct LogFileHeader {
  LogPartitionId partition;
  uint64_t file_id = 0;
  uint64_t file_bytes = 0;  ///< the whole file, header included
};

/// One sector.
std::string EncodeLogFileHeader(const LogFileHeader& header);
/// kDataIntegrity unless `sector` is a whole, undamaged header.
Result<LogFileHeader> DecodeLogFileHeader(std::string_view sector);

struct LogFragment {
  uint64_t seq = 0;
  ShardId shard;
  uint32_t offset = 0;  ///< of these bytes in the record; 0 = the record begins here
  bool last = false;    ///< the record ends here
  std::string_view bytes;
};

struct LogBlock {
  uint32_t crc = 0;
  uint32_t block_bytes = 0;
  uint32_t previous = 0;  ///< the crc of the block before it; 0 for the first of the log
  uint64_t file_id = 0;
  uint64_t term = 0;
  uint64_t durable_seq = 0;  ///< known durable when this block was written
  uint32_t fragments = 0;    ///< 0: a mark, which breaks off the record before it if unfinished
  std::string_view body;     ///< the fragments, then zeros
};

/// The block at the start of `bytes`, or nullopt when they do not begin with a whole block of this
/// file. `bytes` may be longer. A view into `bytes`.
std::optional<LogBlock> FindLogBlock(std::string_view bytes, uint64_t file_id);
/// What the block at the start of `bytes` says its length is; nullopt when it cannot be one.
std::optional<uint32_t> PeekLogBlockBytes(std::string_view bytes);

/// kDataIntegrity when a block with a right checksum says impossible things.
Result<std::vector<LogFragment>> DecodeLogFragments(const LogBlock& block);

/// Lays records out as the blocks of one gathered write. Small pieces are copied together; large
/// ones are referred to, so payloads must outlive the group.
class BlockGroup {
 public:
  struct Stamp {
    uint64_t file_id;
    uint64_t term;
    uint64_t durable_seq;
    uint32_t previous;
  };
  /// \param room  bytes left in the file, a multiple of a sector
  BlockGroup(const Stamp& stamp, uint64_t room) : stamp_(stamp), room_(room) {}

  /// Adds the next piece of a record: as much of `payload` from `offset` on as one fragment takes.
  /// Returns how much that was, or nullopt when the file is full.
  std::optional<uint32_t> Add(uint64_t seq, ShardId shard, std::string_view payload,
                              uint32_t offset);
  /// Adds a mark; needs a sector of room.
  void AddMark();
  /// Ends the last block; afterwards pieces, bytes and previous are those of the whole group.
  void Finish();

  std::span<const std::string_view> pieces() const { return pieces_; }
  uint64_t bytes() const { return bytes_; }
  uint32_t previous() const { return stamp_.previous; }

 private:
  std::string& NewBuffer(size_t reserve);
  /// Fills in the header at the front of `buffer` for a block of buffer + tail + padding and puts
  /// these into pieces.
  void EmitBlock(std::string& buffer, uint32_t fragments, std::string_view tail);

  Stamp stamp_;
  uint64_t room_;
  uint64_t bytes_ = 0;
  std::deque<std::string> buffers_;  // a deque: views into them stay
  std::vector<std::string_view> pieces_;
  std::string* open_ = nullptr;  // the block that small pieces go into
  uint64_t open_capacity_ = 0;
  uint32_t open_fragments_ = 0;
};

}  // namespace elanus::storage
