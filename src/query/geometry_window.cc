#include "query/geometry_window.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace elanus::query {
namespace {

using index::BoxRelation;
using model::GeometryBox;
using Op = expr::GeometryCompare::Op;

constexpr double kDegreeMetres = 111'320;  // of latitude
constexpr double kRadian = 180 / std::numbers::pi;
constexpr GeometryBox kGlobe{-180, -90, 180, 90};

/// Rounding of the distance functions, many times over.
double WithMargin(double degrees) { return degrees * (1 + 1e-9) + 1e-9; }

/// Around a place and all within so many metres, both along the globe (from point to point) and in
/// the plane (to other shapes). Beyond the date line the globe goes on at the other end.
std::optional<GeometryWindow> DistanceWindow(const expr::GeometryCompare& form) {
  const auto place = model::PointOfWkb(form.shape);
  if (!place || std::abs(place->x) > kGlobe.x_max) return std::nullopt;
  const double arc = form.metres / kEarthMetres;
  const double degree = DegreeMetresAt(place->y);
  // At a pole every longitude is near, and its sine no longer says how far.
  if (!(degree > 0) || !(std::abs(place->y) + WithMargin(arc * kRadian) < 89)) return std::nullopt;
  const double sine = std::sin(arc) / std::cos(place->y / kRadian);
  if (!(sine < 1)) return std::nullopt;
  const double in_plane = form.metres / degree;
  const double high = WithMargin(std::max(arc * kRadian, in_plane));
  const double wide = WithMargin(std::max(std::asin(sine) * kRadian, in_plane));
  GeometryWindow window{.on_globe = true};
  for (const double turn : {-360.0, 0.0, 360.0}) {
    const double x = place->x + turn;
    const GeometryBox box{x - wide, place->y - high, x + wide, place->y + high};
    if (index::Lies(box, BoxRelation::kMeets, kGlobe)) window.places.push_back(box);
  }
  return window;
}

}  // namespace

double DegreeMetresAt(double latitude) {
  return kDegreeMetres * (1 + std::cos(latitude / kRadian)) / 2;
}

bool GeometryWindow::Admits(const GeometryBox& box) const {
  if (on_globe && !index::Lies(box, BoxRelation::kInside, kGlobe)) return true;
  return std::ranges::any_of(
      places, [&](const GeometryBox& place) { return index::Lies(box, relation, place); });
}

bool GeometryWindow::Reaches(const index::Box& bounds) const {
  return !on_globe || index::Lies(bounds, BoxRelation::kInside, index::Around(kGlobe));
}

std::optional<GeometryWindow> WindowOf(const expr::GeometryCompare& form) {
  if (form.op == Op::kIsValid) return std::nullopt;
  if (form.op == Op::kDistanceWithin) return DistanceWindow(form);
  const auto box = model::BoxOfWkb(form.shape);
  if (!box) return std::nullopt;
  GeometryWindow window{.places = {*box}};
  switch (form.op) {
    case Op::kEquals: window.relation = BoxRelation::kEquals; break;
    case Op::kContains: window.relation = BoxRelation::kCovers; break;
    case Op::kWithin: window.relation = BoxRelation::kInside; break;
    default: break;  // touches, overlaps, crosses, intersects
  }
  return window;
}

}  // namespace elanus::query
