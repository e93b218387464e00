// A graph that is gone on with finds what one made anew does; where it cannot be, one is made anew.
#include <gtest/gtest.h>

#include <array>

#include "index/vector/testing.h"
#include "index/vector/vector_index.h"

namespace elanus::index {
namespace {

using testing::Clustered;
using testing::Data;
using testing::RecallOf;
using testing::Reference;

constexpr size_t kDim = 24, kQueries = 100, kTopK = 10;

/// An index and the rows it borrows.
struct Opened {
  Data data;
  std::string bytes;
  std::unique_ptr<VectorIndex> index;
};

std::string Build(const Data& data, const BuildParams& params, const BuildStart& start = {}) {
  return BuildIndexFile(data.view(), params, {.start = start}).value().Join();
}

Opened Open(Data data, std::string bytes, OpenMode mode = OpenMode::kResident) {
  Opened opened{std::move(data), std::move(bytes), nullptr};
  opened.index =
      OpenIndex(nullptr, std::as_bytes(std::span(opened.bytes)), opened.data.view(), mode).value();
  return opened;
}

BuildParams Params(Metric metric = Metric::kL2) {
  return {.kind = Kind::kHnsw, .metric = metric, .m = 8, .ef_construction = 60};
}

/// Some rows of `all`, in the given order.
Data Some(const Data& all, const std::vector<uint32_t>& rows) {
  Data some{{}, all.dim};
  for (uint32_t row : rows)
    some.values.insert(some.values.end(), all.Row(row), all.Row(row) + kDim);
  return some;
}

/// Where each of `before` (numbers of rows of a larger set) stands in `after`.
std::vector<uint32_t> Moved(const std::vector<uint32_t>& before,
                            const std::vector<uint32_t>& after) {
  std::vector<uint32_t> moved;
  for (uint32_t row : before) {
    const auto at = std::ranges::find(after, row);
    moved.push_back(at == after.end() ? kRowGone : static_cast<uint32_t>(at - after.begin()));
  }
  return moved;
}

/// Rows first, first + step, ... below `end`.
std::vector<uint32_t> Every(uint32_t first, uint32_t step, uint32_t end) {
  std::vector<uint32_t> rows;
  for (uint32_t row = first; row < end; row += step) rows.push_back(row);
  return rows;
}

double Recall(const VectorIndex& index, const Data& data, Metric metric, int ef) {
  const Data queries = Clustered(kQueries, kDim, 1, 12'000);
  double recall = 0;
  for (size_t q = 0; q < kQueries; ++q) {
    const auto hits = index.Search(queries.Row(q), {.top_k = kTopK, .ef = ef}, {}, {}).value();
    recall += RecallOf(hits, Reference(metric, data, queries.Row(q), {}), kTopK);
  }
  return recall / kQueries;
}

/// Each row is its own nearest.
size_t RowsThatFindThemselves(const VectorIndex& index, const Data& data) {
  size_t found = 0;
  for (uint32_t row = 0; row < data.view().rows; ++row) {
    const auto hits = index.Search(data.Row(row), {.top_k = 1, .ef = 40}, {}, {}).value();
    found += hits.size() == 1 && hits[0].row == row ? 1 : 0;
  }
  return found;
}

class GraphReuse : public ::testing::TestWithParam<Metric> {
 protected:
  const Data all_ = Clustered(12'000, kDim, 1);
};

TEST_P(GraphReuse, GivesTheSameFileWhenNoRowIsNewAndNoneIsGone) {
  const BuildParams params = Params(GetParam());
  const auto rows = Every(0, 1, 5000);
  for (const OpenMode mode : {OpenMode::kResident, OpenMode::kMapped}) {
    const Opened before = Open(Some(all_, rows), Build(Some(all_, rows), params), mode);
    EXPECT_TRUE(Build(before.data, params, {before.index.get(), Moved(rows, rows)}) ==
                before.bytes);
  }
}

TEST_P(GraphReuse, FindsWhatAGraphMadeAnewDoes) {
  // Two rows of three were there, and stand among the new ones. Graphs of one set differ by .02 in
  // recall, whatever they are made of: the mean of some says more.
  std::vector<uint32_t> rows = Every(0, 1, 12'000), before_rows = rows;
  std::erase_if(before_rows, [](uint32_t row) { return row % 3 == 0; });
  const auto moved = Moved(before_rows, rows);
  constexpr std::array kWidths = {10, 20, 40};
  std::array<double, kWidths.size()> anew_recall{}, reused_recall{};
  for (const uint64_t seed : {1, 2, 3}) {
    BuildParams params = Params(GetParam());
    params.seed = seed;
    const Opened before = Open(Some(all_, before_rows), Build(Some(all_, before_rows), params));
    const Opened anew = Open(all_, Build(all_, params));
    const Opened reused = Open(all_, Build(all_, params, {before.index.get(), moved}));
    EXPECT_TRUE(reused.bytes != anew.bytes);
    EXPECT_TRUE(reused.bytes == Build(all_, params, {before.index.get(), moved}));
    for (size_t i = 0; i < kWidths.size(); ++i) {
      anew_recall[i] += Recall(*anew.index, all_, GetParam(), kWidths[i]) / 3;
      reused_recall[i] += Recall(*reused.index, all_, GetParam(), kWidths[i]) / 3;
    }
  }
  for (size_t i = 0; i < kWidths.size(); ++i)
    EXPECT_GE(reused_recall[i], anew_recall[i] - 0.015) << "ef " << kWidths[i];
}

TEST_P(GraphReuse, MendsTheGapsOfRowsThatAreGone) {
  const BuildParams params = Params(GetParam());
  const auto before_rows = Every(0, 1, 8000);
  const Opened before = Open(Some(all_, before_rows), Build(Some(all_, before_rows), params));
  // One of five is gone, and new ones come, again and again.
  std::vector<uint32_t> rows = before_rows, last_rows = before_rows;
  const VectorIndex* last = before.index.get();
  std::vector<Opened> steps;
  steps.reserve(4);
  for (uint32_t step = 0; step < 4; ++step) {
    std::erase_if(rows, [&](uint32_t row) { return row % 5 == step; });
    for (uint32_t row = 8000 + step * 1000; row < 9000 + step * 1000; ++row) rows.push_back(row);
    Data data = Some(all_, rows);
    std::string bytes = Build(data, params, {last, Moved(last_rows, rows)});
    steps.push_back(Open(std::move(data), std::move(bytes)));
    last = steps.back().index.get();
    last_rows = rows;
  }
  const Data& data = steps.back().data;
  const Opened anew = Open(data, Build(data, params));
  for (const int ef : {20, 80}) {
    EXPECT_GE(Recall(*last, data, GetParam(), ef), Recall(*anew.index, data, GetParam(), ef) - 0.02)
        << "ef " << ef;
  }
  if (GetParam() != Metric::kIp) {
    EXPECT_GE(RowsThatFindThemselves(*last, data), data.view().rows * 995 / 1000);
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, GraphReuse,
                         ::testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine));

TEST(GraphReuseRefused, WhereParametersDifferOrLittleIsLeft) {
  const Data all = Clustered(6000, kDim, 1);
  const auto rows = Every(0, 1, 6000);
  const Opened before = Open(all, Build(all, Params()));
  BuildParams other = Params();
  other.m = 9;
  EXPECT_TRUE(Build(all, other, {before.index.get(), rows}) == Build(all, other));
  other = Params();
  other.ef_construction = 61;
  EXPECT_TRUE(Build(all, other, {before.index.get(), rows}) == Build(all, other));
  other = Params();
  other.metric = Metric::kIp;
  EXPECT_TRUE(Build(all, other, {before.index.get(), rows}) == Build(all, other));
  other = {.kind = Kind::kIvfFlat, .metric = Metric::kL2, .nlist = 20};
  EXPECT_TRUE(Build(all, other, {before.index.get(), rows}) == Build(all, other));
  // A third is gone.
  std::vector<uint32_t> fewer = rows;
  std::erase_if(fewer, [](uint32_t row) { return row % 3 == 0; });
  const Data left = Some(all, fewer);
  EXPECT_TRUE(Build(left, Params(), {before.index.get(), Moved(rows, fewer)}) ==
              Build(left, Params()));
  // Most are new.
  const Opened few =
      Open(Some(all, Every(0, 5, 6000)), Build(Some(all, Every(0, 5, 6000)), Params()));
  EXPECT_TRUE(Build(all, Params(), {few.index.get(), Every(0, 5, 6000)}) == Build(all, Params()));
}

TEST(GraphReuseThreads, SeveralLinkTheSameRows) {
  const Data all = Clustered(9000, kDim, 1);
  BuildParams params = Params();
  const auto rows = Every(0, 1, 6000);
  const Opened before = Open(Some(all, rows), Build(Some(all, rows), params));
  params.threads = 3;
  const Opened reused = Open(all, Build(all, params, {before.index.get(), rows}));
  EXPECT_GE(Recall(*reused.index, all, Metric::kL2, 60), 0.97);
}

TEST(GraphReuseCanceled, EndsWithTheErrorOfABuild) {
  const Data all = Clustered(9000, kDim, 1);
  const auto rows = Every(0, 1, 6000);
  const Opened before = Open(Some(all, rows), Build(Some(all, rows), Params()));
  std::stop_source stop;
  stop.request_stop();
  const auto file = BuildIndexFile(all.view(), Params(),
                                   {.start = {before.index.get(), rows}, .stop = stop.get_token()});
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code(), Code::kCanceled);
}

}  // namespace
}  // namespace elanus::index
