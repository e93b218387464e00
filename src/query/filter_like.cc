#include "query/filter_like.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <cstring>

namespace elanus::query {
namespace {

// Bytes of the code point at text[at]; 1 for a byte that starts none.
size_t CodePointBytes(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 1;
  if (at + length > text.size()) return 1;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 1;
  }
  return length;
}

}  // namespace

// Looks for places where the needle's first and last byte stand at the right distance, sixteen at a
// time; only those are compared.
size_t FindText(std::string_view text, size_t at, std::string_view needle) {
#ifdef __SSE2__
  const size_t length = needle.size();
  const __m128i first = _mm_set1_epi8(needle.front());
  const __m128i last = _mm_set1_epi8(needle.back());
  for (; at + length + 15 <= text.size(); at += 16) {
    const auto* here = reinterpret_cast<const __m128i*>(text.data() + at);
    const auto* there = reinterpret_cast<const __m128i*>(text.data() + at + length - 1);
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128(here), first),
                                       _mm_cmpeq_epi8(_mm_loadu_si128(there), last));
    for (auto mask = static_cast<uint32_t>(_mm_movemask_epi8(both)); mask != 0; mask &= mask - 1) {
      const size_t place = at + static_cast<size_t>(std::countr_zero(mask));
      if (std::memcmp(text.data() + place, needle.data(), length) == 0) return place;
    }
  }
#endif
  return text.find(needle, at);
}

LikeMatcher::LikeMatcher(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    Segment& segment = segments_.back();
    if (pattern[i] == '%') {
      segments_.emplace_back();
    } else if (pattern[i] == '_') {
      segment.pieces.emplace_back();
      ++segment.bytes_min;
    } else {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      segment.pieces.back() += pattern[i];
      ++segment.bytes_min;
    }
  }
}

// The end of a match of the segment that starts exactly at `at`, or npos.
size_t LikeMatcher::MatchAt(const Segment& segment, std::string_view text, size_t at) {
  for (size_t p = 0; p < segment.pieces.size(); ++p) {
    if (p != 0) {
      if (at >= text.size()) return std::string_view::npos;
      at += CodePointBytes(text, at);
    }
    const std::string& piece = segment.pieces[p];
    if (!text.substr(at).starts_with(piece)) return std::string_view::npos;
    at += piece.size();
  }
  return at;
}

// Moves *at behind the first match of the segment at or after it.
bool LikeMatcher::Find(const Segment& segment, std::string_view text, size_t* at) {
  const std::string& piece = segment.pieces[0];
  if (segment.bytes_min == 0) return true;
  if (segment.IsLiteral()) {
    const size_t found = FindText(text, *at, piece);
    if (found == std::string_view::npos) return false;
    *at = found + piece.size();
    return true;
  }
  size_t start = *at;
  while (start + segment.bytes_min <= text.size()) {
    if (!piece.empty()) {
      start = FindText(text, start, piece);
      if (start == std::string_view::npos) return false;
    }
    const size_t end = MatchAt(segment, text, start);
    if (end != std::string_view::npos) {
      *at = end;
      return true;
    }
    start += start < text.size() ? CodePointBytes(text, start) : 1;
  }
  return false;
}

// Whether the segment matches some stretch that begins at or after `at` and ends with the text.
bool LikeMatcher::MatchEnd(const Segment& segment, std::string_view text, size_t at) {
  if (text.size() - at < segment.bytes_min) return false;
  if (segment.IsLiteral()) return text.ends_with(segment.pieces[0]);
  for (size_t start = at; start + segment.bytes_min <= text.size();
       start += start < text.size() ? CodePointBytes(text, start) : 1) {
    if (MatchAt(segment, text, start) == text.size()) return true;
  }
  return false;
}

bool LikeMatcher::Matches(std::string_view text) const {
  size_t at = MatchAt(segments_.front(), text, 0);
  if (at == std::string_view::npos) return false;
  if (segments_.size() == 1) return at == text.size();
  for (size_t s = 1; s + 1 < segments_.size(); ++s) {
    if (!Find(segments_[s], text, &at)) return false;
  }
  return MatchEnd(segments_.back(), text, at);
}

std::vector<std::string_view> LikeMatcher::Literals() const {
  std::vector<std::string_view> literals;
  for (const Segment& segment : segments_) {
    for (const std::string& piece : segment.pieces) {
      if (!piece.empty()) literals.push_back(piece);
    }
  }
  return literals;
}

std::string_view LikeMatcher::SoughtAnywhere() const {
  const bool anywhere = segments_.size() == 3 && segments_[0].bytes_min == 0 &&
                        segments_[2].bytes_min == 0 && segments_[1].IsLiteral();
  return anywhere ? std::string_view(segments_[1].pieces[0]) : std::string_view();
}

}  // namespace elanus::query
