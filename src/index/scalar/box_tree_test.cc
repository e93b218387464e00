// A tree against a look at every box; rounding; what is no tree.
#include "index/scalar/box_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "index/scalar/scalar_build.h"
#include "index/scalar/scalar_index.h"

namespace elanus::index {
namespace {

Box RandomBox(std::mt19937& random, float side) {
  const auto part = [&] { return static_cast<float>(random() % 1000) / 10; };
  const float x = part();
  const float y = part();
  return {x, y, x + part() * side, y + part() * side};
}

std::shared_ptr<const ScalarIndex> IndexOf(const std::vector<Box>& boxes) {
  const auto rows = static_cast<uint32_t>(boxes.size());
  BoxBuilder builder;
  Bitset known(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    builder.Add(boxes[row], row);
    known.Set(row);
  }
  ScalarWriter writer({.type = KeyType::kReal, .use = KeyUse::kBoxes, .rows = rows});
  builder.WriteTo(writer);
  std::string bytes;
  for (const Buffer& piece : writer.Finish(known))
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  auto aligned = std::make_shared<Buffer>(Buffer::Copy(std::as_bytes(std::span(bytes))));
  return ScalarIndex::Open(aligned, aligned->span()).value();
}

TEST(BoxTree, FindsWhatALookAtEveryBoxFinds) {
  std::mt19937 random(3);
  for (const uint32_t rows : {0U, 1U, 15U, 16U, 17U, 256U, 257U, 5000U}) {
    std::vector<Box> boxes;
    for (uint32_t row = 0; row < rows; ++row) {
      const bool again = row % 5 == 4;
      boxes.push_back(row % 97 == 96 ? Box::Everywhere()
                      : again        ? boxes[random() % row]
                                     : RandomBox(random, row % 3 == 0 ? 0 : 0.1F));
    }
    const auto index = IndexOf(boxes);
    for (int query = 0; query < 300; ++query) {
      const Box window = query % 4 == 0 && rows != 0 ? boxes[random() % rows]
                                                     : RandomBox(random, query % 3 == 0 ? 1 : 0.1F);
      for (const auto relation : {BoxRelation::kMeets, BoxRelation::kInside, BoxRelation::kCovers,
                                  BoxRelation::kEquals}) {
        std::vector<KeyRange> ranges;
        index->Boxes().Find(relation, window, ranges);
        Bitset found(rows);
        for (const KeyRange& range : ranges) index->SetRows(range, found.words());
        for (uint32_t row = 0; row < rows; ++row) {
          const bool fits = boxes[row].IsEverywhere() || Lies(boxes[row], relation, window);
          ASSERT_EQ(found.Test(row), fits) << rows << " rows, row " << row;
        }
      }
    }
  }
}

TEST(BoxTree, LooksAtFewBoxesForASmallWindow) {
  std::mt19937 random(4);
  std::vector<Box> boxes;
  std::uniform_real_distribution<float> place(0, 1000);
  for (int row = 0; row < 100'000; ++row) {
    const float x = place(random);
    const float y = place(random);
    boxes.push_back({x, y, x, y});
  }
  const auto index = IndexOf(boxes);
  std::vector<KeyRange> ranges;
  // A hundredth of each side: about ten places.
  const size_t looked = index->Boxes().Find(BoxRelation::kMeets, {500, 500, 510, 510}, ranges);
  EXPECT_LT(looked, 600U);
  ranges.clear();
  EXPECT_LE(index->Boxes().Find(BoxRelation::kMeets, {-1, -1, 1001, 1001}, ranges), 16U);
  EXPECT_EQ(ranges, (std::vector<KeyRange>{{0, index->keys()}}));
}

TEST(BoxTree, RoundsAwayFromTheShape) {
  constexpr double kHuge = 1e300;
  for (const double value : {0.1, -0.1, 1.0, -0.0, 1e-320, kHuge, -kHuge, 16777217.0}) {
    EXPECT_LE(static_cast<double>(RoundDown(value)), value);
    EXPECT_GE(static_cast<double>(RoundUp(value)), value);
  }
  EXPECT_EQ(RoundDown(1.0), 1.0F);
  EXPECT_EQ(RoundUp(kHuge), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isfinite(RoundDown(kHuge)));
}

TEST(BoxTree, KnowsWhatIsNoTree) {
  std::vector<Box> boxes(40, Box{1, 1, 2, 2});
  BoxTree::AppendNodes(boxes);
  ASSERT_EQ(boxes.size(), BoxTree::Boxes(40));
  EXPECT_TRUE(BoxTree(boxes, 40).Holds());
  for (const Box& damage : {Box{1.5, 1, 2, 2}, Box{1, 1, 0, 2}, Box{NAN, 1, 2, 2}}) {
    std::vector<Box> damaged = boxes;
    damaged[41] = damage;
    EXPECT_FALSE(BoxTree(damaged, 40).Holds());
  }
}

}  // namespace
}  // namespace elanus::index
