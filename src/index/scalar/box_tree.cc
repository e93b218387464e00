#include "index/scalar/box_tree.h"

#include <cmath>

namespace elanus::index {
namespace {

constexpr uint32_t kFan = 16;

constexpr uint32_t Above(uint32_t count) { return (count + kFan - 1) / kFan; }

/// One level: keys (0) or the nodes over `span` keys each.
struct Level {
  size_t first = 0;  ///< its place among all boxes
  uint32_t count = 0;
  uint64_t span = 1;
};

std::vector<Level> LevelsOf(uint32_t keys) {
  std::vector<Level> levels{{.count = keys}};
  while (levels.back().count > kFan) {
    const Level& below = levels.back();
    levels.push_back({below.first + below.count, Above(below.count), below.span * kFan});
  }
  return levels;
}

class Finder {
 public:
  Finder(std::span<const Box> boxes, uint32_t keys, BoxRelation relation, const Box& window,
         std::vector<KeyRange>& ranges)
      : boxes_(boxes),
        levels_(LevelsOf(keys)),
        relation_(relation),
        // What a node must be to its keys' window for one of them to lie so.
        of_nodes_(relation == BoxRelation::kMeets || relation == BoxRelation::kInside
                      ? BoxRelation::kMeets
                      : BoxRelation::kCovers),
        window_(window),
        ranges_(ranges) {}

  size_t Run() {
    Visit(levels_.size() - 1, 0, levels_.back().count);
    return looked_;
  }

 private:
  /// Boxes [first, end) of a level.
  void Visit(size_t at, uint32_t first, uint32_t end) {
    const Level& level = levels_[at];
    looked_ += end - first;
    for (uint32_t i = first; i < end; ++i) {
      const Box& box = boxes_[level.first + i];
      if (at == 0) {
        if (Lies(box, relation_, window_) || box.IsEverywhere()) Add(i, uint64_t{i} + 1);
      } else if (of_nodes_ == BoxRelation::kMeets && Lies(box, BoxRelation::kInside, window_)) {
        Add(i * level.span, (uint64_t{i} + 1) * level.span);
      } else if (Lies(box, of_nodes_, window_)) {
        const uint32_t below = levels_[at - 1].count;
        Visit(at - 1, i * kFan, std::min(below, (i + 1) * kFan));
      }
    }
  }
  void Add(uint64_t first, uint64_t end) {
    const auto from = static_cast<uint32_t>(first);
    const auto to = static_cast<uint32_t>(std::min<uint64_t>(end, levels_.front().count));
    if (!ranges_.empty() && ranges_.back().end == from) {
      ranges_.back().end = to;
    } else {
      ranges_.push_back({from, to});
    }
  }

  std::span<const Box> boxes_;
  const std::vector<Level> levels_;
  BoxRelation relation_;
  BoxRelation of_nodes_;
  const Box& window_;
  std::vector<KeyRange>& ranges_;
  size_t looked_ = 0;
};

}  // namespace

float RoundDown(double value) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (value > kMax) return value > std::numeric_limits<double>::max() ? kInfinity : kMax;
  if (value < -kMax) return -kInfinity;
  const auto near = static_cast<float>(value);
  return near > value ? std::nextafter(near, -kInfinity) : near;
}

float RoundUp(double value) { return -RoundDown(-value); }

size_t BoxTree::Boxes(uint32_t keys) {
  const Level top = LevelsOf(keys).back();
  return top.first + top.count;
}

void BoxTree::AppendNodes(std::vector<Box>& boxes) {
  const auto levels = LevelsOf(static_cast<uint32_t>(boxes.size()));
  for (size_t at = 1; at < levels.size(); ++at) {
    const Level& below = levels[at - 1];
    for (uint32_t node = 0; node < levels[at].count; ++node) {
      Box box = Box::Nowhere();
      for (uint32_t i = node * kFan; i < std::min(below.count, (node + 1) * kFan); ++i)
        box.Cover(boxes[below.first + i]);
      boxes.push_back(box);
    }
  }
}

bool BoxTree::Holds() const {
  // Written so that a NaN fails.
  for (const Box& box : boxes_) {
    if (!(box.x_min <= box.x_max && box.y_min <= box.y_max)) return false;
  }
  const auto levels = LevelsOf(keys_);
  for (size_t at = 1; at < levels.size(); ++at) {
    const Level& below = levels[at - 1];
    for (uint32_t i = 0; i < below.count; ++i) {
      const Box& node = boxes_[levels[at].first + i / kFan];
      if (!Lies(boxes_[below.first + i], BoxRelation::kInside, node)) return false;
    }
  }
  return true;
}

size_t BoxTree::Find(BoxRelation relation, const Box& window, std::vector<KeyRange>& ranges) const {
  return keys_ == 0 ? 0 : Finder(boxes_, keys_, relation, window, ranges).Run();
}

}  // namespace elanus::index
