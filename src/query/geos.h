// Shapes and how they lie to one another, by GEOS (the library Milvus asks). The one place that
// includes its header. Threads: a GeosShape belongs to one thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "expr/node.h"

namespace elanus::query {

/// A shape that many others are compared with.
class GeosShape {
 public:
  /// nullptr when the bytes are no WKB that GEOS reads. An empty view: for IsValid alone.
  static std::unique_ptr<GeosShape> Read(std::string_view wkb);
  ~GeosShape();

  /// `other op this`: `other` is the column's side. nullopt when GEOS cannot read or decide it.
  /// \pre op is not kDistanceWithin nor kIsValid
  std::optional<bool> Holds(expr::GeometryCompare::Op op, std::string_view other) const;
  /// The distance in the plane; nullopt as above, and for empty shapes.
  std::optional<double> DistanceTo(std::string_view other) const;
  std::optional<bool> IsValid(std::string_view other) const;

 private:
  struct Impl;
  explicit GeosShape(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace elanus::query
