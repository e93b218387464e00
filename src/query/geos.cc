#include "query/geos.h"

#include <geos_c.h>

#include <cmath>
#include <utility>

namespace elanus::query {

using Op = expr::GeometryCompare::Op;

namespace {

/// Whether products of coordinates stay finite. Where they do not, GEOS throws in the middle of a
/// comparison, cannot decide it and loses what it had allocated until then.
bool HasRoom(GEOSContextHandle_t context, const GEOSGeometry* shape) {
  constexpr double kFarthest = 1e75;
  double bound = 0;
  for (auto* edge :
       {GEOSGeom_getXMin_r, GEOSGeom_getXMax_r, GEOSGeom_getYMin_r, GEOSGeom_getYMax_r}) {
    // An empty shape has no edges.
    if (edge(context, shape, &bound) == 1 && !(std::abs(bound) <= kFarthest)) return false;
  }
  return true;
}

}  // namespace

struct GeosShape::Impl {
  // Without message handlers GEOS is silent; a failure is in what a call returns.
  GEOSContextHandle_t context = GEOS_init_r();
  GEOSWKBReader* reader = GEOSWKBReader_create_r(context);
  GEOSGeometry* shape = nullptr;
  const GEOSPreparedGeometry* prepared = nullptr;
  bool has_room = true;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (prepared != nullptr) GEOSPreparedGeom_destroy_r(context, prepared);
    if (shape != nullptr) GEOSGeom_destroy_r(context, shape);
    GEOSWKBReader_destroy_r(context, reader);
    GEOS_finish_r(context);
  }

  GEOSGeometry* Parse(std::string_view wkb) const {
    return GEOSWKBReader_read_r(context, reader, reinterpret_cast<const unsigned char*>(wkb.data()),
                                wkb.size());
  }
};

namespace {

/// A geometry of one row, freed at the end.
class Row {
 public:
  Row(GEOSContextHandle_t context, GEOSGeometry* shape) : context_(context), shape_(shape) {}
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;
  ~Row() {
    if (shape_ != nullptr) GEOSGeom_destroy_r(context_, shape_);
  }
  const GEOSGeometry* get() const { return shape_; }

 private:
  GEOSContextHandle_t context_;
  GEOSGeometry* shape_;
};

/// GEOS says 0, 1, or 2 for what it cannot decide.
std::optional<bool> Told(char answer) {
  if (answer > 1) return std::nullopt;
  return answer == 1;
}

}  // namespace

GeosShape::GeosShape(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GeosShape::~GeosShape() = default;

std::unique_ptr<GeosShape> GeosShape::Read(std::string_view wkb) {
  auto impl = std::make_unique<Impl>();
  if (!wkb.empty()) {
    impl->shape = impl->Parse(wkb);
    if (impl->shape == nullptr) return nullptr;
    impl->has_room = HasRoom(impl->context, impl->shape);
    impl->prepared = GEOSPrepare_r(impl->context, impl->shape);
    if (impl->prepared == nullptr) return nullptr;
  }
  return std::unique_ptr<GeosShape>(new GeosShape(std::move(impl)));
}

std::optional<bool> GeosShape::Holds(Op op, std::string_view other) const {
  GEOSContextHandle_t context = impl_->context;
  const Row row(context, impl_->Parse(other));
  if (row.get() == nullptr || !impl_->has_room || !HasRoom(context, row.get())) return std::nullopt;
  switch (op) {
    case Op::kEquals: return Told(GEOSEquals_r(context, row.get(), impl_->shape));
    case Op::kTouches: return Told(GEOSPreparedTouches_r(context, impl_->prepared, row.get()));
    case Op::kOverlaps: return Told(GEOSPreparedOverlaps_r(context, impl_->prepared, row.get()));
    case Op::kCrosses: return Told(GEOSCrosses_r(context, row.get(), impl_->shape));
    // The prepared side is the right one: a row contains it where it lies within the row.
    case Op::kContains: return Told(GEOSPreparedWithin_r(context, impl_->prepared, row.get()));
    case Op::kIntersects:
      return Told(GEOSPreparedIntersects_r(context, impl_->prepared, row.get()));
    case Op::kWithin: return Told(GEOSPreparedContains_r(context, impl_->prepared, row.get()));
    default: return std::nullopt;
  }
}

std::optional<double> GeosShape::DistanceTo(std::string_view other) const {
  const Row row(impl_->context, impl_->Parse(other));
  double distance = 0;
  if (row.get() == nullptr || GEOSisEmpty_r(impl_->context, row.get()) != 0 || !impl_->has_room ||
      !HasRoom(impl_->context, row.get()) ||
      GEOSDistance_r(impl_->context, impl_->shape, row.get(), &distance) != 1) {
    return std::nullopt;
  }
  return distance;
}

std::optional<bool> GeosShape::IsValid(std::string_view other) const {
  const Row row(impl_->context, impl_->Parse(other));
  if (row.get() == nullptr || !HasRoom(impl_->context, row.get())) return std::nullopt;
  return Told(GEOSisValid_r(impl_->context, row.get()));
}

}  // namespace elanus::query
