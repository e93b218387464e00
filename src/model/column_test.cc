#include "model/column.h"

#include <gtest/gtest.h>

#include "base/codec.h"
#include "model/primary_key.h"
#include "model/row_batch.h"

namespace elanus::model {
namespace {

Column Words() {
  Column column = MakeColumn({101}, DataType::kVarChar);
  column.AppendValue("alpha");
  column.AppendNull();
  column.AppendValue("");
  return column;
}

TEST(Column, KeepsNullsApartFromEmptyValues) {
  Column column = Words();
  EXPECT_EQ(column.rows, 3u);
  EXPECT_FALSE(column.IsNull(0));
  EXPECT_TRUE(column.IsNull(1));
  EXPECT_FALSE(column.IsNull(2));
  EXPECT_EQ(column.StringAt(0), "alpha");
  EXPECT_TRUE(column.Validate().ok());
}

TEST(Column, TakesRowsInTheGivenOrder) {
  Column numbers = MakeColumn({100}, DataType::kInt64);
  for (int64_t i = 0; i < 3; ++i) numbers.Append(i * 10);
  RowBatch batch{.rows = 3, .columns = {numbers, Words()}};
  std::vector<uint32_t> wanted{2, 0, 1};
  RowBatch taken = batch.Take(wanted);
  EXPECT_EQ(PrimaryKeys::FromColumn(taken.columns[0]).ints, (std::vector<int64_t>{20, 0, 10}));
  EXPECT_EQ(taken.columns[1].StringAt(1), "alpha");
  EXPECT_TRUE(taken.columns[1].IsNull(2));
  EXPECT_TRUE(taken.Validate().ok());
}

TEST(Column, RefusesBytesThatDoNotAgreeWithItsRows) {
  Column column = Words();
  column.offsets[1] = 100;
  EXPECT_EQ(column.Validate().code(), Code::kDataIntegrity);
  Column vectors = MakeColumn({102}, DataType::kFloatVector, 4);
  vectors.AppendValue(std::string(16, 'x'));
  vectors.fixed.pop_back();
  EXPECT_EQ(vectors.Validate().code(), Code::kDataIntegrity);
}

TEST(Column, HasAByteForm) {
  auto decoded = DecodeBytes<Column>(EncodeBytes(Words()), "column");
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, Words());
}

}  // namespace
}  // namespace elanus::model
