// Counts, aggregates, groups and rows that a crew shares are what one thread gives, each time the
// same.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "expr/filter.h"
#include "query/retrieve.h"
#include "segment/growing.h"

namespace elanus::query {
namespace {

using model::DataType;
using rank::AggregateOp;

constexpr FieldId kKey{100};
constexpr FieldId kPart{101};
constexpr FieldId kReal{102};
constexpr int64_t kRows = 450'000;  // of each of two segments: several pieces

class SharedRetrieve : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    schema_ = new model::CollectionSchema{.name = "c"};
    schema_->fields = {{.id = kKey, .name = "id", .type = DataType::kInt64, .is_primary = true},
                       {.id = kPart, .name = "part", .type = DataType::kInt64, .nullable = true},
                       {.id = kReal, .name = "real", .type = DataType::kDouble}};
    segments_ = new std::vector<segment::SegmentPtr>;
    std::mt19937 random(11);
    for (int64_t s = 0; s < 2; ++s) {
      auto growing =
          std::make_shared<segment::GrowingSegment>(SegmentId{s + 1}, PartitionId{1}, *schema_);
      model::RowBatch batch{.rows = kRows};
      for (const auto& field : schema_->fields)
        batch.columns.push_back(model::MakeColumn(field.id, field.type));
      for (int64_t row = 0; row < kRows; ++row) {
        batch.columns[0].Append(s * kRows + row);
        if (row % 50 == 0) {
          batch.columns[1].AppendNull();
        } else {
          batch.columns[1].Append(row % 97);
        }
        batch.columns[2].Append(std::normal_distribution<double>()(random));
      }
      growing->Append(batch, 10);
      segments_->push_back(growing);
    }
  }
  static void TearDownTestSuite() {
    delete segments_;
    delete schema_;
  }

  ReadView View(const expr::BoundFilter& filter, Crew* crew, const Cancel& cancel) const {
    return {.schema = schema_,
            .at = model::kTimestampMax,
            .filter = &filter,
            .cancel = &cancel,
            .crew = crew};
  }

  Result<model::RowBatch> Aggregate(const rank::AggregateSpec& spec, std::string_view text,
                                    Crew* crew, const Cancel& cancel = {}) const {
    const expr::BoundFilter filter = expr::ParseFilter(text, *schema_, {}).value();
    rank::Aggregator aggregator(spec, *schema_);
    RETURN_IF_ERROR(AggregateRows(*segments_, View(filter, crew, cancel), aggregator));
    return aggregator.Finish();
  }

  static model::CollectionSchema* schema_;
  static std::vector<segment::SegmentPtr>* segments_;
  const rank::AggregateSpec by_part_{.group_by = {kPart},
                                     .aggregates = {{AggregateOp::kCount, {}},
                                                    {AggregateOp::kSum, kKey},
                                                    {AggregateOp::kMax, kReal},
                                                    {AggregateOp::kSum, kReal}}};
};

model::CollectionSchema* SharedRetrieve::schema_ = nullptr;
std::vector<segment::SegmentPtr>* SharedRetrieve::segments_ = nullptr;

TEST_F(SharedRetrieve, GroupsAsOneThreadDoes) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  for (const char* text : {"", "part < 3 or real > 2.0"}) {
    const model::RowBatch alone = Aggregate(by_part_, text, nullptr).value();
    const model::RowBatch shared = Aggregate(by_part_, text, &crew).value();
    const model::RowBatch again = Aggregate(by_part_, text, &crew).value();
    ASSERT_EQ(alone.rows, 98u) << text;
    ASSERT_EQ(shared.rows, alone.rows);
    for (size_t c = 0; c < 4; ++c) {
      for (size_t row = 0; row < alone.rows; ++row) {
        EXPECT_EQ(shared.columns[c].IsNull(row), alone.columns[c].IsNull(row));
        EXPECT_EQ(shared.columns[c].ValueAt(row), alone.columns[c].ValueAt(row)) << c << row;
      }
    }
    for (size_t row = 0; row < alone.rows; ++row) {
      const double sum = shared.columns[4].Values<double>()[row];
      EXPECT_NEAR(sum, alone.columns[4].Values<double>()[row], 1e-8);
      EXPECT_EQ(sum, again.columns[4].Values<double>()[row]) << "the same each time";
    }
  }
}

TEST_F(SharedRetrieve, GroupsNearlyEveryRowByItself) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  const rank::AggregateSpec by_key{.group_by = {kKey}, .aggregates = {{AggregateOp::kCount, {}}}};
  const model::RowBatch shared = Aggregate(by_key, "id % 2 == 0", &crew).value();
  ASSERT_EQ(shared.rows, static_cast<size_t>(kRows));
  for (size_t row = 0; row < shared.rows; ++row) {
    ASSERT_EQ(shared.columns[0].Values<int64_t>()[row], static_cast<int64_t>(2 * row));
    ASSERT_EQ(shared.columns[1].Values<int64_t>()[row], 1);
  }
}

TEST_F(SharedRetrieve, CountsAsOneThreadDoes) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  for (const char* text : {"", "part == 5", "real > 0 and part is not null"}) {
    const expr::BoundFilter filter = expr::ParseFilter(text, *schema_, {}).value();
    const Cancel never;
    const int64_t alone = CountRows(*segments_, View(filter, nullptr, never)).value();
    EXPECT_EQ(CountRows(*segments_, View(filter, &crew, never)).value(), alone) << text;
    EXPECT_GT(alone, 1000);
  }
}

TEST_F(SharedRetrieve, ListsRowsAsOneThreadDoes) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  const Cancel never;
  const expr::BoundFilter filter = expr::ParseFilter("real > 2.5", *schema_, {}).value();
  for (const int64_t limit : {-1, 50}) {
    const RetrieveRequest request{.limit = limit};
    const auto alone = Retrieve(*segments_, View(filter, nullptr, never), request);
    const auto shared = Retrieve(*segments_, View(filter, &crew, never), request);
    EXPECT_EQ(shared->keys, alone->keys);
    ASSERT_GE(alone->keys.size(), 50u);
    EXPECT_TRUE(std::ranges::is_sorted(alone->keys.ints));
  }
}

TEST_F(SharedRetrieve, EndsWhenTheCallIsCanceled) {
  Crew crew(3);
  const Crew::Turn turn(crew);
  std::stop_source stop;
  stop.request_stop();
  const auto rows = Aggregate(by_part_, "real > 0", &crew, {.stop = stop.get_token()});
  ASSERT_FALSE(rows.has_value());
  EXPECT_EQ(rows.error().code(), Code::kCanceled);
}

}  // namespace
}  // namespace elanus::query
