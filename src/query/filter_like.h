// SQL's like, compiled once per filter: most patterns need only one comparison or one search.
// Holds: a pattern's segments are what lies between its `%`. Threads: Matches is const.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace elanus::query {

/// The first place at or after `at` where `needle`, not empty, begins in the text; npos when
/// nowhere. Cost: about 16 bytes a ns.
size_t FindText(std::string_view text, size_t at, std::string_view needle);

class LikeMatcher {
 public:
  /// \param pattern  `%` any run, `_` one UTF-8 code point (one byte where the text is not UTF-8),
  ///                 `\` takes the next byte as it is; one at the end stands for itself
  explicit LikeMatcher(std::string_view pattern);

  /// Whether the whole text matches. Cost: one pass over the text a segment.
  bool Matches(std::string_view text) const;

  /// Whether the pattern is one text, or one text and what follows it.
  bool IsLiteral() const { return segments_.size() == 1 && segments_[0].IsLiteral(); }
  bool IsPrefix() const {
    return segments_.size() == 2 && segments_[0].IsLiteral() && segments_[1].bytes_min == 0;
  }
  /// What every match begins with.
  std::string_view Prefix() const { return segments_[0].pieces[0]; }
  /// Texts that every match holds, none empty.
  std::vector<std::string_view> Literals() const;

  /// What the pattern looks for when it is nothing but `%literal%`, else empty.
  std::string_view SoughtAnywhere() const;

 private:
  // Literal pieces with `_` between: pieces[0] _ pieces[1] _ ...; a piece may be empty.
  struct Segment {
    std::vector<std::string> pieces{std::string()};
    size_t bytes_min = 0;
    bool IsLiteral() const { return pieces.size() == 1; }
  };

  static size_t MatchAt(const Segment& segment, std::string_view text, size_t at);
  static bool Find(const Segment& segment, std::string_view text, size_t* at);
  static bool MatchEnd(const Segment& segment, std::string_view text, size_t at);

  std::vector<Segment> segments_{Segment()};
};

}  // namespace elanus::query
