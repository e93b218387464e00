// SQL's like, compiled once per filter: most patterns need only one comparison or one search.
// Holds: a pattern's segments are what lies between its `%`. Threads: Matches is const.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace elanus::query {

class LikeMatcher {
 public:
  /// \param pattern  `%` any run, `_` one UTF-8 code point (one byte where the text is not UTF-8),
  ///                 `\` takes the next byte as it is; one at the end stands for itself
  explicit LikeMatcher(std::string_view pattern);

  /// Whether the whole text matches. Cost: one pass over the text a segment.
  bool Matches(std::string_view text) const;

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
