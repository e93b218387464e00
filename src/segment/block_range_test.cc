// Ranges of blocks, with nulls and what is not a number.
#include <gtest/gtest.h>

#include <cmath>

#include "segment/column_view.h"

namespace elanus::segment {
namespace {

TEST(BlockRange, SpansTheValuesThatAreNotNullBlockByBlock) {
  model::Column column = model::MakeColumn(FieldId{1}, model::DataType::kInt16);
  for (size_t row = 0; row < kRangeRows + 10; ++row) {
    if (row % 3 == 0 || row == kRangeRows + 5) {
      column.AppendNull();
    } else {
      column.Append(static_cast<int16_t>(row < kRangeRows ? row % 100 - 50 : 7));
    }
  }
  const auto ranges = RangesOf(ViewOf(column));
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0].low<int64_t>(), -50);
  EXPECT_EQ(ranges[0].high<int64_t>(), 49);
  EXPECT_EQ(ranges[1].low<int64_t>(), 7);
  EXPECT_EQ(ranges[1].high<int64_t>(), 7);
}

TEST(BlockRange, OfNothingIsEmptyAndOfNotANumberUnknown) {
  model::Column nulls = model::MakeColumn(FieldId{1}, model::DataType::kInt64);
  nulls.AppendNull();
  const BlockRange none = RangesOf(ViewOf(nulls)).at(0);
  EXPECT_GT(none.low<int64_t>(), none.high<int64_t>());
  model::Column reals = model::MakeColumn(FieldId{1}, model::DataType::kFloat);
  reals.Append(1.0F);
  reals.Append(std::nanf(""));
  const BlockRange unknown = RangesOf(ViewOf(reals)).at(0);
  EXPECT_TRUE(std::isnan(unknown.low<double>()));
  EXPECT_TRUE(std::isnan(unknown.high<double>()));
  EXPECT_TRUE(RangesOf(ViewOf(model::MakeColumn(FieldId{1}, model::DataType::kVarChar))).empty());
}

}  // namespace
}  // namespace elanus::segment
