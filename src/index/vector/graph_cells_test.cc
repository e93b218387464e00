// The cells of a graph: that they hold every row, name the near ones first, and what searches under
// a filter find through them.
#include "index/vector/graph_cells.h"

#include <gtest/gtest.h>

#include "index/vector/testing.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 12'000, kDim = 32, kTopK = 10, kQueries = 60;

class GraphCellsTest : public ::testing::TestWithParam<Metric> {
 protected:
  static BuildParams Params() {
    return {.kind = Kind::kHnsw, .metric = GetParam(), .m = 8, .ef_construction = 60};
  }
};

// Codes, lists and numbers of a fresh file.
class CellsOfFile {
 public:
  CellsOfFile(const testing::Data& data, const BuildParams& params) {
    auto built = BuildIndexFile(data.view(), params);
    if (!built.has_value()) return;
    bytes_ = built->Join();
    auto reader = IndexFileReader::Open(std::as_bytes(std::span(bytes_)));
    if (!reader.has_value()) return;
    copies_ = reader->MakeResident();
    auto read = GraphCells::Read(*reader);
    if (read.has_value()) cells_ = std::move(*read);
  }
  const GraphCells& operator*() const { return cells_; }

 private:
  std::string bytes_;
  std::vector<Buffer> copies_;
  GraphCells cells_;
};

TEST_P(GraphCellsTest, HoldEachRowOnceAndNameTheNearFirst) {
  const testing::Data data = testing::Clustered(kRows, kDim, 1);
  const CellsOfFile file(data, Params());
  const GraphCells& cells = *file;
  ASSERT_EQ(cells.count(), CellsOf(kRows));
  GraphCells::Order order;
  size_t near = 0;
  for (uint32_t row = 0; row < kRows; row += 500) {
    cells.Rank(data.Row(row), order);
    std::vector<uint32_t> met(kRows, 0);
    size_t rows = 0;
    for (const uint32_t cell : order.cells) {
      for (const uint32_t other : cells.RowsOf(cell)) {
        ++met[other];
        near += static_cast<size_t>(other == row && rows < kRows / 20);
        ++rows;
      }
    }
    EXPECT_EQ(order.cells.size(), cells.count());
    EXPECT_TRUE(std::ranges::all_of(met, [](uint32_t times) { return times == 1; }));
  }
  // The lengths of rows count under IP: the nearest centre by product need not be the row's own.
  EXPECT_GE(near, GetParam() == Metric::kIp ? kRows / 500 / 2 : kRows / 500 - 1);
  EXPECT_GE(cells.RowsNear(10), 10);
  EXPECT_LE(cells.RowsNear(10), cells.RowsNear(100));
  EXPECT_LE(cells.RowsNear(100), kRows);
  EXPECT_GE(cells.RowsNear(1'000), cells.RowsNear(100));
}

TEST_P(GraphCellsTest, SourceNamesEveryVisibleRowUnlessItMayStop) {
  const testing::Data data = testing::Clustered(kRows, kDim, 1);
  const CellsOfFile file(data, Params());
  const auto hidden = testing::BitsWhere(kRows, [](size_t row) { return row % 7 != 0; });
  GraphCells::Order order;
  std::vector<uint32_t> out(CodeScan::kWindow + 16);
  const auto named = [&](size_t least, Patience& patience) {
    (*file).Rank(data.Row(3), order);
    CellRows rows(*file, order, hidden.view().words(), least, patience);
    std::vector<uint32_t> all;
    for (size_t count; rows.Next(out.data(), &count);) {
      EXPECT_LE(count, CodeScan::kWindow);
      all.insert(all.end(), out.begin(), out.begin() + static_cast<ptrdiff_t>(count));
    }
    return all;
  };
  Patience never;
  std::vector<uint32_t> all = named(0, never);
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), (kRows + 6) / 7);
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], 7 * i);
  Patience soon;
  soon.Start(1, 0);
  const size_t some = named(500, soon).size();
  EXPECT_GE(some, 500u);
  EXPECT_LT(some, 1'000u);
}

// Random rows, rows of some clusters, and a cut-off: a bitset shorter than the index.
TEST_P(GraphCellsTest, FilteredSearchesFindTheNearestVisible) {
  const testing::Data data = testing::Clustered(kRows, kDim, 1);
  const testing::Data queries = testing::Clustered(kQueries, kDim, 1, kRows);
  const auto opened = testing::BuildAndOpen(data, Params());
  ASSERT_NE(opened.index, nullptr);
  const auto check = [&](const char* what, const HiddenBits& hidden) {
    double recall = 0;
    for (size_t q = 0; q < kQueries; ++q) {
      const auto hits = opened.index->Search(queries.Row(q), {.top_k = kTopK}, hidden, {});
      ASSERT_TRUE(hits.has_value());
      ASSERT_EQ(hits->size(), kTopK);
      for (const Hit& hit : *hits) EXPECT_FALSE(hidden.Hidden(hit.row)) << what;
      const auto truth = testing::Reference(GetParam(), data, queries.Row(q), hidden);
      recall += testing::RecallOf(*hits, truth, kTopK) / kQueries;
    }
    EXPECT_GE(recall, 0.95) << what;
  };
  for (const size_t every : {2, 3, 6, 12, 40}) {
    const auto hidden = testing::BitsWhere(kRows, [&](size_t row) { return row % every != 0; });
    check("random", hidden.view());
    check("random, cut off", HiddenBits(hidden.view().words(), kRows * 2 / 3));
  }
  for (const float above : {0.0f, 0.5f, 1.0f}) {
    const auto hidden =
        testing::BitsWhere(kRows, [&](size_t row) { return data.Row(row)[0] < above; });
    check("one side", hidden.view());
  }
}

// Cells are read for a rank far beyond those that the self-test measured.
TEST_P(GraphCellsTest, ManyWantedRowsAllCome) {
  const testing::Data data = testing::Clustered(kRows, kDim, 1);
  const auto opened = testing::BuildAndOpen(data, Params());
  ASSERT_NE(opened.index, nullptr);
  for (const size_t every : {2, 3, 5, 8}) {
    const auto hidden = testing::BitsWhere(kRows, [&](size_t row) { return row % every != 0; });
    for (const size_t wanted : {100, 300, 500, 700}) {
      for (uint32_t row = 0; row < kRows; row += 1'000) {
        const auto hits = opened.index->Search(data.Row(row), {.top_k = wanted}, hidden.view(), {});
        ASSERT_TRUE(hits.has_value());
        EXPECT_EQ(hits->size(), wanted) << "one visible of " << every;
        const auto truth = testing::Reference(GetParam(), data, data.Row(row), hidden.view());
        EXPECT_GE(testing::RecallOf(*hits, truth, wanted), 0.8) << wanted << " of 1/" << every;
      }
    }
  }
}

// Codes so long are linked in the order of their cells and get the order of their rows back.
TEST_P(GraphCellsTest, OrderABuildOfLongCodesAndLeaveItsRowsWhereTheyWere) {
  constexpr size_t kSome = 8500, kLong = 256;
  const testing::Data data = testing::Clustered(kSome, kLong, 3);
  const testing::Data queries = testing::Clustered(kQueries, kLong, 3, kSome);
  std::string first;
  for (const int threads : {1, 1, 2}) {
    BuildParams params = Params();
    params.threads = threads;
    const testing::Opened opened = testing::BuildAndOpen(data, params);
    ASSERT_NE(opened.index, nullptr);
    if (first.empty()) first = *opened.file;
    if (threads == 1) EXPECT_TRUE(first == *opened.file) << "the same graph every time";
    double recall = 0;
    for (size_t q = 0; q < kQueries; ++q) {
      const float* query = queries.Row(q);
      const auto hits = opened.index->Search(query, {.top_k = kTopK, .ef = 100}, {}, {});
      ASSERT_TRUE(hits.has_value());
      const auto truth = testing::Reference(GetParam(), data, query, {});
      recall += testing::RecallOf(*hits, truth, kTopK);
    }
    EXPECT_GE(recall, 0.95 * kQueries);
  }
}

INSTANTIATE_TEST_SUITE_P(Metrics, GraphCellsTest,
                         ::testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine));

TEST(GraphCells, SmallGraphsHaveNone) {
  EXPECT_EQ(CellsOf(1'000), 0u);
  EXPECT_EQ(CellBytes(1'000, 100), 0u);
  EXPECT_GT(CellsOf(100'000), 500u);
  EXPECT_LE(CellsOf(2'000'000'000), 4'096u);
}

}  // namespace
}  // namespace elanus::index
