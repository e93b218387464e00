#include "expr/bloom_members.h"

#include <bit>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>
#include "base/bytes.h"

namespace elanus::expr {
namespace {

constexpr std::string_view kMagic = "MBF1";
constexpr uint16_t kVersion = 1;
constexpr uint16_t kSplitBlocks = 1;
constexpr uint8_t kKnownDomains = BloomMembers::kInts | BloomMembers::kTexts;
constexpr uint32_t kBlocksMax = 128 << 15;  // 128 MiB

/// Bytes between quotes as Go prints them.
std::string Quoted(std::string_view bytes) {
  std::string quoted = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c >= ' ' && c <= '~') {
      quoted += c;
    } else {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return quoted + '"';
}

}  // namespace

uint64_t BloomMembers::HashOf(int64_t value) { return XXH64(&value, sizeof(value), 0); }
uint64_t BloomMembers::HashOf(std::string_view text) { return XXH64(text.data(), text.size(), 0); }

Result<std::shared_ptr<const BloomMembers>> BloomMembers::Open(
    std::shared_ptr<const std::string> blob) {
  auto members = std::make_shared<BloomMembers>();
  members->blob_ = std::move(blob);
  RETURN_IF_ERROR(members->Read());
  return std::shared_ptr<const BloomMembers>(std::move(members));
}

Status BloomMembers::Read() {
  const auto wrong = [](std::string text) { return Status(Code::kInvalidParameter, text); };
  const std::string_view blob = blob_ == nullptr ? std::string_view() : *blob_;
  if (blob.size() < kHeaderBytes) {
    return wrong(fmt::format("bloom filter blob too short: {} bytes, need at least {}", blob.size(),
                             kHeaderBytes));
  }
  ByteReader in(blob);
  const std::string_view magic = in.Raw(kMagic.size());
  const auto version = in.Fixed<uint16_t>();
  const auto algorithm = in.Fixed<uint16_t>();
  in.Raw(sizeof(uint64_t) + sizeof(double));  // how many members at which rate: for people
  const auto blocks = in.Fixed<uint32_t>();
  const auto domains = in.Fixed<uint8_t>();
  const std::string_view reserved = in.Raw(3);
  if (magic != kMagic) {
    return wrong(fmt::format("bloom filter blob has invalid magic {}, expected {}", Quoted(magic),
                             Quoted(kMagic)));
  }
  if (version != kVersion) {
    return wrong(
        fmt::format("unsupported bloom filter version {}, expected {}", version, kVersion));
  }
  if (algorithm != kSplitBlocks) {
    return wrong(
        fmt::format("unsupported bloom filter algo {}, expected {}", algorithm, kSplitBlocks));
  }
  if ((domains & ~kKnownDomains) != 0) {
    return wrong(
        fmt::format("bloom filter declares unknown value domains 0x{:02x}, known bits 0x{:02x}",
                    domains, kKnownDomains));
  }
  const int kept_free = reserved[0] | reserved[1] | reserved[2];
  if (kept_free != 0) {
    return wrong(
        fmt::format("bloom filter reserved field must be 0, got {}", kept_free & UINT8_MAX));
  }
  if (!std::has_single_bit(blocks) || blocks > kBlocksMax) {
    return wrong(fmt::format("bloom filter num_blocks {} is not a power of two in [1, {}]", blocks,
                             kBlocksMax));
  }
  if (in.remaining() != blocks * kBlockBytes) {
    return wrong(
        fmt::format("bloom filter body length {} does not match num_blocks {} (want {} bytes)",
                    in.remaining(), blocks, blocks * kBlockBytes));
  }
  blocks_ = blocks;
  domains_ = domains;
  return Status::Ok();
}

}  // namespace elanus::expr
