// GEOMETRY values: text (WKT) outside, binary (ISO WKB, little endian) inside.
// Called by the proxy on rows in and out. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace elanus::model {

/// The binary form of a well-known text: points, lines, polygons, their collections, in two to four
/// dimensions, empty ones too; keywords in any case.
/// Errors: kInvalidParameter with `syntax error` and where; also for lines of one point and rings
/// that are not closed. Cost: linear; nesting is bounded.
Result<std::string> WkbFromWkt(std::string_view text);

/// The text of a binary form; numbers in the shortest form that reads back the same.
/// Errors: kDataIntegrity for bytes that are no geometry.
Result<std::string> WktFromWkb(std::string_view bytes);

/// The place of a binary form that is a point and not an empty one; nullopt for other shapes.
struct GeometryPoint {
  double x = 0;
  double y = 0;
};
std::optional<GeometryPoint> PointOfWkb(std::string_view bytes);

/// The smallest and the largest coordinates of a shape in the plane, edges included.
struct GeometryBox {
  double x_min = 0;
  double y_min = 0;
  double x_max = 0;
  double y_max = 0;
  friend bool operator==(const GeometryBox&, const GeometryBox&) = default;
};
/// The box of a binary form; nullopt for empty shapes and for bytes that are no geometry. Cost: one
/// pass over the bytes.
std::optional<GeometryBox> BoxOfWkb(std::string_view bytes);

}  // namespace elanus::model
