// The graph over arriving rows, against the plain search.
#include "index/vector/growing_graph.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

using testing::Clustered;
using testing::RecallOf;
using testing::Reference;

constexpr size_t kRows = 6000;
constexpr size_t kDim = 32;

VectorView Part(const testing::Data& data, size_t first, size_t count) {
  return {data.Row(first), count, data.dim};
}

std::vector<Hit> Measured(Metric metric, const testing::Data& data, const float* query,
                          std::span<const uint32_t> rows, size_t k) {
  TopK top(k);
  MeasureRows(metric, query, {.vectors = data.view()}, rows, top);
  return top.Take();
}

class GrowingGraphTest : public ::testing::TestWithParam<Metric> {};

TEST_P(GrowingGraphTest, FindsWhatHasBeenAppendedSoFar) {
  const auto data = Clustered(kRows, kDim, 1);
  const auto queries = Clustered(50, kDim, 1, kRows);
  GrowingGraph graph(GetParam(), Part(data, 0, 1000));
  graph.Append(Part(data, 0, 4500), {});
  graph.Append(Part(data, 4500, kRows - 4500), {});
  ASSERT_EQ(graph.rows(), kRows);
  for (const uint32_t limit : {4096u, 5000u, static_cast<uint32_t>(kRows)}) {
    double recall = 0;
    for (size_t q = 0; q < 50; ++q) {
      auto rows = graph.Search(queries.Row(q), {.top_k = 10}, limit, {}, {});
      ASSERT_TRUE(rows.has_value() && rows->has_value());
      for (uint32_t row : **rows) ASSERT_LT(row, limit);
      const auto bits = testing::BitsWhere(kRows, [&](size_t row) { return row >= limit; });
      const auto truth = Reference(GetParam(), data, queries.Row(q), bits.view());
      recall += RecallOf(Measured(GetParam(), data, queries.Row(q), **rows, 10), truth, 10) / 50;
    }
    EXPECT_GE(recall, 0.95) << "limit " << limit;
  }
}

TEST_P(GrowingGraphTest, LeavesHiddenRowsOutAndGivesUpWhenFewAreVisible) {
  const auto data = Clustered(kRows, kDim, 1);
  const auto queries = Clustered(50, kDim, 1, kRows);
  GrowingGraph graph(GetParam(), Part(data, 0, 1000));
  graph.Append(data.view(), {});
  double recall = 0;
  const auto bits = testing::BitsWhere(kRows, [](size_t row) { return row % 3 != 0; });
  for (size_t q = 0; q < 50; ++q) {
    auto rows = graph.Search(queries.Row(q), {.top_k = 10}, kRows, bits.view(), {});
    ASSERT_TRUE(rows.has_value() && rows->has_value());
    for (uint32_t row : **rows) ASSERT_EQ(row % 3, 0u);
    recall += RecallOf(Measured(GetParam(), data, queries.Row(q), **rows, 10),
                       Reference(GetParam(), data, queries.Row(q), bits.view()), 10) /
              50;
  }
  EXPECT_GE(recall, 0.95);
  const auto few = testing::BitsWhere(kRows, [](size_t row) { return row % 50 != 0; });
  auto rows = graph.Search(queries.Row(0), {.top_k = 10}, kRows, few.view(), {});
  ASSERT_TRUE(rows.has_value());
  EXPECT_FALSE(rows->has_value());
}

TEST_P(GrowingGraphTest, IsSearchedWhileRowsAreAppended) {
  const auto data = Clustered(kRows, kDim, 1);
  GrowingGraph graph(GetParam(), Part(data, 0, 1000));
  graph.Append(Part(data, 0, 4200), {});
  std::jthread writer([&] { graph.Append(Part(data, 4200, kRows - 4200), {}); });
  // Each row is its own nearest neighbour but for IP, where only the rows' range can be told.
  for (uint32_t round = 0; graph.rows() < kRows || round < 20; ++round) {
    const uint32_t limit = graph.rows();
    const uint32_t wanted = limit - 1 - round % 100;
    auto rows = graph.Search(data.Row(wanted), {.top_k = 10}, limit, {}, {});
    ASSERT_TRUE(rows.has_value() && rows->has_value());
    for (uint32_t row : **rows) ASSERT_LT(row, limit);
    if (GetParam() != Metric::kIp) {
      EXPECT_EQ(Measured(GetParam(), data, data.Row(wanted), **rows, 1)[0].row, wanted);
    }
  }
}

TEST_P(GrowingGraphTest, BecomesAnIndexOverTheRowsInAnotherOrder) {
  const auto data = Clustered(kRows, kDim, 1);
  const auto queries = Clustered(50, kDim, 1, kRows);
  GrowingGraph graph(GetParam(), Part(data, 0, 1000));
  graph.Append(data.view(), {});
  // Backwards, every hundredth row gone, the first among them: it is the entry.
  std::vector<uint32_t> new_row(kRows, kNoNode);
  testing::Data moved{{}, kDim};
  uint32_t next = 0;
  for (size_t row = kRows; row-- > 0;) {
    if (row % 100 == 0) continue;
    new_row[row] = next++;
    moved.values.insert(moved.values.end(), data.Row(row), data.Row(row) + kDim);
  }
  const auto file = graph.Reordered(moved.view(), new_row);
  ASSERT_TRUE(file.has_value());
  const std::string bytes = file->Join();
  auto index = OpenIndex(nullptr, std::as_bytes(std::span(bytes)), moved.view(), OpenMode::kMapped);
  ASSERT_TRUE(index.has_value()) << index.error().message();
  double recall = 0;
  for (size_t q = 0; q < 50; ++q) {
    auto hits = (*index)->Search(queries.Row(q), {.top_k = 10}, {}, {});
    ASSERT_TRUE(hits.has_value());
    recall += RecallOf(*hits, Reference(GetParam(), moved, queries.Row(q), {}), 10) / 50;
  }
  EXPECT_GE(recall, 0.95);
}

TEST_P(GrowingGraphTest, GivesNoIndexWhenRowsAreMissingOrManyAreGone) {
  const auto data = Clustered(kRows, kDim, 1);
  GrowingGraph graph(GetParam(), Part(data, 0, 1000));
  graph.Append(Part(data, 0, kRows - 1), {});
  std::vector<uint32_t> new_row(kRows);
  std::iota(new_row.begin(), new_row.end(), 0u);
  EXPECT_FALSE(graph.Reordered(data.view(), new_row).has_value()) << "the last row is missing";
  graph.Append(Part(data, kRows - 1, 1), {});
  EXPECT_TRUE(graph.Reordered(data.view(), new_row).has_value());
  for (size_t row = kRows / 2; row < kRows; ++row) new_row[row] = kNoNode;
  EXPECT_FALSE(graph.Reordered(Part(data, 0, kRows / 2), new_row).has_value());
}

TEST(GrowingGraph, StopsWhenAsked) {
  const auto data = Clustered(2000, kDim, 1);
  GrowingGraph graph(Metric::kL2, Part(data, 0, 1000));
  std::stop_source stop;
  stop.request_stop();
  graph.Append(data.view(), stop.get_token());
  EXPECT_EQ(graph.rows(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Metrics, GrowingGraphTest,
                         ::testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine),
                         [](const auto& info) {
                           return info.param == Metric::kL2   ? "L2"
                                  : info.param == Metric::kIp ? "IP"
                                                              : "COSINE";
                         });

}  // namespace
}  // namespace elanus::index
