// Rows that have outlived their collection's TTL are hidden from scans and from look-ups by key.
#include "query/visible_rows.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "query/retrieve.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

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

std::shared_ptr<segment::SealedSegment> Sealed(const segment::SegmentPtr& growing,
                                               const model::CollectionSchema& schema) {
  std::string bytes;
  const auto build =
      segment::BuildSealedFile({{growing, growing->RowsAt(model::kTimestampMax), {}}},
                               {.id = {2}, .schema = &schema}, [&](std::string_view piece) {
                                 bytes.append(piece);
                                 return Status::Ok();
                               });
  auto aligned =
      std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(bytes))));
  return segment::SealedSegment::Open({.id = {2}, .partition = {1}, .rows = build->rows},
                                      {"segment", aligned->span(), aligned}, {})
      .value();
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

/// Rows of three blocks whose values ascend: a block may be over, in part, or not at all.
TEST(ExpiryByField, LooksAtBlocksThatMayHoldRowsWhoseTimeIsOver) {
  model::CollectionSchema schema = Schema();
  schema.fields.push_back(
      {.id = {101}, .name = "until", .type = model::DataType::kTimestamptz, .nullable = true});
  const auto growing =
      std::make_shared<segment::GrowingSegment>(SegmentId{1}, PartitionId{1}, schema);
  constexpr int64_t kRows = 3 * segment::kRangeRows - 100;
  model::RowBatch rows{.rows = kRows};
  rows.columns.push_back(model::MakeColumn({100}, model::DataType::kInt64));
  rows.columns.push_back(model::MakeColumn({101}, model::DataType::kTimestamptz));
  for (int64_t row = 0; row < kRows; ++row) {
    rows.columns[0].Append(row);
    row % 7 == 0 ? rows.columns[1].AppendNull() : rows.columns[1].Append(row);
  }
  growing->Append(rows, 10);
  const auto sealed = Sealed(growing, schema);
  for (const segment::Segment* segment : {static_cast<const segment::Segment*>(growing.get()),
                                          static_cast<const segment::Segment*>(sealed.get())}) {
    for (const int64_t micros : {int64_t{-1}, int64_t{0}, int64_t{5000}, kRows}) {
      const auto hidden = HiddenRowsOf(
          *segment, {.schema = &schema, .at = 100, .expiry = {.field = {101}, .micros = micros}});
      ASSERT_TRUE(hidden.has_value());
      for (int64_t row = 0; row < kRows; ++row) {
        ASSERT_EQ(hidden->Hidden(static_cast<uint32_t>(row)), row % 7 != 0 && row <= micros)
            << row << " at " << micros;
      }
      EXPECT_EQ(hidden->bits == nullptr, micros < 1);
      EXPECT_EQ(CountExpired(*segment, schema, {.field = {101}, .micros = micros}, kRows),
                hidden->bits == nullptr ? 0 : hidden->bits->Count());
    }
  }
}

TEST(ExpiryByField, RowsOlderThanTheFieldHaveItsDefault) {
  model::CollectionSchema schema = Schema();
  segment::GrowingSegment segment(SegmentId{1}, PartitionId{1}, schema);
  segment.Append(Row(1), 10);
  schema.fields.push_back({.id = {101},
                           .name = "until",
                           .type = model::DataType::kTimestamptz,
                           .nullable = true,
                           .default_value = model::Scalar(int64_t{700})});
  auto hides = [&](int64_t micros) {
    return HiddenRowsOf(
               segment,
               {.schema = &schema, .at = 100, .expiry = {.field = {101}, .micros = micros}})
        ->Hidden(0);
  };
  EXPECT_FALSE(hides(699));
  EXPECT_TRUE(hides(700));
  schema.fields.back().default_value.reset();
  EXPECT_FALSE(hides(700));
}

}  // namespace
}  // namespace elanus::query
