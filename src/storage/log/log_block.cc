#include "storage/log/log_block.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace elanus::storage {
namespace {

constexpr uint64_t kFileMagic = 0x474f'4c53'554e'4145;  // "EANUSLOG"
constexpr uint32_t kVersion = 1;
constexpr uint32_t kBlockMagic = 0x4b4c'4245;  // "EBLK"
constexpr size_t kSummedFrom = 8;              // the block's bytes behind magic and crc
constexpr size_t kBlockHeaderBytes = 48;
constexpr size_t kFragmentHeaderBytes = 24;
constexpr uint32_t kLastBit = 1u << 31;
/// So that a seq after it can always be said.
constexpr uint64_t kSeqMax = UINT64_MAX - (uint64_t{1} << 32);
/// Blocks of small records end here; a torn block costs at most this much.
constexpr uint64_t kPackedBlockBytes = 128 << 10;
/// Pieces from here on are referred to instead of copied.
constexpr size_t kLargePieceBytes = 32 << 10;

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + kLogSectorBytes - 1) / kLogSectorBytes * kLogSectorBytes;
}

std::string_view Padding(uint64_t bytes) {
  static const std::string zeros(kLogSectorBytes, '\0');
  return std::string_view(zeros).substr(0, bytes);
}

void AppendFragmentHeader(std::string& buffer, const LogFragment& fragment) {
  ByteWriter out;
  out.Fixed(fragment.seq);
  out.Fixed(fragment.shard.value);
  out.Fixed(fragment.offset);
  out.Fixed(static_cast<uint32_t>(fragment.bytes.size()) | (fragment.last ? kLastBit : 0));
  buffer += out.view();
}

}  // namespace

std::string EncodeLogFileHeader(const LogFileHeader& header) {
  ByteWriter body;
  body.Fixed(header.partition.value);
  body.Fixed(header.file_id);
  body.Fixed(header.file_bytes);
  std::string summed = body.Take();
  summed.resize(kLogSectorBytes - 16, '\0');
  ByteWriter out;
  out.Fixed(kFileMagic);
  out.Fixed(kVersion);
  out.Fixed(Crc32c(summed));
  return out.Take() + summed;
}

Result<LogFileHeader> DecodeLogFileHeader(std::string_view sector) {
  ByteReader in(sector);
  const auto magic = in.Fixed<uint64_t>();
  const auto version = in.Fixed<uint32_t>();
  const auto crc = in.Fixed<uint32_t>();
  if (sector.size() != kLogSectorBytes || magic != kFileMagic || crc != Crc32c(sector.substr(16))) {
    return Error(Code::kDataIntegrity, "the file header does not verify");
  }
  if (version != kVersion) {
    return Error(Code::kDataIntegrity,
                 "the file is of another version: " + std::to_string(version));
  }
  LogFileHeader header;
  header.partition.value = in.Fixed<int64_t>();
  header.file_id = in.Fixed<uint64_t>();
  header.file_bytes = in.Fixed<uint64_t>();
  return header;
}

std::optional<uint32_t> PeekLogBlockBytes(std::string_view bytes) {
  ByteReader in(bytes);
  const auto magic = in.Fixed<uint32_t>();
  in.Fixed<uint32_t>();
  const auto block_bytes = in.Fixed<uint32_t>();
  if (!in.ok() || magic != kBlockMagic || block_bytes < kLogSectorBytes ||
      block_bytes > kBlockBytesMax || block_bytes % kLogSectorBytes != 0) {
    return std::nullopt;
  }
  return block_bytes;
}

std::optional<LogBlock> FindLogBlock(std::string_view bytes, uint64_t file_id) {
  const std::optional<uint32_t> block_bytes = PeekLogBlockBytes(bytes);
  if (!block_bytes.has_value() || *block_bytes > bytes.size()) return std::nullopt;
  bytes = bytes.substr(0, *block_bytes);
  ByteReader in(bytes.substr(4));
  LogBlock block;
  block.crc = in.Fixed<uint32_t>();
  block.block_bytes = in.Fixed<uint32_t>();
  block.previous = in.Fixed<uint32_t>();
  block.file_id = in.Fixed<uint64_t>();
  block.term = in.Fixed<uint64_t>();
  block.durable_seq = in.Fixed<uint64_t>();
  block.fragments = in.Fixed<uint32_t>();
  block.body = bytes.substr(kBlockHeaderBytes);
  if (block.file_id != file_id || block.crc != Crc32c(bytes.substr(kSummedFrom))) {
    return std::nullopt;
  }
  return block;
}

Result<std::vector<LogFragment>> DecodeLogFragments(const LogBlock& block) {
  ByteReader in(block.body);
  if (block.fragments > block.body.size() / kFragmentHeaderBytes) in.Fail();
  std::vector<LogFragment> fragments;
  for (uint32_t i = 0; i < block.fragments && in.ok(); ++i) {
    LogFragment fragment;
    fragment.seq = in.Fixed<uint64_t>();
    fragment.shard.value = in.Fixed<int64_t>();
    fragment.offset = in.Fixed<uint32_t>();
    const auto size = in.Fixed<uint32_t>();
    fragment.last = (size & kLastBit) != 0;
    fragment.bytes = in.Raw(size & ~kLastBit);
    if (fragment.seq == 0 || fragment.seq > kSeqMax) in.Fail();
    fragments.push_back(fragment);
  }
  RETURN_IF_ERROR(in.Check("the block's list of fragments"));
  return fragments;
}

std::string& BlockGroup::NewBuffer(size_t reserve) {
  std::string& buffer = buffers_.emplace_back();
  buffer.reserve(reserve);
  buffer.resize(kBlockHeaderBytes);
  return buffer;
}

std::optional<uint32_t> BlockGroup::Add(uint64_t seq, ShardId shard, std::string_view payload,
                                        uint32_t offset) {
  const std::string_view rest = payload.substr(offset);
  const bool large = rest.size() >= kLargePieceBytes;
  if (open_ != nullptr &&
      (large || open_->size() + kFragmentHeaderBytes + rest.size() > open_capacity_)) {
    Finish();
  }
  if (open_ == nullptr && room_ < kLogRoomMin) return std::nullopt;
  const uint64_t capacity = open_ != nullptr
                                ? open_capacity_ - open_->size() + kBlockHeaderBytes
                                : std::min(room_, large ? kBlockBytesMax : kPackedBlockBytes);
  const uint64_t take = std::min<uint64_t>(
      {rest.size(), kFragmentBytesMax, capacity - kBlockHeaderBytes - kFragmentHeaderBytes});
  const LogFragment fragment{seq, shard, offset, take == rest.size(), rest.substr(0, take)};
  if (large) {
    std::string& buffer = NewBuffer(kBlockHeaderBytes + kFragmentHeaderBytes);
    AppendFragmentHeader(buffer, fragment);
    EmitBlock(buffer, 1, fragment.bytes);
  } else {
    if (open_ == nullptr) {
      open_ = &NewBuffer(4096);
      open_capacity_ = capacity;
    }
    AppendFragmentHeader(*open_, fragment);
    *open_ += fragment.bytes;
    ++open_fragments_;
  }
  return static_cast<uint32_t>(take);
}

void BlockGroup::AddMark() {
  Finish();
  EmitBlock(NewBuffer(kBlockHeaderBytes), 0, {});
}

void BlockGroup::Finish() {
  if (open_ == nullptr) return;
  EmitBlock(*open_, open_fragments_, {});
  open_ = nullptr;
  open_fragments_ = 0;
}

void BlockGroup::EmitBlock(std::string& buffer, uint32_t fragments, std::string_view tail) {
  const uint64_t block_bytes = RoundUp(buffer.size() + tail.size());
  const std::string_view padding = Padding(block_bytes - buffer.size() - tail.size());
  ELANUS_CHECK(block_bytes <= room_ && block_bytes <= kBlockBytesMax);
  ByteWriter header;
  header.Fixed(kBlockMagic);
  header.Fixed<uint32_t>(0);  // the crc, below
  header.Fixed(static_cast<uint32_t>(block_bytes));
  header.Fixed(stamp_.previous);
  header.Fixed(stamp_.file_id);
  header.Fixed(stamp_.term);
  header.Fixed(stamp_.durable_seq);
  header.Fixed(fragments);
  header.Fixed<uint32_t>(0);
  std::memcpy(buffer.data(), header.view().data(), kBlockHeaderBytes);
  uint32_t crc = Crc32c(std::string_view(buffer).substr(kSummedFrom));
  crc = Crc32c(padding, Crc32c(tail, crc));
  std::memcpy(buffer.data() + 4, &crc, sizeof(crc));
  for (std::string_view piece : {std::string_view(buffer), tail, padding}) {
    if (!piece.empty()) pieces_.push_back(piece);
  }
  stamp_.previous = crc;
  room_ -= block_bytes;
  bytes_ += block_bytes;
}

}  // namespace elanus::storage
