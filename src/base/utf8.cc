#include "base/utf8.h"

#include <cstring>

namespace elanus {
namespace {

/// Bytes of the sequence that starts at `p`, 0 when it is not well formed.
size_t SequenceBytes(const uint8_t* p, size_t left) {
  const uint8_t lead = p[0];
  size_t size = 0;
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) second_min = 0xA0;  // overlong below
    if (lead == 0xED) second_max = 0x9F;  // surrogates above
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) second_min = 0x90;
    if (lead == 0xF4) second_max = 0x8F;  // above U+10FFFF
  } else {
    return 0;
  }
  if (left < size || p[1] < second_min || p[1] > second_max) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((p[i] & 0xC0) != 0x80) return 0;
  }
  return size;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  size_t left = text.size();
  while (left != 0) {
    if (left >= 8) {
      uint64_t word = 0;
      std::memcpy(&word, p, sizeof(word));
      if ((word & 0x8080808080808080) == 0) {
        p += 8;
        left -= 8;
        continue;
      }
    }
    const size_t size = *p < 0x80 ? 1 : SequenceBytes(p, left);
    if (size == 0) return false;
    p += size;
    left -= size;
  }
  return true;
}

std::string ToUtf8(std::string_view text) {
  if (IsUtf8(text)) return std::string(text);
  std::string clean;
  for (size_t at = 0; at < text.size();) {
    const auto* p = reinterpret_cast<const uint8_t*>(text.data()) + at;
    const size_t size = *p < 0x80 ? 1 : SequenceBytes(p, text.size() - at);
    if (size == 0) {
      clean += "\xEF\xBF\xBD";
      ++at;
    } else {
      clean += text.substr(at, size);
      at += size;
    }
  }
  return clean;
}

void AppendUtf8(uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
    return;
  }
  const int later = point < 0x800     ? 1
                    : point < 0x10000 ? 2
                                      : 3;  // bytes of six bits behind the lead
  const uint32_t lead = 0xFF00u >> (later + 1);
  out += static_cast<char>((lead & 0xFF) | (point >> (6 * later)));
  for (int shift = 6 * (later - 1); shift >= 0; shift -= 6)
    out += static_cast<char>(0x80 | ((point >> shift) & 0x3F));
}

}  // namespace elanus
