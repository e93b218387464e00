// When the graph over arriving rows begins, and when it is made anew.
#include <gtest/gtest.h>

#include <random>
#include <stop_token>

#include "segment/growing.h"

namespace elanus::segment {
namespace {

constexpr FieldId kKey{100}, kVector{101};

class GraphOfGrowingRows : public testing::Test {
 protected:
  explicit GraphOfGrowingRows(int64_t dim = 768) : dim_(dim) {
    schema_.fields = {
        {.id = kKey, .name = "id", .type = model::DataType::kInt64, .is_primary = true},
        {.id = kVector,
         .name = "v",
         .type = model::DataType::kFloatVector,
         .type_params = {{"dim", std::to_string(dim)}}}};
    segment_ = std::make_unique<GrowingSegment>(SegmentId{1}, PartitionId{1}, schema_);
  }

  void AppendUntil(uint32_t rows) {
    model::RowBatch batch{.rows = rows - segment_->RowCount()};
    batch.columns = {model::MakeColumn(kKey, model::DataType::kInt64),
                     model::MakeColumn(kVector, model::DataType::kFloatVector, dim_)};
    std::vector<float> vector(static_cast<size_t>(dim_));
    for (size_t i = 0; i < batch.rows; ++i) {
      batch.columns[0].Append(static_cast<int64_t>(segment_->RowCount() + i));
      for (float& x : vector) x = normal_(random_);
      batch.columns[1].AppendValue(
          {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
    }
    segment_->Append(batch, ++now_);
  }

  std::shared_ptr<const index::GrowingGraph> Grow(const std::stop_token& stop = {}) {
    segment_->GrowGraph(kVector, model::Metric::kL2, stop);
    return segment_->GraphOn(kVector);
  }

  const int64_t dim_;
  model::CollectionSchema schema_{.name = "c"};
  std::unique_ptr<GrowingSegment> segment_;
  std::mt19937 random_{1};
  std::normal_distribution<float> normal_;
  model::Timestamp now_ = 1;
};

class GraphOfShortRows : public GraphOfGrowingRows {
 protected:
  GraphOfShortRows() : GraphOfGrowingRows(8) {}
};

TEST_F(GraphOfGrowingRows, BeginsWithFewOfManyNumbers) {
  AppendUntil(500);
  EXPECT_EQ(Grow(), nullptr);
  AppendUntil(530);
  const auto graph = Grow();
  ASSERT_NE(graph, nullptr);
  EXPECT_EQ(graph->rows(), 530u);
  const std::vector<float> query(768, 0.0F);
  const auto found = graph->Search(query.data(), {.top_k = 10}, 530, {}, {});
  ASSERT_TRUE(found.has_value());
  ASSERT_TRUE(found->has_value());
  EXPECT_GE((*found)->size(), 10u);
}

TEST_F(GraphOfShortRows, BeginsWithManyOfFewNumbers) {
  AppendUntil(4000);
  EXPECT_EQ(Grow(), nullptr);
  AppendUntil(4100);
  ASSERT_NE(Grow(), nullptr);
}

TEST_F(GraphOfGrowingRows, IsMadeAnewOnceEnoughRowsTeachItsCodec) {
  AppendUntil(600);
  const auto early = Grow();
  ASSERT_NE(early, nullptr);
  EXPECT_LT(early->rows_sampled(), index::GrowingGraph::kSampleEnough);
  AppendUntil(1500);
  EXPECT_EQ(Grow(), early);
  AppendUntil(4200);  // one piece of it has 2,048 rows
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Grow(stop.get_token()), early) << "the old one serves until the new one is done";
  const auto anew = Grow();
  EXPECT_NE(anew, early);
  EXPECT_GE(anew->rows_sampled(), index::GrowingGraph::kSampleEnough);
  EXPECT_EQ(anew->rows(), 4200u);
  EXPECT_EQ(segment_->RowsOutsideGraphs(), 0u);
  AppendUntil(4300);
  EXPECT_EQ(Grow(), anew);
  EXPECT_EQ(anew->rows(), 4300u);
}

}  // namespace
}  // namespace elanus::segment
