// A packed tree over boxes in the plane: Milvus' RTREE. Keys' boxes lie one after another, sixteen
// of them under a box that covers them, sixteen of those under another, up to a level of at most
// sixteen. Holds: immutable, borrowed; keys under a node are a range of key numbers. Coordinates
// are floats rounded away from the shape, so that a box never says no where the shape could say
// yes. Threads: pure functions. Called by scalar_build (writes it) and scalar_index (reads it).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace elanus::index {

/// Keys [first, end).
struct KeyRange {
  uint32_t first = 0;
  uint32_t end = 0;
  bool empty() const { return first >= end; }
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

/// On disk: four floats in this order.
struct Box {
  float x_min = 0;
  float y_min = 0;
  float x_max = 0;
  float y_max = 0;

  /// Of shapes that have no box (empty ones): any predicate must look at them.
  static constexpr Box Everywhere() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return {-kInfinity, -kInfinity, kInfinity, kInfinity};
  }
  /// Around nothing; x_min > x_max.
  static constexpr Box Nowhere() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return {kInfinity, kInfinity, -kInfinity, -kInfinity};
  }
  bool IsEverywhere() const { return *this == Everywhere(); }
  void Cover(const Box& other) {
    x_min = std::min(x_min, other.x_min);
    y_min = std::min(y_min, other.y_min);
    x_max = std::max(x_max, other.x_max);
    y_max = std::max(y_max, other.y_max);
  }
  friend bool operator==(const Box&, const Box&) = default;
};

/// The floats around a pair of doubles.
float RoundDown(double value);
float RoundUp(double value);

/// The smallest float box that covers a box of doubles (model::GeometryBox).
template <class Wide>
Box Around(const Wide& box) {
  return {RoundDown(box.x_min), RoundDown(box.y_min), RoundUp(box.x_max), RoundUp(box.y_max)};
}

/// Around all boxes of a range but Box::Everywhere().
template <class Boxes>
Box BoundsOf(const Boxes& boxes) {
  Box bounds = Box::Nowhere();
  for (const Box& box : boxes) {
    if (!box.IsEverywhere()) bounds.Cover(box);
  }
  return bounds;
}

/// How a box must lie to a window.
enum class BoxRelation : uint8_t {
  kMeets,   ///< have a place in common, edges count
  kInside,  ///< the box within the window
  kCovers,  ///< the window within the box
  kEquals,
};

/// \tparam AnyBox  a Box or a model::GeometryBox
template <class AnyBox>
bool Lies(const AnyBox& box, BoxRelation relation, const AnyBox& window) {
  switch (relation) {
    case BoxRelation::kMeets:
      return box.x_min <= window.x_max && box.x_max >= window.x_min && box.y_min <= window.y_max &&
             box.y_max >= window.y_min;
    case BoxRelation::kInside:
      return box.x_min >= window.x_min && box.x_max <= window.x_max && box.y_min >= window.y_min &&
             box.y_max <= window.y_max;
    case BoxRelation::kCovers: return Lies(window, BoxRelation::kInside, box);
    case BoxRelation::kEquals: return box == window;
  }
  return true;
}

class BoxTree {
 public:
  /// \param boxes  Boxes(keys) of them: the keys', then level after level of nodes
  BoxTree(std::span<const Box> boxes, uint32_t keys) : boxes_(boxes), keys_(keys) {}

  /// Keys and nodes together.
  static size_t Boxes(uint32_t keys);
  /// Adds the nodes above keys' boxes.
  static void AppendNodes(std::vector<Box>& boxes);
  /// Whether every box is one (no NaN, no side before the other) and every node covers its own.
  bool Holds() const;

  /// Adds the keys whose boxes lie so to the window, and those that are everywhere, as ascending
  /// ranges. \return the number of boxes looked at
  size_t Find(BoxRelation relation, const Box& window, std::vector<KeyRange>& ranges) const;

 private:
  std::span<const Box> boxes_;
  uint32_t keys_;
};

}  // namespace elanus::index
