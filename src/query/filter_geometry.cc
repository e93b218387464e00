// Operators on GEOMETRY columns: the st_ functions.
#include <cmath>
#include <memory>
#include <numbers>
#include <optional>
#include <utility>

#include "model/geometry.h"
#include "query/filter_operator.h"
#include "query/geometry_window.h"
#include "query/geos.h"

namespace elanus::query {
namespace {

using Op = expr::GeometryCompare::Op;

double Radians(double degrees) { return degrees * std::numbers::pi / 180; }

/// The great circle between two places, x the longitude.
double Haversine(model::GeometryPoint a, model::GeometryPoint b) {
  const double lat = std::sin(Radians(b.y - a.y) / 2);
  const double lon = std::sin(Radians(b.x - a.x) / 2);
  const double h = lat * lat + std::cos(Radians(a.y)) * std::cos(Radians(b.y)) * lon * lon;
  return 2 * kEarthMetres * std::asin(std::sqrt(std::fmin(h, 1)));
}

class GeometryOperator final : public FilterOperator {
 public:
  GeometryOperator(BoundColumn column, const expr::GeometryCompare& form,
                   std::unique_ptr<GeosShape> shape)
      : FilterOperator(500),
        column_(std::move(column)),
        form_(form),
        window_(WindowOf(form)),
        shape_(std::move(shape)),
        point_(model::PointOfWkb(form.shape)) {}

  void Run(const Block& block) override {
    Clear(block);
    const size_t base = column_.Base(block);
    ForEachWanted(block, [&](size_t i) {
      if (column_.view.IsNull(base + i)) return SetBit(block.is_unknown, i);
      // What GEOS cannot decide (self-crossing rings) does not match, nor does its negation.
      const std::optional<bool> answer = Holds(column_.view.StringAt(base + i));
      if (!answer) return SetBit(block.is_unknown, i);
      if (*answer) SetBit(block.is_true, i);
    });
  }

 private:
  std::optional<bool> Holds(std::string_view row) const {
    if (window_) {
      const auto box = model::BoxOfWkb(row);
      if (box && !window_->Admits(*box)) return false;
    }
    if (form_.op == Op::kIsValid) return shape_->IsValid(row);
    if (form_.op != Op::kDistanceWithin) return shape_->Holds(form_.op, row);
    if (const auto place = model::PointOfWkb(row)) {
      return Haversine(*place, *point_) <= form_.metres;
    }
    // As Milvus: degrees in the plane, a degree as long as the mean of both directions there.
    const auto degrees = shape_->DistanceTo(row);
    if (!degrees) return std::nullopt;
    return *degrees * DegreeMetresAt(point_->y) <= form_.metres;
  }

  BoundColumn column_;
  const expr::GeometryCompare form_;
  const std::optional<GeometryWindow> window_;
  const std::unique_ptr<GeosShape> shape_;
  const std::optional<model::GeometryPoint> point_;
};

}  // namespace

Result<Operator> MakeGeometry(BoundColumn column, const expr::GeometryCompare& form) {
  if (form.op > Op::kIsValid) return Unfit("an operator");
  if (form.op == Op::kDistanceWithin && !model::PointOfWkb(form.shape)) return Unfit("a point");
  if (form.op != Op::kIsValid && form.shape.empty()) return Unfit("a shape");
  auto shape = GeosShape::Read(form.op == Op::kIsValid ? std::string_view() : form.shape);
  if (shape == nullptr) return Unfit("a shape");
  return std::make_unique<GeometryOperator>(std::move(column), form, std::move(shape));
}

}  // namespace elanus::query
