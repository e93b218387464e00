// What the box of a shape must be like before an st_ predicate can hold for the shape: the test
// that is cheap, for a scan (on every row) and for an index (on its tree). Inside this room only.
// Holds: a shape whose box is not admitted fails the predicate, as GEOS itself would say; a shape
// without a box is for GEOS to judge.
#pragma once

#include <optional>
#include <vector>

#include "expr/node.h"
#include "index/scalar/box_tree.h"
#include "model/geometry.h"

namespace elanus::query {

inline constexpr double kEarthMetres = 6'371'000;  ///< radius, as Milvus has it

/// How long a degree is in the plane at a latitude, as Milvus has it: the mean of both directions.
double DegreeMetresAt(double latitude);

struct GeometryWindow {
  index::BoxRelation relation = index::BoxRelation::kMeets;
  std::vector<model::GeometryBox> places;  ///< the box lies so to one of them
  bool on_globe = false;  ///< boxes beyond the globe's degrees are admitted: distances repeat there

  bool Admits(const model::GeometryBox& box) const;
  /// Whether `places` say all about shapes whose boxes are within these bounds.
  bool Reaches(const index::Box& bounds) const;
};

/// nullopt when no box rules a shape out: st_isvalid, an empty shape, a distance beyond a pole.
std::optional<GeometryWindow> WindowOf(const expr::GeometryCompare& form);

}  // namespace elanus::query
