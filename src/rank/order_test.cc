#include "rank/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace elanus::rank {
namespace {

using model::Column;
using model::DataType;
using model::MakeColumn;

Column Doubles(const std::vector<double>& values, const std::vector<uint8_t>& valid = {}) {
  Column column = MakeColumn(FieldId{1}, DataType::kDouble);
  for (double value : values) column.Append(value);
  column.valid = valid;
  return column;
}
Column Texts(const std::vector<std::string>& values, DataType type = DataType::kVarChar) {
  Column column = MakeColumn(FieldId{2}, type);
  for (const auto& value : values) column.AppendValue(value);
  return column;
}

std::vector<uint32_t> Sorted(const model::RowBatch& batch, const std::vector<Direction>& by) {
  const model::RowBatch* sources[] = {&batch};
  std::vector<SourceRow> rows;
  for (uint32_t row = 0; row < batch.rows; ++row) rows.push_back({0, row});
  const RowOrder order_by(by, 0, sources);
  std::ranges::sort(rows, [&](SourceRow a, SourceRow b) {
    const auto order = order_by.Compare(a, b);
    return order == 0 ? a.row < b.row : order < 0;
  });
  std::vector<uint32_t> order;
  for (SourceRow at : rows) order.push_back(at.row);
  return order;
}

TEST(RowOrder, PutsNullsWhereTheDirectionSays) {
  const model::RowBatch batch{.rows = 4, .columns = {Doubles({3, 0, 1, 2}, {1, 0, 1, 1})}};
  EXPECT_EQ(Sorted(batch, {{.descending = false}}), (std::vector<uint32_t>{2, 3, 0, 1}));
  EXPECT_EQ(Sorted(batch, {{.descending = true, .nulls_first = true}}),
            (std::vector<uint32_t>{1, 0, 3, 2}));
  EXPECT_EQ(Sorted(batch, {{.descending = true}}), (std::vector<uint32_t>{0, 3, 2, 1}));
}

TEST(RowOrder, LetsTheSecondColumnDecideTiesAndKeepsFullTies) {
  const model::RowBatch batch{.rows = 4,
                              .columns = {Doubles({1, 1, 0, 1}), Texts({"b", "a", "z", "a"})}};
  EXPECT_EQ(Sorted(batch, {{}, {}}), (std::vector<uint32_t>{2, 1, 3, 0}));
  EXPECT_EQ(Sorted(batch, {{.descending = true}, {}}), (std::vector<uint32_t>{1, 3, 0, 2}));
}

TEST(RowOrder, OrdersNaNAfterEveryNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const model::RowBatch batch{.rows = 3, .columns = {Doubles({nan, -1, 5})}};
  EXPECT_EQ(Sorted(batch, {{}}), (std::vector<uint32_t>{1, 2, 0}));
}

TEST(RowOrder, ComparesJsonNumbersByValueAndStringsAfterThem) {
  const model::RowBatch batch{
      .rows = 5, .columns = {Texts({"10", "\"a\"", "9.5", "true", "\"B\""}, DataType::kJson)}};
  EXPECT_EQ(Sorted(batch, {{}}), (std::vector<uint32_t>{2, 0, 4, 1, 3}));
}

TEST(MergeOrdered, GoesByValueThenKeyOverAllSources) {
  const model::RowBatch a{.rows = 2, .columns = {Doubles({2, 1})}};
  const model::RowBatch b{.rows = 3, .columns = {Doubles({1, 3, 2})}};
  model::PrimaryKeys keys_a{.ints = {10, 20}};
  model::PrimaryKeys keys_b{.ints = {5, 6, 7}};
  const model::RowBatch* batches[] = {&a, &b};
  const model::PrimaryKeys* keys[] = {&keys_a, &keys_b};
  const std::vector<Direction> by = {{}};
  const RowOrder order(by, 0, batches);
  EXPECT_EQ(MergeOrdered(keys, order, {}),
            (std::vector<SourceRow>{{1, 0}, {0, 1}, {1, 2}, {0, 0}, {1, 1}}));
  EXPECT_EQ(MergeOrdered(keys, order, {.offset = 1, .limit = 2}),
            (std::vector<SourceRow>{{0, 1}, {1, 2}}));
}

TEST(SortLists, PagesEachListInTheNewOrder) {
  const model::RowBatch batch{.rows = 4, .columns = {Doubles({30, 10, 20, 40})}};
  const model::RowBatch* batches[] = {&batch};
  const std::vector<Direction> by = {{}};
  MergedLists lists{.counts = {3, 1}, .rows = {{0, 0}, {0, 1}, {0, 2}, {0, 3}}};
  SortLists(lists, RowOrder(by, 0, batches), {.offset = 1, .limit = 2});
  EXPECT_EQ(lists.counts, (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(lists.rows, (std::vector<SourceRow>{{0, 2}, {0, 0}}));
}

}  // namespace
}  // namespace elanus::rank
