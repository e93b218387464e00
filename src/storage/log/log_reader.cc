#include "storage/log/log_reader.h"

#include <fmt/core.h>

#include <algorithm>

namespace elanus::storage {

Result<std::string_view> BlockReader::Bytes(uint64_t offset, uint64_t size, bool fresh) {
  const auto buffered = [&]() -> std::string_view {
    if (offset < buffer_offset_ || offset - buffer_offset_ > buffered_) return {};
    return std::string_view(buffer_.get(), buffered_).substr(offset - buffer_offset_);
  };
  if (fresh || buffered().size() < size) {
    buffer_offset_ = offset;
    buffered_ = 0;
    ASSIGN_OR_RETURN(buffered_, file_->ReadAt(offset, kBlockBytesMax, buffer_.get()));
  }
  return buffered();
}

Result<std::optional<LogBlock>> BlockReader::BlockAt(uint64_t offset, bool fresh) {
  ASSIGN_OR_RETURN(std::string_view bytes, Bytes(offset, kLogSectorBytes, fresh));
  const std::optional<uint32_t> block_bytes = PeekLogBlockBytes(bytes);
  if (!block_bytes.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(bytes, Bytes(offset, *block_bytes, false));
  return FindLogBlock(bytes, file_id_);
}

Result<std::optional<LogBlock>> BlockReader::Next(std::optional<uint32_t> previous) {
  // A second look with fresh bytes: the buffer may be older than what was written since.
  for (bool fresh : {false, true}) {
    ASSIGN_OR_RETURN(std::optional<LogBlock> block, BlockAt(offset_, fresh));
    if (!block.has_value() || block->previous != previous.value_or(block->previous)) continue;
    offset_ += block->block_bytes;
    return block;
  }
  return std::nullopt;
}

Result<std::optional<uint64_t>> BlockReader::FindProofOf(uint64_t seq) {
  for (uint64_t at = offset_;; at += kLogSectorBytes) {
    ASSIGN_OR_RETURN(std::string_view bytes, Bytes(at, kLogSectorBytes, false));
    if (bytes.empty()) return std::nullopt;
    ASSIGN_OR_RETURN(std::optional<LogBlock> block, BlockAt(at, false));
    if (block.has_value() && block->durable_seq >= seq) return at;
  }
}

Status RecordAssembler::Add(const LogBlock& block, std::deque<LogEntry>& entries) {
  if (block.term < term_) return {Code::kDataIntegrity, "a block of an earlier term follows"};
  term_ = block.term;
  if (block.fragments == 0) {
    unfinished_.reset();
    // The first block of a file is written when everything before the file is durable. So a mark
    // there that begins a log, or what a cursor reads, tells the seq of the record behind it.
    if (first_) {
      next_seq_ = block.durable_seq + 1;
      began_ = true;
    }
  }
  first_ = false;
  ASSIGN_OR_RETURN(std::vector<LogFragment> fragments, DecodeLogFragments(block));
  for (const LogFragment& fragment : fragments) RETURN_IF_ERROR(AddFragment(fragment, entries));
  return Status::Ok();
}

Status RecordAssembler::AddFragment(const LogFragment& fragment, std::deque<LogEntry>& entries) {
  if (fragment.offset == 0) {
    if (unfinished_.has_value() || fragment.seq != next_seq_.value_or(fragment.seq)) {
      return {Code::kDataIntegrity, fmt::format("record {} is out of order", fragment.seq)};
    }
    began_ = true;
    next_seq_ = fragment.seq;
    unfinished_ = LogEntry{.seq = fragment.seq, .term = term_, .shard = fragment.shard};
    unfinished_bytes_ = 0;
  } else if (!began_ && !next_seq_.has_value()) {  // of the one record that began before
    if (fragment.last) next_seq_ = fragment.seq + 1;
    return Status::Ok();
  }
  if (!unfinished_.has_value() || unfinished_->seq != fragment.seq ||
      unfinished_->shard != fragment.shard || unfinished_bytes_ != fragment.offset) {
    return {Code::kDataIntegrity,
            fmt::format("a fragment of record {} is out of order", fragment.seq)};
  }
  unfinished_bytes_ += fragment.bytes.size();
  if (keep_payloads_) unfinished_->payload += fragment.bytes;
  if (fragment.last) {
    next_seq_ = fragment.seq + 1;
    entries.push_back(*std::move(unfinished_));
    unfinished_.reset();
  }
  return Status::Ok();
}

}  // namespace elanus::storage
