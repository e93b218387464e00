// The short list beside a full sort.
#include "index/vector/shortlist.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace elanus::index {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Checks a list of `wanted` after all of `distances` were pushed, row i at i, and returns how many
// it holds.
size_t Check(const std::vector<float>& distances, size_t wanted) {
  Shortlist list;
  list.Start(wanted);
  for (uint32_t row = 0; row < distances.size(); ++row) list.Push(distances[row], row);
  const std::span<const uint32_t> rows = list.Rows();
  std::vector<float> sorted;
  for (const float distance : distances) {
    if (!std::isnan(distance)) sorted.push_back(distance);
  }
  std::ranges::sort(sorted);
  std::vector<float> found;
  for (const uint32_t row : rows) found.push_back(distances[row]);
  std::ranges::sort(found);
  EXPECT_GE(rows.size(), std::min(wanted, sorted.size()));
  EXPECT_LE(rows.size(), wanted + wanted / 16);
  EXPECT_TRUE(std::ranges::equal(found, std::span(sorted).first(found.size())))
      << "the nearest, and none twice";
  EXPECT_EQ(list.complete(), rows.size() == sorted.size());
  return rows.size();
}

std::vector<float> Random(size_t count, float around) {
  std::mt19937 random(static_cast<uint32_t>(count) + 1);
  std::normal_distribution<float> normal(around, 1.0F);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(ShortlistTest, HoldsTheNearest) {
  for (const size_t wanted : {1u, 2u, 10u, 16u, 100u, 1000u}) {
    for (const size_t count : {0u, 1u, 9u, 10u, 100u, 5000u, 20'000u}) {
      for (const float around : {-3.0F, 0.0F, 1e30F}) Check(Random(count, around), wanted);
    }
  }
}

TEST(ShortlistTest, TakesNearerRowsAlsoWhenTheyComeLast) {
  std::vector<float> distances = Random(10'000, 0);
  std::ranges::sort(distances, std::greater());
  Check(distances, 100);
  std::ranges::sort(distances);
  Check(distances, 100);
}

TEST(ShortlistTest, HoldsExactlyWhatIsWantedOfEqualDistances) {
  EXPECT_EQ(Check(std::vector<float>(5000, 0.5F), 100), 100u);
  std::vector<float> two(5000, 0.5F);
  for (size_t i = 0; i < 5000; i += 100) two[i] = 0.25F;
  EXPECT_EQ(Check(two, 100), 100u);
  Shortlist list;
  list.Start(100);
  for (uint32_t row = 5000; row-- > 0;) list.Push(two[row], row);
  std::vector<uint32_t> rows(list.Rows().begin(), list.Rows().end());
  std::ranges::sort(rows);
  EXPECT_EQ(rows[1], 1u) << "of equal ones the first rows";
}

TEST(ShortlistTest, TakesInfinitiesAndNoNumberThatIsNone) {
  std::vector<float> distances = Random(1000, 0);
  for (size_t i = 0; i < 1000; i += 3) distances[i] = std::nanf("");
  for (size_t i = 1; i < 1000; i += 30) distances[i] = -kInfinity;
  for (size_t i = 2; i < 1000; i += 3) distances[i] = kInfinity;
  for (const size_t wanted : {10u, 40u, 400u, 700u}) Check(distances, wanted);
}

TEST(ShortlistTest, StartsAnewWithTheMemoryItHas) {
  Shortlist list;
  for (const size_t wanted : {100u, 10u, 300u}) {
    list.Start(wanted);
    EXPECT_EQ(list.size(), 0u);
    EXPECT_EQ(list.bound(), kInfinity);
    EXPECT_TRUE(list.complete());
    for (uint32_t row = 0; row < 3000; ++row) list.Push(static_cast<float>(row), row);
    EXPECT_GE(list.Rows().size(), wanted);
    EXPECT_FALSE(list.complete());
  }
}

TEST(BoundForTest, LetsThroughWhatIsAskedOfWholeNumbersToo) {
  std::mt19937 random(5);
  std::vector<int32_t> values(2000);
  for (int32_t& value : values) value = static_cast<int32_t>(random());
  values[7] = std::numeric_limits<int32_t>::min();
  values[8] = std::numeric_limits<int32_t>::max();
  for (const size_t least : {1u, 2u, 48u, 1900u}) {
    const size_t most = least + least / 4;
    const auto bound = BoundFor(std::span<const int32_t>(values), least, most);
    ASSERT_TRUE(bound.has_value());
    const auto count =
        static_cast<size_t>(std::ranges::count_if(values, [&](int32_t v) { return v <= *bound; }));
    EXPECT_GE(count, least);
    EXPECT_LE(count, most);
  }
  const std::vector<int32_t> equal(100, 3);
  EXPECT_FALSE(BoundFor(std::span<const int32_t>(equal), 10, 20).has_value());
  const std::vector<int32_t> neighbours = {3, 3, 3, 3, 3, 4, 4, 4, 4, 4};
  EXPECT_EQ(BoundFor(std::span<const int32_t>(neighbours), 5, 6), 3);
  EXPECT_FALSE(BoundFor(std::span<const int32_t>(neighbours), 6, 7).has_value());
}

}  // namespace
}  // namespace elanus::index
