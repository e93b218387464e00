// What searches of a fixed set of 50,000 rows cost and find, to the last hop: a change that moves
// these numbers is seen, and whoever makes it says why. Never times. Rows are whole numbers under
// L2, so that int8 codes, and with them graph and walk, are the same at every level of kernels.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "index/vector/hnsw_index.h"
#include "index/vector/search_cost.h"
#include "index/vector/testing.h"

namespace elanus::index {
namespace {

constexpr size_t kRows = 50'000, kDim = 24, kQueries = 200, kTopK = 10;
constexpr uint32_t kVisibleOf[] = {1, 2, 5, 20, 100};  // one of so many rows is visible, or
constexpr uint32_t kFarOff = 0;                        // those of some centres

// Around 30 centres; no distribution of the library's, whose numbers may change with it.
testing::Data Rows(size_t rows, uint64_t seed) {
  std::mt19937_64 centres(7), random(seed);
  std::vector<int> centre(30 * kDim);
  for (int& x : centre) x = static_cast<int>(centres() % 160) - 80;
  testing::Data data{std::vector<float>(rows * kDim), kDim};
  for (size_t i = 0; i < rows; ++i) {
    const int* c = &centre[random() % 30 * kDim];
    for (size_t d = 0; d < kDim; ++d) {
      int x = c[d] - 4 * 32;
      for (int part = 0; part < 4; ++part) x += static_cast<int>(random() % 65);
      data.values[i * kDim + d] = static_cast<float>(x);
    }
  }
  return data;
}

struct Counts {
  uint64_t found = 0;  // of kQueries * kTopK; then the costs of all queries
  uint64_t hops = 0, codes = 0, exact = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
  friend void PrintTo(const Counts& c, std::ostream* out) {
    *out << "{" << c.found << ", " << c.hops << ", " << c.codes << ", " << c.exact << "}";
  }
};

class PinnedTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = Rows(kRows, 1);
    queries_ = Rows(kQueries, 2);
  }
  static void TearDownTestSuite() { data_ = queries_ = {}; }
  void TearDown() override { simd::ForceLevel(simd::BestLevel()); }

  // Row r is visible when r % every == 0: the rows are in no order.
  static bool Visible(size_t row, uint32_t every) {
    return every == kFarOff ? data_.Row(row)[0] > 40 : row % every == 0;
  }

  Counts Search(const VectorIndex& index, uint32_t every, const SearchParams& params) {
    const auto hidden = testing::BitsWhere(kRows, [&](size_t row) { return !Visible(row, every); });
    const HiddenBits bits = every == 1 ? HiddenBits() : hidden.view();
    std::vector<TopK> truth(kQueries, TopK(kTopK));
    const VectorChunk chunk{.vectors = data_.view(), .row_offset = 0, .inverse_norms = nullptr};
    EXPECT_TRUE(BruteForceMany(Metric::kL2, queries_.Row(0), chunk, bits, {}, truth).ok());
    const uint64_t hops = ThreadGraphHops();
    const SearchCost before = ThreadSearchCost();
    Counts counts;
    for (size_t q = 0; q < kQueries; ++q) {
      const auto hits = index.Search(queries_.Row(q), params, bits, {});
      EXPECT_TRUE(hits.has_value());
      const float last = truth[q].Take().back().distance;  // whole numbers: exact
      for (const Hit& hit : *hits) counts.found += hit.distance <= last ? 1 : 0;
    }
    counts.hops = ThreadGraphHops() - hops;
    counts.codes = ThreadSearchCost().codes - before.codes;
    counts.exact = ThreadSearchCost().exact - before.exact;
    return counts;
  }

  static testing::Data data_, queries_;
};
testing::Data PinnedTest::data_, PinnedTest::queries_;

TEST_F(PinnedTest, GraphWalksTheSamePathAtEveryLevel) {
  const auto opened = testing::BuildAndOpen(
      data_, {.kind = Kind::kHnsw, .metric = Metric::kL2, .m = 16, .ef_construction = 60});
  ASSERT_NE(opened.index, nullptr);
  for (const auto level : {simd::Level::kScalar, simd::Level::kAvx2, simd::Level::kAvx512}) {
    if (!simd::ForceLevel(level)) continue;
    std::vector<Counts> seen;
    // At 10 the beam is narrower; cells are read as at 20, the index's own choice or above it.
    for (const int ef : {10, 20, 80}) {
      for (const uint32_t every : kVisibleOf)
        seen.push_back(Search(*opened.index, every, {.top_k = kTopK, .ef = ef}));
      seen.push_back(Search(*opened.index, kFarOff, {.top_k = kTopK, .ef = ef}));
    }
    const std::vector<Counts> pinned = {
        {1847, 3069, 63744, 2600},   {1997, 0, 257798, 4000}, {2000, 0, 151675, 4000},
        {2000, 0, 0, 500000},        {2000, 0, 0, 100000},    {1978, 0, 259979, 4000},
        {1938, 5243, 94861, 4000},   {1997, 0, 257798, 4000}, {2000, 0, 151675, 4000},
        {2000, 0, 0, 500000},        {2000, 0, 0, 100000},    {1978, 0, 259979, 4000},
        {1994, 14006, 175773, 4000}, {2000, 0, 555373, 4000}, {2000, 0, 250154, 4000},
        {2000, 0, 0, 500000},        {2000, 0, 0, 100000},    {1985, 0, 370673, 4000},
    };
    EXPECT_EQ(seen, pinned) << simd::LevelName(level);
  }
}

// Centres are means of floats: only one level's are pinned.
TEST_F(PinnedTest, ListsReadTheSameRows) {
  ASSERT_TRUE(simd::ForceLevel(simd::Level::kScalar));
  const auto opened =
      testing::BuildAndOpen(data_, {.kind = Kind::kIvfFlat, .metric = Metric::kL2, .nlist = 64});
  ASSERT_NE(opened.index, nullptr);
  std::vector<Counts> seen;
  for (const uint32_t every : kVisibleOf)
    seen.push_back(Search(*opened.index, every, {.top_k = kTopK, .nprobe = 3}));
  // The index's own width: lists that show few rows have these measured, the others scanned.
  for (const uint32_t every : {1u, 5u, kFarOff})
    seen.push_back(Search(*opened.index, every, {.top_k = kTopK}));
  const std::vector<Counts> pinned = {
      {1986, 0, 506562, 4100}, {1981, 0, 479510, 17087},  {1972, 0, 0, 103218},
      {1964, 0, 0, 27440},     {2000, 0, 0, 100000},      {1986, 0, 506562, 4100},
      {1995, 0, 0, 190041},    {1941, 0, 293998, 114487},
  };
  EXPECT_EQ(seen, pinned);
}

}  // namespace
}  // namespace elanus::index
