// For tests: sets as clients build them for bloom_match and roaring_match.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "expr/bloom_members.h"

namespace elanus::expr {

inline std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

/// A Bloom filter of `blocks` blocks, a power of two.
inline std::string BloomBlob(const std::vector<int64_t>& ints,
                             const std::vector<std::string>& texts, uint32_t blocks) {
  constexpr uint32_t kSalts[8] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                  0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};
  std::vector<uint32_t> words(size_t{blocks} * 8);
  const auto insert = [&](uint64_t hash) {
    uint32_t* block = words.data() + ((hash >> 32) * blocks >> 32) * 8;
    for (int i = 0; i < 8; ++i)
      block[i] |= uint32_t{1} << (static_cast<uint32_t>(hash) * kSalts[i] >> 27);
  };
  for (const int64_t v : ints) insert(BloomMembers::HashOf(v));
  for (const std::string& v : texts) insert(BloomMembers::HashOf(v));
  ByteWriter out;
  out.Raw("MBF1", 4);
  out.Fixed(uint16_t{1});
  out.Fixed(uint16_t{1});
  out.Fixed(static_cast<uint64_t>(ints.size() + texts.size()));
  out.Fixed(0.01);
  out.Fixed(blocks);
  out.Fixed(static_cast<uint8_t>((ints.empty() ? 0 : 1) | (texts.empty() ? 0 : 2)));
  out.Raw("\0\0\0", 3);
  out.Raw(words.data(), words.size() * sizeof(uint32_t));
  return out.Take();
}

/// The values of one container, in order, in the form that is asked for.
enum class RoaringForm : uint8_t { kPlain, kRuns };
inline void WriteRoaringContainer(ByteWriter& out, const std::vector<uint16_t>& lows,
                                  RoaringForm form) {
  if (form == RoaringForm::kRuns) {
    std::vector<std::pair<uint16_t, uint16_t>> runs;
    for (const uint16_t low : lows) {
      if (!runs.empty() && runs.back().first + runs.back().second + 1 == low) {
        ++runs.back().second;
      } else {
        runs.emplace_back(low, uint16_t{0});
      }
    }
    out.Fixed(static_cast<uint16_t>(runs.size()));
    for (const auto& [first, more] : runs) {
      out.Fixed(first);
      out.Fixed(more);
    }
  } else if (lows.size() > 4096) {
    std::vector<uint64_t> words(1024);
    for (const uint16_t low : lows) words[low / 64] |= uint64_t{1} << (low % 64);
    out.Raw(words.data(), words.size() * sizeof(uint64_t));
  } else {
    for (const uint16_t low : lows) out.Fixed(low);
  }
}

inline std::string RoaringEnvelope(std::string_view body, uint64_t size) {
  ByteWriter out;
  out.Raw("MRB1", 4);
  out.Fixed(uint16_t{1});
  out.Fixed(uint16_t{1});
  out.Fixed(size);
  out.Fixed(static_cast<uint64_t>(body.size()));
  out.Fixed(uint64_t{0});
  out.Raw(body.data(), body.size());
  return out.Take();
}

/// A roaring bitmap; with kRuns every second container has runs.
inline std::string RoaringBlob(const std::vector<int64_t>& values,
                               RoaringForm form = RoaringForm::kPlain) {
  using Containers = std::map<uint16_t, std::vector<uint16_t>>;
  std::map<uint32_t, Containers> highs;
  std::set<uint64_t> keys;
  for (const int64_t v : values) keys.insert(static_cast<uint64_t>(v));
  for (const uint64_t key : keys) {
    highs[static_cast<uint32_t>(key >> 32)][static_cast<uint16_t>(key >> 16)].push_back(
        static_cast<uint16_t>(key));
  }
  ByteWriter out;
  out.Fixed(static_cast<uint64_t>(highs.size()));
  for (const auto& [high, containers] : highs) {
    out.Fixed(high);
    const auto count = static_cast<uint32_t>(containers.size());
    if (form == RoaringForm::kRuns) {
      out.Fixed(12347 | (count - 1) << 16);
      std::string bits((count + 7) / 8, '\0');
      for (uint32_t i = 0; i < count; i += 2) bits[i / 8] |= static_cast<char>(1 << (i % 8));
      out.Raw(bits.data(), bits.size());
    } else {
      out.Fixed(uint32_t{12346});
      out.Fixed(count);
    }
    for (const auto& [key, lows] : containers) {
      out.Fixed(key);
      out.Fixed(static_cast<uint16_t>(lows.size() - 1));
    }
    // Offsets, which readers do not need.
    if (form == RoaringForm::kPlain || count >= 4)
      for (uint32_t i = 0; i < count; ++i) out.Fixed(uint32_t{0});
    uint32_t i = 0;
    for (const auto& [key, lows] : containers) {
      const bool runs = form == RoaringForm::kRuns && i++ % 2 == 0;
      WriteRoaringContainer(out, lows, runs ? RoaringForm::kRuns : RoaringForm::kPlain);
    }
  }
  return RoaringEnvelope(out.view(), keys.size());
}

}  // namespace elanus::expr
