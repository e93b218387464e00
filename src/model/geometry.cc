#include "model/geometry.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace elanus::model {
namespace {

constexpr int kDepthMax = 32;  // collections in collections

enum class Shape : uint32_t {
  kPoint = 1,
  kLine = 2,
  kPolygon = 3,
  kPoints = 4,
  kLines = 5,
  kPolygons = 6,
  kCollection = 7,
};

constexpr std::array<std::pair<std::string_view, Shape>, 7> kNames = {{
    {"POINT", Shape::kPoint},
    {"LINESTRING", Shape::kLine},
    {"POLYGON", Shape::kPolygon},
    {"MULTIPOINT", Shape::kPoints},
    {"MULTILINESTRING", Shape::kLines},
    {"MULTIPOLYGON", Shape::kPolygons},
    {"GEOMETRYCOLLECTION", Shape::kCollection},
}};

std::string_view NameOf(Shape shape) { return kNames[static_cast<size_t>(shape) - 1].first; }

/// What a collection is made of; kCollection itself takes any shape.
Shape MemberOf(Shape shape) {
  switch (shape) {
    case Shape::kPoints: return Shape::kPoint;
    case Shape::kLines: return Shape::kLine;
    default: return Shape::kPolygon;
  }
}

/// The axes beyond x and y; ISO WKB counts them in thousands.
struct Axes {
  bool z = false;
  bool m = false;
  size_t count() const { return 2 + (z ? 1 : 0) + (m ? 1 : 0); }
  uint32_t code() const { return (z ? 1000U : 0U) + (m ? 2000U : 0U); }
  std::string_view suffix() const { return z && m ? " ZM" : z ? " Z" : m ? " M" : ""; }
};

class WktReader {
 public:
  explicit WktReader(std::string_view text) : text_(text) {}

  Result<std::string> Run() {
    if (!Geometry(0)) return Fault();
    SkipBlanks();
    if (at_ != text_.size()) return Fault();
    return std::move(out_);
  }

 private:
  std::unexpected<Status> Fault() const {
    return Error(InvalidParameter(fmt::format(
        "failed to insert invalid geometry: syntax error at position {} of '{}'", at_, text_)));
  }

  void SkipBlanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// The word that is next, in capitals; nothing is consumed when it is not `wanted`.
  std::string Word() {
    SkipBlanks();
    std::string word;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool lower = c >= 'a' && c <= 'z';
      if (!lower && (c < 'A' || c > 'Z')) break;
      word += lower ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return word;
  }
  bool TakeEmpty() {
    const size_t before = at_;
    if (Word() == "EMPTY") return true;
    at_ = before;
    return false;
  }

  void PutInteger(uint32_t value) { Put(&value, sizeof(value)); }
  void PutNumber(double value) { Put(&value, sizeof(value)); }
  void Put(const void* bytes, size_t size) { out_.append(static_cast<const char*>(bytes), size); }
  void PutHeader(Shape shape) {
    out_ += '\1';  // little endian
    PutInteger(static_cast<uint32_t>(shape) + axes_.code());
  }

  bool Geometry(int depth) {
    if (depth > kDepthMax) return false;
    std::string word = Word();
    const auto shape = TakeShape(word);
    if (!shape) return false;
    PutHeader(*shape);
    return Body(*shape, depth);
  }

  /// The shape of a word, with Z, M or ZM at its end or as the next word.
  std::optional<Shape> TakeShape(const std::string& word) {
    for (const auto& [name, shape] : kNames) {
      if (!word.starts_with(name)) continue;
      std::string suffix = word.substr(name.size());
      if (suffix.empty()) {
        const size_t before = at_;
        suffix = Word();
        if (suffix != "Z" && suffix != "M" && suffix != "ZM") {
          at_ = before;
          suffix.clear();
        }
      } else if (suffix != "Z" && suffix != "M" && suffix != "ZM") {
        continue;
      }
      axes_ = {.z = suffix.starts_with('Z'), .m = suffix.ends_with('M')};
      axes_given_ = !suffix.empty();
      return shape;
    }
    return std::nullopt;
  }

  bool Body(Shape shape, int depth) {
    if (TakeEmpty()) {
      if (shape != Shape::kPoint) {
        PutInteger(0);
      } else {
        for (size_t i = 0; i < axes_.count(); ++i)
          PutNumber(std::numeric_limits<double>::quiet_NaN());
      }
      return true;
    }
    if (shape == Shape::kPoint)
      return Take('(') && Position(out_.size() - kHeaderBytes) && Take(')');
    if (shape == Shape::kLine) return Line(2, false);
    if (shape == Shape::kPolygon) return List([&] { return Line(4, true); });
    if (shape == Shape::kCollection) {
      return List([&] { return Geometry(depth + 1); });
    }
    return List([&] { return Member(MemberOf(shape), depth); });
  }

  /// A member of a multi-geometry: without its name; a point's parentheses may be missing.
  bool Member(Shape shape, int depth) {
    PutHeader(shape);
    SkipBlanks();
    const bool bare = shape == Shape::kPoint && at_ < text_.size() && text_[at_] != '(' &&
                      text_[at_] != 'E' && text_[at_] != 'e';
    return bare ? Position(kNoHeader) : Body(shape, depth);
  }

  template <class Element>
  bool List(Element element) {
    if (!Take('(')) return false;
    const size_t count_at = out_.size();
    PutInteger(0);
    uint32_t count = 0;
    do {
      if (!element()) return false;
      ++count;
    } while (Take(','));
    std::memcpy(out_.data() + count_at, &count, sizeof(count));
    return Take(')');
  }

  bool Line(uint32_t points_min, bool closed) {
    const size_t begin = out_.size() + sizeof(uint32_t);
    if (TakeEmpty()) {
      PutInteger(0);
      return true;
    }
    if (!List([&] { return Position(kNoHeader); })) return false;
    const size_t width = axes_.count() * sizeof(double);
    const size_t points = (out_.size() - begin) / width;
    if (points < points_min) return false;
    const std::string_view bytes = out_;
    return !closed || bytes.substr(begin, 2 * sizeof(double)) ==
                          bytes.substr(out_.size() - width, 2 * sizeof(double));
  }

  /// One position. Without Z or M in the text the first position says how many axes there are.
  /// \param header  where the point's header lies when its axes may yet change
  bool Position(size_t header) {
    std::array<double, 4> numbers;
    size_t count = 0;
    for (; count < numbers.size(); ++count) {
      if (!Number(&numbers[count])) break;
    }
    if (count == 3 && header != kNoHeader && !axes_given_) {
      axes_.z = true;
      const uint32_t code = static_cast<uint32_t>(Shape::kPoint) + axes_.code();
      std::memcpy(out_.data() + header + 1, &code, sizeof(code));
    }
    if (count != axes_.count()) return false;
    for (size_t i = 0; i < count; ++i) PutNumber(numbers[i]);
    return true;
  }

  bool Number(double* out) {
    SkipBlanks();
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    if (begin != end && *begin == '+') ++begin;
    const auto [after, error] = std::from_chars(begin, end, *out);
    if (error != std::errc() || !std::isfinite(*out)) return false;
    at_ = static_cast<size_t>(after - text_.data());
    return true;
  }

  static constexpr size_t kHeaderBytes = 1 + sizeof(uint32_t);
  static constexpr size_t kNoHeader = ~size_t{0};

  std::string_view text_;
  size_t at_ = 0;
  Axes axes_;
  bool axes_given_ = false;
  std::string out_;
};

/// A place in a binary form.
class WkbCursor {
 public:
  explicit WkbCursor(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

 protected:
  size_t Left() const { return static_cast<size_t>(end_ - at_); }
  template <class T>
  bool Get(T* out) {
    if (Left() < sizeof(T)) return false;
    std::memcpy(out, at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  /// What every shape begins with. False when it is none, or inside too many others.
  bool Head(int depth, Shape* shape, Axes* axes) {
    uint8_t order = 0;
    uint32_t code = 0;
    if (depth > kDepthMax || !Get(&order) || order != 1 || !Get(&code)) return false;
    const uint32_t number = code % 1000, of = code / 1000;
    if (number < 1 || number > 7 || of > 3) return false;
    *shape = static_cast<Shape>(number);
    *axes = {.z = (of & 1) != 0, .m = (of & 2) != 0};
    return true;
  }

  const char* at_;
  const char* end_;
};

class WkbReader : WkbCursor {
 public:
  using WkbCursor::WkbCursor;

  Result<std::string> Run() {
    if (!Geometry(0, true) || Left() != 0) {
      return Error(Code::kDataIntegrity,
                   "a geometry's bytes are damaged: data integrity check failed");
    }
    return std::move(out_);
  }

 private:
  bool Geometry(int depth, bool named) {
    Shape shape;
    if (!Head(depth, &shape, &axes_)) return false;
    if (named) {
      out_ += NameOf(shape);
      out_ += axes_.suffix();
      out_ += ' ';
    }
    return Body(shape, depth);
  }

  bool Body(Shape shape, int depth) {
    if (shape == Shape::kPoint) return Point();
    if (shape == Shape::kLine) return List([&] { return Position(); });
    if (shape == Shape::kPolygon) {
      return List([&] { return List([&] { return Position(); }); });
    }
    return List([&] { return Geometry(depth + 1, shape == Shape::kCollection); });
  }

  template <class Element>
  bool List(Element element) {
    uint32_t count = 0;
    // Every element takes at least four bytes: a count beyond that is none.
    if (!Get(&count) || count > Left() / sizeof(uint32_t)) return false;
    if (count == 0) {
      out_ += "EMPTY";
      return true;
    }
    out_ += '(';
    for (uint32_t i = 0; i < count; ++i) {
      if (i != 0) out_ += ", ";
      if (!element()) return false;
    }
    out_ += ')';
    return true;
  }

  bool Point() {
    const size_t before = out_.size();
    out_ += '(';
    const size_t position = out_.size();
    if (!Position()) return false;
    if (std::string_view(out_).substr(position).starts_with("nan")) {
      out_.resize(before);
      out_ += "EMPTY";
    } else {
      out_ += ')';
    }
    return true;
  }

  bool Position() {
    for (size_t i = 0; i < axes_.count(); ++i) {
      double number = 0;
      if (!Get(&number)) return false;
      if (i != 0) out_ += ' ';
      out_ += fmt::format("{}", number);
    }
    return true;
  }

  Axes axes_;
  std::string out_;
};

/// Walks the coordinates of a binary form and nothing else.
class WkbMeasurer : WkbCursor {
 public:
  using WkbCursor::WkbCursor;

  std::optional<GeometryBox> Run() {
    if (!Geometry(0) || Left() != 0 || box_.x_min > box_.x_max) return std::nullopt;
    return box_;
  }

 private:
  bool Geometry(int depth) {
    Shape shape;
    Axes axes;
    if (!Head(depth, &shape, &axes)) return false;
    const size_t width = axes.count() * sizeof(double);
    switch (shape) {
      case Shape::kPoint: return Positions(1, width, true);
      case Shape::kLine: return Line(width);
      case Shape::kPolygon: return Members([&] { return Line(width); });
      default: return Members([&] { return Geometry(depth + 1); });
    }
  }

  template <class Member>
  bool Members(Member member) {
    uint32_t count = 0;
    if (!Get(&count) || count > Left() / sizeof(uint32_t)) return false;
    for (uint32_t i = 0; i < count; ++i) {
      if (!member()) return false;
    }
    return true;
  }
  bool Line(size_t width) {
    uint32_t count = 0;
    return Get(&count) && Positions(count, width, false);
  }
  /// \param may_be_empty  a point without a place is written as not-a-number
  bool Positions(uint32_t count, size_t width, bool may_be_empty) {
    if (count > Left() / width) return false;
    for (uint32_t i = 0; i < count; ++i, at_ += width) {
      double place[2];
      std::memcpy(place, at_, sizeof(place));
      if (std::isnan(place[0]) || std::isnan(place[1])) {
        if (!may_be_empty) return false;
        continue;
      }
      box_.x_min = std::min(box_.x_min, place[0]);
      box_.x_max = std::max(box_.x_max, place[0]);
      box_.y_min = std::min(box_.y_min, place[1]);
      box_.y_max = std::max(box_.y_max, place[1]);
    }
    return true;
  }

  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  GeometryBox box_{kInfinity, kInfinity, -kInfinity, -kInfinity};
};

}  // namespace

std::optional<GeometryBox> BoxOfWkb(std::string_view bytes) { return WkbMeasurer(bytes).Run(); }

Result<std::string> WkbFromWkt(std::string_view text) { return WktReader(text).Run(); }

Result<std::string> WktFromWkb(std::string_view bytes) { return WkbReader(bytes).Run(); }

std::optional<GeometryPoint> PointOfWkb(std::string_view bytes) {
  uint32_t kind = 0;
  GeometryPoint point;
  if (bytes.size() < 5 + sizeof(point) || bytes[0] != 1) return std::nullopt;
  std::memcpy(&kind, bytes.data() + 1, sizeof(kind));
  if (kind % 1000 != static_cast<uint32_t>(Shape::kPoint)) return std::nullopt;
  std::memcpy(&point, bytes.data() + 5, sizeof(point));
  if (std::isnan(point.x) || std::isnan(point.y)) return std::nullopt;
  return point;
}

}  // namespace elanus::model
