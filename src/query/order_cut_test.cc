// The first rows of an order, which looks at few, against a sort of all rows: rows of one key in
// several places, nulls, deletes, ties, NaN.
#include "query/order_cut.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include "query/retrieve.h"
#include "segment/growing.h"
#include "segment/sealed.h"
#include "segment/sealed_builder.h"

namespace elanus::query {
namespace {

struct Row {
  int64_t key = 0;
  model::Timestamp timestamp = 0;
  std::optional<double> real;
  int64_t whole = 0;
};

struct World {
  model::CollectionSchema schema{.name = "c"};
  std::vector<segment::SegmentPtr> segments;
  std::map<int64_t, Row> newest;

  /// \param keys  0: three times as many as rows of a segment
  World(std::mt19937& random, size_t rows, bool with_nan, size_t keys = 0) {
    if (keys == 0) keys = 3 * rows;
    schema.fields = {
        {.id = FieldId{1}, .name = "pk", .type = model::DataType::kInt64, .is_primary = true},
        {.id = FieldId{2}, .name = "real", .type = model::DataType::kDouble, .nullable = true},
        {.id = FieldId{3}, .name = "whole", .type = model::DataType::kInt16},
        {.id = FieldId{4}, .name = "text", .type = model::DataType::kVarChar, .nullable = true}};
    model::Timestamp now = 10;
    for (int s = 0; s < 4; ++s) {
      auto growing =
          std::make_shared<segment::GrowingSegment>(SegmentId{s + 1}, PartitionId{1}, schema);
      std::vector<Row> batch;
      for (size_t i = 0; i < rows; ++i) {
        Row row{.key = static_cast<int64_t>(random() % keys),
                .timestamp = ++now,
                .whole = static_cast<int64_t>(random() % 40)};
        if (random() % 6 != 0) row.real = static_cast<double>(random() % 500) / 4;
        if (with_nan && random() % 50 == 0) row.real = std::nan("");
        batch.push_back(row);
      }
      for (const Row& row : batch) {
        Append(*growing, row);
        newest[row.key] = row;
      }
      for (size_t i = 0; i < rows / 10; ++i) Delete(*growing, batch[random() % rows].key, ++now);
      segments.push_back(s % 2 == 0 ? Seal(growing) : segment::SegmentPtr(growing));
    }
  }

  void Append(segment::GrowingSegment& growing, const Row& row) const {
    model::RowBatch batch{.rows = 1};
    for (const model::FieldSchema& field : schema.fields)
      batch.columns.push_back(model::MakeColumn(field.id, field.type));
    batch.columns[0].Append(row.key);
    if (row.real) {
      batch.columns[1].Append(*row.real);
    } else {
      batch.columns[1].AppendNull();
    }
    batch.columns[2].Append(static_cast<int16_t>(row.whole));
    // Texts in the order of the whole numbers.
    if (row.whole == 7) {
      batch.columns[3].AppendNull();
    } else {
      batch.columns[3].AppendValue(fmt::format("text {:03}", row.whole));
    }
    growing.Append(batch, row.timestamp);
  }

  /// A delete of a key reaches every segment, as those of a shard do.
  void Delete(segment::GrowingSegment& growing, int64_t key, model::Timestamp at) {
    growing.Delete(key, at);
    for (const segment::SegmentPtr& old : segments) {
      if (old->sealed()) {
        std::const_pointer_cast<segment::SealedSegment>(
            std::static_pointer_cast<const segment::SealedSegment>(old))
            ->Delete(key, at);
      } else {
        std::const_pointer_cast<segment::GrowingSegment>(
            std::static_pointer_cast<const segment::GrowingSegment>(old))
            ->Delete(key, at);
      }
    }
    newest.erase(key);
  }

  segment::SegmentPtr Seal(const std::shared_ptr<segment::GrowingSegment>& growing) const {
    auto bytes = std::make_shared<std::string>();
    const auto build = segment::BuildSealedFile({{growing, growing->RowsAt(model::kTimestampMax),
                                                  growing->deletes().UpTo(model::kTimestampMax)}},
                                                {.id = growing->id(), .schema = &schema},
                                                [&](std::string_view piece) {
                                                  bytes->append(piece);
                                                  return Status::Ok();
                                                });
    auto aligned =
        std::make_shared<index::Buffer>(index::Buffer::Copy(std::as_bytes(std::span(*bytes))));
    return segment::SealedSegment::Open(
               {.id = growing->id(), .partition = PartitionId{1}, .rows = build->rows},
               {"file", aligned->span(), aligned}, build->deletes)
        .value();
  }

  std::vector<int64_t> First(FieldId field, rank::Direction direction, size_t limit) const {
    std::vector<Row> rows;
    for (const auto& [key, row] : newest) rows.push_back(row);
    const auto before = [&](const Row& a, const Row& b) {
      const auto value = [&](const Row& row) {
        if (field == FieldId{4} && row.whole == 7) return std::optional<double>();
        return field == FieldId{2} ? row.real
                                   : std::optional<double>(static_cast<double>(row.whole));
      };
      const auto x = value(a);
      const auto y = value(b);
      if (!x || !y)
        return x.has_value() != y.has_value() && !x.has_value() == direction.nulls_first;
      if (std::isnan(*x) || std::isnan(*y)) {
        if (std::isnan(*x) == std::isnan(*y)) return false;
        return std::isnan(*y) != direction.descending;
      }
      return direction.descending ? *x > *y : *x < *y;
    };
    std::ranges::sort(rows, [&](const Row& a, const Row& b) {
      return before(a, b) || (!before(b, a) && a.key < b.key);
    });
    std::vector<int64_t> keys;
    for (size_t i = 0; i < rows.size() && i < limit; ++i) keys.push_back(rows[i].key);
    return keys;
  }
};

/// The keys of the first rows, as a query gives them.
std::vector<int64_t> FirstKeys(const World& world, const ReadView& view, FieldId field,
                               rank::Direction direction, int64_t limit) {
  const model::RowValue value{.field = field};
  const auto found = Retrieve(
      world.segments, view,
      {.limit = limit, .order = std::span(&value, 1), .directions = std::span(&direction, 1)});
  if (!found.has_value()) {
    ADD_FAILURE() << found.error().message();
    return {};
  }
  return found->keys.ints;
}

TEST(OrderCut, GivesTheFirstRowsOfASortOfAll) {
  std::mt19937 random(11);
  for (const size_t rows : {30, 700, 5000}) {
    for (const bool with_nan : {false, true}) {
      const World world(random, rows, with_nan);
      const Cancel cancel;
      const ReadView view{.schema = &world.schema, .at = model::kTimestampMax, .cancel = &cancel};
      for (const FieldId field : {FieldId{2}, FieldId{3}, FieldId{4}}) {
        for (const rank::Direction direction :
             {rank::Direction{}, rank::Direction{.descending = true},
              rank::Direction{.nulls_first = true}}) {
          for (const int64_t limit : {1, 10, 300}) {
            ASSERT_EQ(FirstKeys(world, view, field, direction, limit),
                      world.First(field, direction, static_cast<size_t>(limit)))
                << rows << " rows, field " << field.value << ", limit " << limit;
          }
        }
      }
    }
  }
}

TEST(OrderCut, LeavesMostRowsOut) {
  std::mt19937 random(12);
  const World world(random, 5000, false);
  const Cancel cancel;
  const ReadView view{.schema = &world.schema, .at = model::kTimestampMax, .cancel = &cancel};
  std::vector<HiddenRows> hidden;
  for (const auto& segment : world.segments) hidden.push_back(HiddenRowsOf(*segment, view).value());
  const model::RowValue value{.field = FieldId{2}};
  const OrderCut cut =
      FirstInOrder(world.segments, hidden, {.value = &value, .alone = true, .wanted = 10}, cancel)
          .value();
  EXPECT_FALSE(cut.whole);
  size_t rows = 0;
  for (const auto& of_segment : cut.rows) rows += of_segment.size();
  // 500 values: a growing segment's rows with the worst of the ten all stay.
  EXPECT_GE(rows, 10U);
  EXPECT_LE(rows, 100U);
  EXPECT_TRUE(CutsByValue(world.schema, {.field = FieldId{3}}));
  EXPECT_TRUE(CutsByValue(world.schema, {.field = FieldId{4}}));
  EXPECT_FALSE(CutsByValue(world.schema, {.field = FieldId{9}}));
}

// Most keys have many rows, in one segment and in several, so that the first rows are those of few
// keys and mostly old.
TEST(OrderCut, AsksForMoreRowsWhenManyShareAKey) {
  std::mt19937 random(13);
  for (const uint32_t keys : {20U, 300U}) {
    const World world(random, 3000, false, keys);
    const Cancel cancel;
    const ReadView view{.schema = &world.schema, .at = model::kTimestampMax, .cancel = &cancel};
    for (const FieldId field : {FieldId{2}, FieldId{3}, FieldId{4}}) {
      for (const int64_t limit : {1, 5, 15, 200}) {
        ASSERT_EQ(FirstKeys(world, view, field, {}, limit),
                  world.First(field, {}, static_cast<size_t>(limit)))
            << keys << " keys, field " << field.value << ", limit " << limit;
      }
    }
  }
}

}  // namespace
}  // namespace elanus::query
