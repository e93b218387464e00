// st_ predicates over random shapes: a look at every row by GEOS alone, the scan that asks boxes
// first, and the tree of boxes give the same rows.
#include <cmath>
#include <numbers>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "base/codec.h"
#include "model/geometry.h"
#include "query/filter.h"
#include "query/filter_index.h"
#include "query/filter_reference.h"
#include "query/geometry_window.h"
#include "query/geos.h"

namespace elanus::query {
namespace {

using Op = expr::GeometryCompare::Op;

/// Coordinates of a small grid, so that edges touch and shapes are equal, or of anywhere.
class Shapes {
 public:
  explicit Shapes(uint32_t seed) : random_(seed) {}

  std::string Any() {
    switch (random_() % 15) {
      case 0: return "LINESTRING (" + Places(2 + random_() % 3) + ")";
      case 1:
      case 2: return Rectangle("POLYGON (", ")");
      case 3: return Triangle();
      case 4: return "MULTIPOINT (" + Places(3) + ")";
      case 5: return "MULTILINESTRING ((" + Places(2) + "), (" + Places(3) + "))";
      case 6: return Rectangle("MULTIPOLYGON ((", "))");
      case 7: return "GEOMETRYCOLLECTION (POINT (" + Place() + "))";
      case 8: return random_() % 2 == 0 ? "POINT EMPTY" : "POLYGON EMPTY";
      case 9: return "POINT Z (" + Place() + " 7)";
      case 10: return "LINESTRING M (" + Place() + " 1, " + Place() + " 2)";
      case 11: return Quadrangle();
      default: return "POINT (" + Place() + ")";
    }
  }
  std::string Place() { return Coordinate(178) + " " + Coordinate(88); }
  std::mt19937& random() { return random_; }

 private:
  std::string Coordinate(int end) {
    if (random_() % 3 == 0) {
      std::uniform_real_distribution<double> anywhere(-end, end);
      return fmt::format("{}", anywhere(random_));
    }
    return fmt::format("{}", static_cast<int>(random_() % 9) - 4);
  }
  std::string Places(size_t count) {
    std::string places = Place();
    for (size_t i = 1; i < count; ++i) places += ", " + Place();
    return places;
  }
  std::string Rectangle(std::string_view before, std::string_view after) {
    const std::string x = Coordinate(178);
    const std::string y = Coordinate(88);
    const std::string right = fmt::format("{}", std::stod(x) + 1 + random_() % 4);
    const std::string top = fmt::format("{}", std::stod(y) + 1 + random_() % 4);
    return fmt::format("{}({} {}, {} {}, {} {}, {} {}, {} {}){}", before, x, y, right, y, right,
                       top, x, top, x, y, after);
  }
  /// Four places in any order: often no valid polygon, whose edges cross.
  std::string Quadrangle() {
    const std::string place = Place();
    return "POLYGON ((" + place + ", " + Place() + ", " + Place() + ", " + Place() + ", " + place +
           "))";
  }
  std::string Triangle() {
    const std::string place = Place();
    return "POLYGON ((" + place + ", " + Place() + ", " + Place() + ", " + place + "))";
  }

  std::mt19937 random_;
};

const model::CollectionSchema& ShapeSchema() {
  static const model::CollectionSchema schema = [] {
    model::CollectionSchema made{.name = "g"};
    made.fields = {
        {.id = FieldId{1}, .name = "pk", .type = DataType::kInt64, .is_primary = true},
        {.id = FieldId{2}, .name = "geo", .type = DataType::kGeometry, .nullable = true}};
    return made;
  }();
  return schema;
}

Rows RandomShapes(Shapes& shapes, size_t count) {
  Rows rows;
  rows.count = count;
  model::Column pk = model::MakeColumn(FieldId{1}, DataType::kInt64);
  model::Column geo = model::MakeColumn(FieldId{2}, DataType::kGeometry);
  for (size_t row = 0; row < count; ++row) {
    pk.Append(static_cast<int64_t>(row));
    if (row % 13 == 0) {
      geo.AppendNull();
    } else {
      geo.AppendValue(model::WkbFromWkt(shapes.Any()).value());
    }
  }
  rows.columns.emplace(FieldId{1}, std::move(pk));
  rows.columns.emplace(FieldId{2}, std::move(geo));
  rows.Index({.field = FieldId{2}, .type = index::KeyType::kReal, .use = index::KeyUse::kBoxes});
  return rows;
}

double Radians(double degrees) { return degrees * std::numbers::pi / 180; }

/// A row's answer by GEOS and the formulas of query.md, without a box.
Answer Plain(const expr::GeometryCompare& form, const GeosShape& shape, std::string_view row) {
  if (form.op == Op::kIsValid) return shape.IsValid(row);
  if (form.op != Op::kDistanceWithin) return shape.Holds(form.op, row);
  const auto to = model::PointOfWkb(form.shape).value();
  if (const auto from = model::PointOfWkb(row)) {
    const double lat = std::sin(Radians(to.y - from->y) / 2);
    const double lon = std::sin(Radians(to.x - from->x) / 2);
    const double h = lat * lat + std::cos(Radians(from->y)) * std::cos(Radians(to.y)) * lon * lon;
    return 2 * 6'371'000 * std::asin(std::sqrt(std::min(h, 1.0))) <= form.metres;
  }
  const auto degrees = shape.DistanceTo(row);
  if (!degrees) return std::nullopt;
  return *degrees * 111'320 * (1 + std::cos(Radians(to.y))) / 2 <= form.metres;
}

struct Counts {
  size_t is_true = 0;
  size_t is_unknown = 0;
};

/// Every way to the filter's answer gives the plain one.
Counts ExpectSame(const Rows& rows, const std::string& text) {
  const model::CollectionSchema& schema = ShapeSchema();
  const auto filter = expr::ParseFilter(text, schema, {});
  EXPECT_TRUE(filter) << text << ": " << filter.error().message();
  const auto& form = std::get<expr::GeometryCompare>(filter->root->form);
  const auto shape = GeosShape::Read(form.shape);
  Rows growing = rows;
  growing.indexes.clear();
  growing.UseViews();
  const auto scanned = Evaluate(*filter, rows, schema, {.index_use = IndexUse::kNever});
  const auto indexed = Evaluate(*filter, rows, schema, {.index_use = IndexUse::kWheneverPossible});
  const auto grown = Evaluate(*filter, growing, schema, {});
  const segment::ColumnView view = *rows.Column(FieldId{2});
  Counts counts;
  for (size_t row = 0; row < rows.count; ++row) {
    const Answer expected = view.IsNull(row) ? Answer() : Plain(form, *shape, view.StringAt(row));
    for (const auto* truth : {&*scanned, &*indexed, &*grown}) {
      const bool is_true = (truth->is_true[row / 64] >> (row % 64) & 1) != 0;
      const bool is_unknown = (truth->is_unknown[row / 64] >> (row % 64) & 1) != 0;
      EXPECT_EQ(is_true, expected == true) << text << ", row " << row;
      EXPECT_EQ(is_unknown, !expected.has_value())
          << text << ", row " << row << ": "
          << (view.IsNull(row) ? "null" : model::WktFromWkb(view.StringAt(row)).value());
      if (testing::Test::HasFailure()) return counts;
    }
    counts.is_true += expected == true ? 1 : 0;
    counts.is_unknown += expected ? 0 : 1;
  }
  return counts;
}

TEST(GeometryIndex, AnswersAsGeosDoesForEveryPredicate) {
  Shapes shapes(11);
  const Rows rows = RandomShapes(shapes, 1500);
  for (const char* function : {"st_equals", "st_touches", "st_overlaps", "st_crosses",
                               "st_contains", "st_intersects", "st_within"}) {
    Counts total;
    for (int i = 0; i < 60; ++i) {
      const Counts counts = ExpectSame(rows, fmt::format("{}(geo, '{}')", function, shapes.Any()));
      ASSERT_FALSE(HasFailure());
      total.is_true += counts.is_true;
      total.is_unknown += counts.is_unknown;
    }
    EXPECT_GT(total.is_true, 100U) << function;
    EXPECT_GT(total.is_unknown, 100U) << function;
  }
  ExpectSame(rows, "st_isvalid(geo)");
}

TEST(GeometryIndex, MeasuresDistancesAcrossTheDateLineAndNearPoles) {
  Shapes shapes(12);
  const Rows rows = RandomShapes(shapes, 1500);
  std::mt19937& random = shapes.random();
  size_t kept = 0;
  auto ask = [&](const std::string& place, double metres) {
    kept +=
        ExpectSame(rows, fmt::format("st_dwithin(geo, 'POINT ({})', {})", place, metres)).is_true;
  };
  for (const char* place : {"179.9 10", "-180 -3", "180 0", "0 89.5", "12 -90", "500 0", "0 0"}) {
    for (const double metres : {0.0, 50'000.0, 900'000.0, 3e6, 2.1e7}) ask(place, metres);
  }
  for (int i = 0; i < 100; ++i)
    ask(shapes.Place(), std::pow(10.0, 3 + static_cast<double>(random() % 40) / 10));
  EXPECT_GT(kept, 1000U);
}

TEST(GeometryIndex, LooksAtTheShapesWhoseBoxesMeet) {
  Shapes shapes(13);
  const Rows rows = RandomShapes(shapes, 4000);
  auto match = [&](const std::string& text) {
    const auto filter = expr::ParseFilter(text, ShapeSchema(), {});
    return MatchIndex(*filter->root, rows, nullptr).value();
  };
  const auto small = match("st_within(geo, 'POLYGON ((100 50, 101 50, 101 51, 100 51, 100 50))')");
  ASSERT_TRUE(small);
  EXPECT_FALSE(small->exact);
  EXPECT_LT(small->rows_max, rows.count / 5);
  EXPECT_FALSE(match("st_isvalid(geo)"));
  EXPECT_FALSE(match("st_intersects(geo, 'POINT EMPTY')"));
  EXPECT_FALSE(match("st_dwithin(geo, 'POINT (0 89)', 500000)"));
  EXPECT_FALSE(match("geo is null"));
}

TEST(GeometryIndex, IsLeftAloneWhereRowsLieBeyondTheGlobe) {
  Rows rows;
  rows.count = 40;
  model::Column geo = model::MakeColumn(FieldId{2}, DataType::kGeometry);
  for (int row = 0; row < 40; ++row)
    geo.AppendValue(model::WkbFromWkt(fmt::format("POINT ({} 1)", row * 20)).value());
  rows.columns.emplace(FieldId{2}, std::move(geo));
  rows.Index({.field = FieldId{2}, .type = index::KeyType::kReal, .use = index::KeyUse::kBoxes});
  // 360 degrees on is the same place.
  const Counts counts = ExpectSame(rows, "st_dwithin(geo, 'POINT (0 1)', 1000)");
  EXPECT_EQ(counts.is_true, 3U);
}

TEST(GeometryIndex, AnswersAsAScanWhateverDamagedBytesDecodeTo) {
  Shapes shapes(14);
  const Rows rows = RandomShapes(shapes, 200);
  const auto filter = expr::ParseFilter("st_dwithin(geo, 'POINT (1 2)', 7e5)", ShapeSchema(), {});
  const std::string bytes = EncodeBytes(*filter);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = DecodeBytes<expr::BoundFilter>(damaged, "filter");
    if (!decoded) continue;
    const auto scanned = Evaluate(*decoded, rows, ShapeSchema(), {.index_use = IndexUse::kNever});
    const auto indexed =
        Evaluate(*decoded, rows, ShapeSchema(), {.index_use = IndexUse::kWheneverPossible});
    ASSERT_EQ(scanned.has_value(), indexed.has_value()) << bit;
    if (!scanned) continue;
    EXPECT_EQ(scanned->is_true, indexed->is_true) << bit;
    EXPECT_EQ(scanned->is_unknown, indexed->is_unknown) << bit;
  }
}

}  // namespace
}  // namespace elanus::query
