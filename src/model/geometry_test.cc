#include "model/geometry.h"

#include <gtest/gtest.h>

#include <vector>

namespace elanus::model {
namespace {

std::string RoundTrip(std::string_view text) {
  const auto bytes = WkbFromWkt(text);
  if (!bytes) return bytes.error().message();
  const auto back = WktFromWkb(*bytes);
  return back ? *back : back.error().message();
}

const std::vector<std::string>& Texts() {
  static const std::vector<std::string> texts = {
      "POINT (30.25 -10)",
      "POINT Z (1 2 3)",
      "POINT M (1 2 3)",
      "POINT ZM (1 2 3 4)",
      "LINESTRING (0 0, 1 1, 2 0.1)",
      "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (2 2, 3 2, 3 3, 2 2))",
      "MULTIPOINT ((1 2), (3 4))",
      "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
      "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
      "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1), GEOMETRYCOLLECTION EMPTY)",
      "POINT EMPTY",
      "LINESTRING EMPTY",
      "POLYGON EMPTY",
      "MULTIPOINT EMPTY",
      "MULTILINESTRING EMPTY",
      "MULTIPOLYGON EMPTY",
      "GEOMETRYCOLLECTION EMPTY",
  };
  return texts;
}

TEST(Geometry, ComesBackAsItWent) {
  for (const std::string& text : Texts()) EXPECT_EQ(RoundTrip(text), text);
}

TEST(Geometry, ReadsOtherSpellingsToo) {
  EXPECT_EQ(RoundTrip("point(1 2)"), "POINT (1 2)");
  EXPECT_EQ(RoundTrip("  POINT\t( +1.50   2e1 ) "), "POINT (1.5 20)");
  EXPECT_EQ(RoundTrip("POINT (1 2 3)"), "POINT Z (1 2 3)");
  EXPECT_EQ(RoundTrip("POINTZ(1 2 3)"), "POINT Z (1 2 3)");
  EXPECT_EQ(RoundTrip("MULTIPOINT (1 2, 3 4)"), "MULTIPOINT ((1 2), (3 4))");
}

TEST(Geometry, RefusesWhatIsNone) {
  for (const char* text :
       {"", "INVALID WKT STRING", "POINT ()", "POINT (abc def)", "POINT (1)", "POINT (1 2 3 4 5)",
        "POINT (1 2", "POINT (1 2) x", "POINT (1 nan)", "POINT (1 inf)", "LINESTRING (0 0)",
        "POLYGON ((0 0, 1 1))", "POLYGON ((0 0, 1 0, 1 1, 0 1))", "POLYGON (0 0, 1 0, 1 1, 0 0)",
        "CIRCLE (1 2)", "POINTS (1 2)", "MULTIPOINT (1 2,)", "LINESTRING (0 0, 1)",
        "POINT Z (1 2)"}) {
    const auto bytes = WkbFromWkt(text);
    ASSERT_FALSE(bytes.has_value()) << text;
    EXPECT_NE(bytes.error().message().find("syntax error"), std::string::npos);
  }
}

TEST(Geometry, BoundsNesting) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "GEOMETRYCOLLECTION (";
  EXPECT_FALSE(WkbFromWkt(text).has_value());
}

TEST(Geometry, MeasuresTheBoxOfEveryShape) {
  auto box = [](std::string_view text) { return BoxOfWkb(*WkbFromWkt(text)); };
  EXPECT_EQ(box("POINT (30.25 -10)"), (GeometryBox{30.25, -10, 30.25, -10}));
  EXPECT_EQ(box("POINT ZM (1 2 30 40)"), (GeometryBox{1, 2, 1, 2}));
  EXPECT_EQ(box("LINESTRING M (3 -1 9, 0 7 9)"), (GeometryBox{0, -1, 3, 7}));
  EXPECT_EQ(box("POLYGON ((0 0, 10 0, 10 5, 0 0), (2 1, 3 1, 3 2, 2 1))"),
            (GeometryBox{0, 0, 10, 5}));
  EXPECT_EQ(box("MULTIPOINT (1 2, EMPTY, 3 -4)"), (GeometryBox{1, -4, 3, 2}));
  EXPECT_EQ(box("GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION (LINESTRING (5 5, 9 0)))"),
            (GeometryBox{1, 0, 9, 5}));
  for (const std::string& text : Texts()) {
    EXPECT_EQ(box(text).has_value(), text.find(" EMPTY") != text.size() - 6) << text;
  }
}

TEST(Geometry, ReadsNoDamagedBytesAsAGeometryOutsideThem) {
  for (const std::string& text : Texts()) {
    const std::string whole = *WkbFromWkt(text);
    for (size_t length = 0; length < whole.size(); ++length) {
      const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
      EXPECT_FALSE(WktFromWkb({exact.data(), exact.size()}).has_value()) << text;
      EXPECT_FALSE(BoxOfWkb({exact.data(), exact.size()}).has_value()) << text;
    }
    for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::vector<char> flipped(whole.begin(), whole.end());
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      (void)WktFromWkb({flipped.data(), flipped.size()});
      (void)BoxOfWkb({flipped.data(), flipped.size()});
    }
  }
}

}  // namespace
}  // namespace elanus::model
