// The st_ functions over rows of shapes, against answers known by drawing them.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/codec.h"
#include "model/geometry.h"
#include "query/filter.h"

namespace elanus::query {
namespace {

using model::DataType;

model::CollectionSchema ShapeSchema() {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100}, .name = "pk", .type = DataType::kInt64, .is_primary = true});
  schema.fields.push_back(
      {.id = {101}, .name = "geo", .type = DataType::kGeometry, .nullable = true});
  schema.fields.push_back(
      {.id = {102}, .name = "late", .type = DataType::kGeometry, .nullable = true});
  return schema;
}

const std::vector<std::string> kShapes = {
    "POINT (1 1)",                          // inside the square
    "POINT (0 2)",                          // on its edge
    "LINESTRING (-1 1, 5 1)",               // through it
    "LINESTRING (0 0, 4 0)",                // along its edge
    "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))",  // the square
    "POLYGON ((4 4, 0 4, 0 0, 4 0, 4 4))",  // the square, drawn from elsewhere
    "POLYGON ((1 1, 2 1, 2 2, 1 2, 1 1))",  // inside it
    "POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))",  // over its corner
    "POLYGON ((4 0, 8 0, 8 4, 4 4, 4 0))",  // beside it
    "MULTIPOINT ((1 1), (9 9))",            // in and out
    "GEOMETRYCOLLECTION (POINT (9 9))",     // far away
    "POLYGON ((0 0, 4 4, 4 0, 0 4, 0 0))",  // a bow: not valid
    "POINT EMPTY",
    "POINT Z (1 1 7)",
};

class ShapeRows final : public segment::RowSource {
 public:
  ShapeRows() {
    for (const std::string& text : kShapes) shapes_.AppendValue(*model::WkbFromWkt(text));
    shapes_.AppendNull();
  }
  size_t rows() const override { return shapes_.rows; }
  std::optional<segment::ColumnView> Column(FieldId field) const override {
    if (field != FieldId{101}) return std::nullopt;
    return segment::ViewOf(shapes_);
  }

 private:
  model::Column shapes_ = model::MakeColumn({101}, DataType::kGeometry);
};

/// One character a row: T true, F false, ? unknown.
std::string Ask(const std::string& text) {
  const model::CollectionSchema schema = ShapeSchema();
  auto filter = expr::ParseFilter(text, schema, {});
  if (!filter) return filter.error().message();
  const ShapeRows rows;
  auto truth = Evaluate(*filter, rows, schema);
  if (!truth) return truth.error().message();
  std::string answers;
  for (size_t row = 0; row < rows.rows(); ++row) {
    const bool is_true = (truth->is_true[0] >> row & 1) != 0;
    const bool is_unknown = (truth->is_unknown[0] >> row & 1) != 0;
    answers += is_true ? 'T' : is_unknown ? '?' : 'F';
  }
  return answers;
}

const std::string kSquare = "'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))'";

TEST(FilterGeometry, TellsHowShapesLieToASquare) {
  // The bow crosses itself: what GEOS says of it is its own affair, so its place is left out.
  auto ask = [](const std::string& function) {
    std::string answers = Ask(function + "(geo, " + kSquare + ")");
    if (answers.size() == kShapes.size() + 1) answers[11] = '.';
    return answers;
  };
  EXPECT_EQ(ask("st_equals"), "FFFFTTFFFFF.FF?");
  EXPECT_EQ(ask("st_within"), "TFFFTTTFFFF.FT?");
  EXPECT_EQ(ask("ST_CONTAINS"), "FFFFTTFFFFF.FF?");
  EXPECT_EQ(ask("st_intersects"), "TTTTTTTTTTF.FT?");
  EXPECT_EQ(ask("st_touches"), "FTFTFFFFTFF.FF?");
  EXPECT_EQ(ask("st_overlaps"), "FFFFFFFTFFF.FF?");
  EXPECT_EQ(ask("st_crosses"), "FFTFFFFFFTF.FF?");
}

TEST(FilterGeometry, TheColumnIsTheLeftOperand) {
  EXPECT_EQ(Ask("st_contains(geo, 'POINT (1.5 1.5)')").substr(0, 11), "FFFFTTTFFFF");
  EXPECT_EQ(Ask("not st_within(geo, " + kSquare + ")").substr(0, 4), "FTTT");
}

TEST(FilterGeometry, KnowsValidShapesAndRowsOlderThanTheField) {
  EXPECT_EQ(Ask("st_isvalid(geo)"), "TTTTTTTTTTTFTT?");
  EXPECT_EQ(Ask("st_intersects(late, 'POINT (0 0)')"), "???????????????");
  EXPECT_EQ(Ask("geo is null"), "FFFFFFFFFFFFFFT");
}

TEST(FilterGeometry, MeasuresMetresOnTheGlobeBetweenPoints) {
  // One degree of latitude is 2 pi r / 360 = 111,194.93 m; at (1 1) one of longitude is 0.99985 of
  // it.
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (1 2)', 111195)")[0], 'T');
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (1 2)', 111194)")[0], 'F');
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (2 1)', 111179)")[0], 'T');
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (2 1)', 111177)")[0], 'F');
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (1 1)', 0)")[0], 'T');
  // The square is one degree away at the equator, where a degree is 111,320 m.
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (5 0)', 111321)")[4], 'T');
  EXPECT_EQ(Ask("st_dwithin(geo, 'POINT (5 0)', 111319)")[4], 'F');
}

TEST(FilterGeometry, DoesNotAskOfShapesWhoseProductsAreNoNumbers) {
  const std::string far = "'LINESTRING (0 0, 1e200 1)'";
  // Boxes that do not meet say no without it.
  EXPECT_EQ(Ask("st_intersects(geo, " + far + ")"), "?F?????F??F????");
  EXPECT_EQ(Ask("st_within(geo, " + far + ")"), "?FF?FFFFFFFF???");
  EXPECT_EQ(Ask("st_crosses(geo, " + far + ")"), "?F?????F??F????");
  EXPECT_EQ(Ask("st_intersects(geo, 'LINESTRING (0 0, 1e70 1)')")[3], 'T');
}

TEST(FilterGeometry, RefusesWithMilvusTexts) {
  auto refused = [](const std::string& filter, const std::string& text) {
    EXPECT_NE(Ask(filter).find(text), std::string::npos) << Ask(filter);
  };
  refused("st_within(pk, 'POINT (0 0)')",
          "spatial operation are only supported on geometry fields now, got: "
          "st_within(pk,'POINT (0 0)')");
  refused("st_dwithin(pk, 'POINT (0 0)', 1)",
          "ST_DWITHIN operation are only supported on geometry fields now");
  refused("st_isvalid(pk)", "STIsValid operation are only supported on geometry fields now");
  refused("st_within(geo, 'POINT (0')", "cannot parse expression");
  refused("st_within(geo, 5)", "st_within needs a shape");
  refused("st_dwithin(geo, 'LINESTRING (0 0, 1 1)', 1)", "only supports POINT geometry");
  refused("st_dwithin(geo, 'POINT (0 0)', -1)", "must be non-negative");
  refused("st_dwithin(geo, 'POINT (0 0)')", "requires exactly 3 arguments, got 2");
}

TEST(FilterGeometry, RunsOrRefusesWhateverDamagedBytesDecodeTo) {
  const model::CollectionSchema schema = ShapeSchema();
  const auto filter = expr::ParseFilter(
      "st_within(geo, " + kSquare + ") or st_dwithin(geo, 'POINT (1 2)', 7)", schema, {});
  ASSERT_TRUE(filter);
  const std::string bytes = EncodeBytes(*filter);
  const ShapeRows rows;
  for (size_t n = 0; n < bytes.size(); ++n) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[n] = static_cast<char>(damaged[n] ^ (1 << bit));
      auto decoded = DecodeBytes<expr::BoundFilter>(damaged, "filter");
      if (decoded) (void)Evaluate(*decoded, rows, schema);
    }
  }
}

}  // namespace
}  // namespace elanus::query
