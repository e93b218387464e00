// Rows that have outlived their collection's TTL are hidden from scans and from look-ups by key.
#include "query/visible_rows.h"

#include <gtest/gtest.h>

#include "query/retrieve.h"
#include "segment/growing.h"

namespace elanus::query {
namespace {

model::CollectionSchema Schema() {
  model::CollectionSchema schema{.name = "c"};
  schema.fields.push_back(
      {.id = {100}, .name = "id", .type = model::DataType::kInt64, .is_primary = true});
  return schema;
}

model::RowBatch Row(int64_t key) {
  model::RowBatch batch{.rows = 1};
  batch.columns.push_back(model::MakeColumn({100}, model::DataType::kInt64));
  batch.columns.back().Append(key);
  return batch;
}

struct ExpiredRows : ::testing::Test {
  model::CollectionSchema schema = Schema();
  segment::GrowingSegment segment{SegmentId{1}, PartitionId{1}, schema};

  std::vector<int64_t> Seen(model::Timestamp at, model::Timestamp expired) {
    const auto hidden =
        HiddenRowsOf(segment, {.schema = &schema, .at = at, .expiry = {.inserted = expired}});
    std::vector<int64_t> seen;
    for (uint32_t row = 0; row < hidden->rows; ++row) {
      if (!hidden->Hidden(row)) seen.push_back(std::get<int64_t>(segment.KeyAt(row)));
    }
    return seen;
  }
};

TEST_F(ExpiredRows, HidesRowsThatHaveOutlivedTheirCollection) {
  for (int64_t i = 1; i <= 4; ++i) segment.Append(Row(i), static_cast<model::Timestamp>(10 * i));
  EXPECT_EQ(Seen(100, 0), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(Seen(100, 9), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(Seen(100, 20), (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(Seen(30, 20), (std::vector<int64_t>{3})) << "neither too old nor too new";
  EXPECT_EQ(Seen(100, 40), std::vector<int64_t>{});
}

TEST_F(ExpiredRows, ALookUpByKeyFindsNoExpiredRow) {
  for (int64_t i = 1; i <= 3; ++i) segment.Append(Row(i), static_cast<model::Timestamp>(10 * i));
  const std::vector<segment::SegmentPtr> segments = {
      segment::SegmentPtr(&segment, [](const segment::Segment*) {})};
  const Cancel cancel;
  const ReadView view{.schema = &schema, .at = 100, .expiry = {.inserted = 20}, .cancel = &cancel};
  model::PrimaryKeys keys;
  for (int64_t i = 1; i <= 3; ++i) keys.Append(model::PrimaryKey(i));
  auto found = Retrieve(segments, view, {.keys = &keys});
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->keys.size(), 1u);
  EXPECT_EQ(found->keys.At(0), model::PrimaryKey(int64_t{3}));
}

TEST_F(ExpiredRows, AnExpiredRowStaysHiddenBesideADeletedOne) {
  for (int64_t i = 1; i <= 3; ++i) segment.Append(Row(i), static_cast<model::Timestamp>(10 * i));
  segment.Delete(model::PrimaryKey(int64_t{3}), 50);
  EXPECT_EQ(Seen(100, 10), (std::vector<int64_t>{2}));
  EXPECT_EQ(Seen(40, 10), (std::vector<int64_t>{2, 3}));
}

TEST(ExpiryByField, HidesRowsWhoseTimeIsOverAndNeverNulls) {
  model::CollectionSchema schema = Schema();
  schema.fields.push_back(
      {.id = {101}, .name = "until", .type = model::DataType::kTimestamptz, .nullable = true});
  segment::GrowingSegment segment(SegmentId{1}, PartitionId{1}, schema);
  for (int64_t key = 1; key <= 4; ++key) {
    model::RowBatch row = Row(key);
    row.columns.push_back(model::MakeColumn({101}, model::DataType::kTimestamptz));
    key == 4 ? row.columns.back().AppendNull() : row.columns.back().Append(key * 1000);
    segment.Append(row, 10);
  }
  const std::vector<segment::SegmentPtr> segments = {
      segment::SegmentPtr(&segment, [](const segment::Segment*) {})};
  const Cancel cancel;
  const ReadView view{
      .schema = &schema, .at = 100, .expiry = {.field = {101}, .micros = 2000}, .cancel = &cancel};
  const auto hidden = HiddenRowsOf(segment, view);
  ASSERT_TRUE(hidden.has_value());
  std::vector<bool> seen;
  for (uint32_t row = 0; row < 4; ++row) seen.push_back(!hidden->Hidden(row));
  EXPECT_EQ(seen, (std::vector<bool>{false, false, true, true}));
  model::PrimaryKeys keys;
  for (int64_t i = 1; i <= 4; ++i) keys.Append(model::PrimaryKey(i));
  auto found = Retrieve(segments, view, {.keys = &keys});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->keys.ints, (std::vector<int64_t>{3, 4}));
}

}  // namespace
}  // namespace elanus::query
